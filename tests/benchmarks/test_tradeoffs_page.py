"""The page on trade-offs says what the committed tables say, and these are what is computed."""

import csv
from collections.abc import Iterator
from itertools import product

import pytest
from places import DOCS
from tradeoff_making import case

from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from benchmarks.tradeoffs.tradeoff_record import CurveRecord
from benchmarks.tradeoffs.tradeoff_run import Runner
from benchmarks.tradeoffs.tradeoff_table import frame_of
from instances.cnns import NETWORKS
from optmodel.ground.finished_runs import RunStore
from optmodel.placement.solution import SolutionStatus
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

NAMES = ("lenet", "cifar_cnn", "vgg16", "vgg19")
PAGE = (DOCS / "tradeoffs.md").read_text(encoding="utf-8")


def rows_in(name: str) -> list[dict[str, str]]:
    with (DOCS / f"tradeoffs-{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def table_under(first_title: str, titles: int) -> Iterator[list[str]]:
    """The cells of every row of the page's table with so many columns."""
    lines = iter(PAGE.splitlines())
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == first_title and len(cells) == titles:
            break
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def shown(number: str, digits: int = 3) -> str:
    return f"{float(number):.{digits}f}" if number else "-"


def test_the_price_table_is_that_of_the_file():
    known = {
        (row["network"], row["fleet"], row["tolerated_ssim"]): row
        for row in rows_in("price")
        if row["devices"] == "40"
    }
    cells = list(table_under("network", 7))
    assert len(cells) >= 15
    for network, fleet, tolerance, *numbers in cells:
        row = known[network, fleet, tolerance]
        private = shown(row["latency_ms"]) if row["latency_ms"] else "none"
        price = [shown(row["price_ms"]), shown(row["price_percent"], 1)]
        assert numbers == [private, shown(row["free_latency_ms"]), *price]


def test_a_price_the_page_leaves_out_is_nothing_or_that_of_a_row_beside_it():
    told = {tuple(cells[:3]) for cells in table_under("network", 7)}
    for row in rows_in("price"):
        key = (row["network"], row["fleet"], row["tolerated_ssim"])
        if row["devices"] == "40" and key not in told and row["price_ms"]:
            lenet_on_power = (row["network"], row["fleet"]) == ("lenet", "power")
            assert float(row["price_ms"]) == 0 or lenet_on_power


def test_the_sentences_quote_the_files():
    price = {
        (row["network"], row["fleet"], row["devices"], row["tolerated_ssim"]): row
        for row in rows_in("price")
    }
    few = price["cifar_cnn", "mixed", "10", "0.4"]["price_percent"]
    many = price["cifar_cnn", "mixed", "40", "0.4"]["price_percent"]
    text = " ".join(PAGE.split())
    assert f"pays not {shown(many, 1)} but {shown(few, 1)} %" in text
    highest = {
        (network, fleet): max(
            float(row["price_percent"])
            for key, row in price.items()
            if key[:2] == (network, fleet) and row["price_percent"]
        )
        for network, fleet in (("cifar_cnn", "power"), ("vgg16", "power"), ("vgg16", "mixed"))
    }
    assert highest["vgg16", "power"] == 0
    assert f"the CIFAR network {highest['cifar_cnn', 'power']:.1f} % at most" in text
    assert f"VGG16 pays up to {highest['vgg16', 'mixed']:.1f} %" in text
    both = {price["lenet", fleet, "40", "0.4"]["price_percent"] for fleet in ("mixed", "power")}
    assert [f"LeNet pays {shown(one, 1)} % on 40 devices" in text for one in both] == [True]
    least = {
        devices: min(
            float(row["from_ssim"])
            for row in rows_in("tolerance")
            if (row["network"], row["devices"], row["on_front"]) == ("cifar_cnn", devices, "True")
        )
        for devices in ("10", "40")
    }
    assert f"from {least['10']:g} on 10 devices to {least['40']:g} on 40" in text


def fronts_in(name: str) -> dict[tuple[str, ...], list[dict[str, str]]]:
    """The points of each front of a file, by network, tolerance and fleet."""
    fronts: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows_in(name):
        key = (row["network"], row["tolerated_ssim"], f"{row['devices']} {row['fleet']}")
        fronts.setdefault(key, []).append(row)
    return fronts


def ends_of(points: list[dict[str, str]]) -> list[str]:
    """Latency and data of the first and the last point, and how much less data that is."""
    first, last = points[0], points[-1]
    data = [int(row["shared_bits"]) for row in (first, last)]
    ends = [
        cell
        for row in (first, last)
        for cell in (shown(row["latency_ms"]), f"{int(row['shared_bits']) / 1e6:.3f}")
    ]
    return [*ends, f"{100 * (1 - data[1] / data[0]):.1f}"]


def furthest_above(points: list[dict[str, str]]) -> str:
    above = [float(row["latency_ms"]) / float(row["bound_ms"]) - 1 for row in points]
    return f"{100 * max(above):.1f}"


def test_the_table_of_shared_data_is_that_of_the_file():
    fronts = fronts_in("shared")
    cells = {tuple(line[:3]): line[3:] for line in table_under("network", 11)}
    assert list(cells) == list(fronts)
    for key, points in fronts.items():
        proven = sum(row["proven"] == "True" for row in points)
        first, last = (float(row["latency_ms"]) for row in (points[0], points[-1]))
        more = f"{100 * (last / first - 1):.1f}"
        told = [f"{proven} of {len(points)}", *ends_of(points), more, furthest_above(points)]
        assert cells[key] == told


def test_what_the_page_calls_proven_is():
    proven = 0
    for (network, *_), points in fronts_in("shared").items():
        assert all(row["bound_ms"] and row["bound_bits"] for row in points)
        if network == "vgg19":
            assert points[-1]["bound_bits"] == points[-1]["shared_bits"]
            assert float(points[0]["latency_ms"]) <= float(points[0]["bound_ms"]) * (1 + 5e-6)
        else:
            assert {row["proven"] for row in points} == {"True"}
            proven += len(points)
    assert f"{proven} points" in PAGE


def test_the_sentence_on_the_cifar_network_quotes_its_fronts():
    fronts = fronts_in("shared")
    less = {key[1:]: ends_of(points)[-1] for key, points in fronts.items() if "cifar" in key[0]}
    least, most = (less["0.4", f"8 {fleet}"] for fleet in ("mixed", "power"))
    text = " ".join(PAGE.split())
    assert f"{least} to {most} % less is the most there is" in text
    loose = max(float(less["0.8", f"4 {fleet}"]) for fleet in ("mixed", "power"))
    assert f"On four at 0.8 it is up to {loose} %" in text


@pytest.mark.parametrize("fleet", ["mixed", "power"])
def test_smaller_fleets_have_no_placement_for_the_reason_that_the_page_gives(fleet):
    """Of 4 to 8 devices, each network's smallest fleet is that of the file."""
    smallest = {(n, t): int(where.split()[0]) for n, t, where in fronts_in("shared")}
    needs = {("vgg16", "0.8"): 16, ("vgg16", "0.6"): 32, ("vgg16", "0.4"): 32, **smallest}
    for (network, tolerance), devices in needs.items():
        for number in range(4, min(devices, 9)):
            told = {"fleet": fleet, "devices": number, "tolerated_ssim": float(tolerance)}
            tried = case("price", network, **told)
            found = solve(tried.instance())
            assert found.solution_status is SolutionStatus.INFEASIBLE
            assert f"'relu11' needs {devices} helpers (64 maps" in found.reasons[0]
    assert set(needs) | {("vgg19", "0.4")} == set(product(NAMES, ("0.8", "0.6", "0.4")))
    never = case("price", "vgg19", fleet=fleet, devices=1000, tolerated_ssim=0.4)
    assert "no admissible share at 0.4" in solve(never.instance()).reasons[0]


def test_the_table_of_forty_devices_is_that_of_the_file():
    fronts = fronts_in("shared-40")
    cells = {(line[0], line[1]): line[2:] for line in table_under("40 mixed devices", 8)}
    assert list(cells) == [key[:2] for key in fronts]
    for key, points in fronts.items():
        assert cells[key[:2]] == [*ends_of(points), furthest_above(points)]


def run_alone(one: TradeoffCase, seconds: float, points: int) -> CurveRecord:
    options = SolverOptions(threads=1, time_limit_s=seconds)
    return Runner(RunStore(None, CurveRecord), options, points).run(one)


def test_the_file_of_forty_devices_is_computed_again_for_lenet():
    one = case("shared", devices=40)
    record = run_alone(one, 300.0, 12)
    text = frame_of("shared", {one: record}).to_csv(index=False)
    known = [
        row
        for row in rows_in("shared-40")
        if (row["network"], row["tolerated_ssim"]) == ("lenet", "0.8")
    ]
    assert [row["shared_bits"] for row in known] == [
        row["shared_bits"] for row in csv.DictReader(text.splitlines())
    ]
    for row, again in zip(known, csv.DictReader(text.splitlines()), strict=True):
        for name in ("latency_ms", "bound_ms"):
            assert float(again[name]) == pytest.approx(float(row[name]), rel=1e-6)


def test_what_the_camera_must_hand_on_is_the_output_of_conv1():
    conv1 = NETWORKS["lenet"]().layers[0]
    assert f"{conv1.output_maps * conv1.bits_per_output(32):,} bits" in PAGE


def test_every_tolerance_and_price_on_the_page_is_proven():
    assert {row["proven"] for row in rows_in("tolerance")} == {"True"}
    for row in rows_in("price"):
        assert {row["status"], row["free_status"]} <= {"optimal", "infeasible"}


@pytest.mark.parametrize(
    ("kind", "tolerance"), [("tolerance", None), ("price", 0.4), ("price", 0.8)]
)
def test_the_files_are_computed_again_for_lenet(kind, tolerance):
    one = case(kind, devices=10, tolerated_ssim=tolerance or 0.8)
    record = Runner(
        RunStore(None, CurveRecord), SolverOptions(threads=1, time_limit_s=600.0), 12
    ).run(one)
    text = frame_of(kind, {one: record}).to_csv(index=False)
    computed = list(csv.DictReader(text.splitlines()))
    key = ("network", "fleet", "devices", *(("tolerated_ssim",) if kind == "price" else ()))
    wanted = [computed[0][name] for name in key]
    committed = [row for row in rows_in(kind) if [row[name] for name in key] == wanted]
    assert len(computed) == len(committed) >= 1
    for mine, theirs in zip(computed, committed, strict=True):
        for name, value in mine.items():
            if name.endswith("_ms") and value:
                assert float(value) == pytest.approx(float(theirs[name]), rel=1e-5, abs=1e-5)
            elif name != "price_percent":
                assert value == theirs[name]


def test_the_end_of_lenets_front_is_found_again():
    """The point that shares least, from the fastest to it in one step."""
    one = case("shared", devices=4)
    record = Runner(
        RunStore(None, CurveRecord), SolverOptions(threads=1, time_limit_s=600.0), 1
    ).run(one)
    committed = fronts_in("shared")["lenet", "0.8", "4 mixed"]
    ends = [committed[0], committed[-1]]
    assert [point.shared_bits for point in record.points] == [int(r["shared_bits"]) for r in ends]
    for point, row in zip(record.points, ends, strict=True):
        assert 1000 * point.latency_s == pytest.approx(float(row["latency_ms"]), rel=1e-5)
        assert point.proven
