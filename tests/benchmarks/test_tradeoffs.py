"""The trade-off benchmark: what it writes, resumes, draws, prints and refuses."""

import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from commands import run
from matplotlib.figure import Figure
from rich.console import Console

from benchmarks import tradeoff_run
from benchmarks.tradeoff_cases import Case, Choice
from benchmarks.tradeoff_plot import plot_shared, plot_tolerance, save_plot
from benchmarks.tradeoff_record import CurveBook, CurveRecord
from benchmarks.tradeoff_run import Runner, kept_on_source
from benchmarks.tradeoff_table import frame_of, print_curves
from benchmarks.tradeoffs import main
from instances.ssim import TABLE_I
from optmodel.files import InputError
from optmodel.pareto import SharedPoint, ToleranceStep
from optmodel.solution import PlacementDocument, SolutionStatus
from optmodel.solvers import SolverOptions

SMALL = ("--networks", "lenet", "--fleets", "mixed", "--devices", "4", "--shared-devices", "2")
OPTIONS = SolverOptions(threads=1, time_limit_s=600.0)


def case(kind: str, **changes: object) -> Case:
    values = {"network": "lenet", "fleet": "mixed", "devices": 2, "tolerated_ssim": 0.8}
    if kind == "tolerance":
        values["tolerated_ssim"] = None
    return Case(kind, **{**values, "ssim": TABLE_I, "policy": "reject", **changes})


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def runner(tmp_path: Path, **changes: object) -> Runner:
    tmp_path.mkdir(exist_ok=True)
    book = CurveBook(tmp_path / "tradeoffs.records.json")
    return Runner(**{"book": book, "options": OPTIONS, "points": 3, **changes})


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, str]:
    """A folder that the command has filled, and what it printed."""
    out = tmp_path_factory.mktemp("tradeoffs") / "new" / "folder"
    done = run(
        "benchmarks.tradeoffs",
        *SMALL,
        "--points",
        3,
        "--time-limit",
        600,
        "--tolerances",
        "0.8,0.4",
        "--out",
        out,
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_the_command_writes_tables_and_pictures(written):
    out, _ = written
    expected = {"tolerance.csv", "shared.csv", "price.csv", "tradeoffs.records.json"}
    expected |= {
        f"{kind}.{ending}" for kind in ("tolerance", "shared") for ending in ("png", "svg")
    }
    assert {file.name for file in out.iterdir()} == expected
    assert (out / "shared.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (out / "tolerance.svg").read_text()


def test_every_row_is_proven_and_every_front_falls(written):
    out, _ = written
    steps, points = rows_in(out / "tolerance.csv"), rows_in(out / "shared.csv")
    assert {row["proven"] for row in steps + points} == {"True"}
    kept = [float(row["latency_ms"]) for row in steps if row["on_front"] == "True"]
    assert kept == sorted(kept, reverse=True)
    assert len(kept) == len(set(kept)) >= 2
    for tolerance, number in (("0.8", 3), ("0.4", 1)):
        front = [row for row in points if row["tolerated_ssim"] == tolerance]
        bits = [int(row["shared_bits"]) for row in front]
        latency = [float(row["latency_ms"]) for row in front]
        assert bits == sorted(bits, reverse=True)
        assert latency == sorted(latency)
        assert len(front) == number


def test_the_known_optimum_of_four_mixed_devices_is_where_it_belongs(written):
    """SPEC's known answer: LeNet at 0.8 on 4 mixed devices takes 1.217059 ms."""
    out, printed = written
    at = next(row for row in rows_in(out / "tolerance.csv") if row["from_ssim"] == "0.72")
    assert at["latency_ms"] == "1.217059"
    (row,) = (row for row in rows_in(out / "price.csv") if row["tolerated_ssim"] == "0.8")
    assert row["latency_ms"] == row["free_latency_ms"] == "1.217059"
    assert float(row["price_ms"]) == 0.0
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "lenet, 4 mixed 0.8 1.217 1.217 0.000 0.00 -" in lines


def test_the_price_at_the_stricter_tolerance_is_that_of_two_optima(written):
    out, _ = written
    (row,) = (row for row in rows_in(out / "price.csv") if row["tolerated_ssim"] == "0.4")
    private, free = float(row["latency_ms"]), float(row["free_latency_ms"])
    assert float(row["price_ms"]) == pytest.approx(private - free, abs=2e-6)
    assert float(row["price_percent"]) == pytest.approx(100 * (private / free - 1), abs=1e-3)
    assert float(row["price_percent"]) > 1


def test_what_is_recorded_is_not_computed_again(written, monkeypatch, capsys):
    out, _ = written
    before = {file.name: file.read_text() for file in out.glob("*.csv")}
    for name in ("tolerance_steps", "shared_data_front", "price_of_privacy"):
        monkeypatch.setattr(tradeoff_run, name, None)
    main(
        out=out,
        networks="lenet",
        fleets="mixed",
        devices="4",
        shared_devices="2",
        tolerances="0.8,0.4",
        points=3,
        time_limit=600.0,
    )
    assert {file.name: file.read_text() for file in out.glob("*.csv")} == before
    assert "price of privacy" in capsys.readouterr().out


def test_a_killed_run_goes_on_at_the_next_point_and_ends_the_same(tmp_path, monkeypatch):
    whole = runner(tmp_path / "whole").run(case("shared"))
    asked: list[list[int | None]] = []
    search = tradeoff_run.shared_data_front

    def cut_short(instance, options, points, known):
        asked.append(list(known))
        for number, point in enumerate(search(instance, options, points, known), start=1):
            yield point
            if len(asked) == 1 and number == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(tradeoff_run, "shared_data_front", cut_short)
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path / "cut").run(case("shared"))
    (begun,) = json.loads((tmp_path / "cut" / "tradeoffs.records.json").read_text())["records"]
    assert (len(begun["points"]), begun["finished"]) == (2, False)
    resumed = runner(tmp_path / "cut").run(case("shared"))
    assert asked == [[], [point.limit_bits for point in whole.points[:2]]]
    assert resumed.finished
    assert costs_of(resumed) == costs_of(whole)


def test_ctrl_c_says_how_much_is_kept_and_that_the_same_command_goes_on(tmp_path, monkeypatch):
    search = tradeoff_run.tolerance_steps

    def stopped_at_the_second(instance, options):
        if "lenet-3" in instance.name:
            raise KeyboardInterrupt
        return search(instance, options)

    monkeypatch.setattr(tradeoff_run, "tolerance_steps", stopped_at_the_second)
    asked = {"networks": "lenet", "fleets": "mixed", "devices": "2,3", "curves": "tolerance"}
    with pytest.raises(KeyboardInterrupt, match="1 of 2 curves and prices are kept, the same"):
        main(out=tmp_path, **asked)
    assert not (tmp_path / "tolerance.csv").exists()
    monkeypatch.undo()
    main(out=tmp_path, **asked)
    assert {row["devices"] for row in rows_in(tmp_path / "tolerance.csv")} == {"2", "3"}


def costs_of(record: CurveRecord) -> list[tuple[int | None, float, int]]:
    return [(point.limit_bits, point.latency_s, point.shared_bits) for point in record.points]


def test_other_options_or_force_compute_anew(tmp_path):
    first = runner(tmp_path).run(case("price"))
    assert runner(tmp_path).run(case("price")) == first
    other = runner(tmp_path, options=SolverOptions(time_limit_s=600.0, seed=1)).run(case("price"))
    assert other.options["seed"] == 1
    forced = runner(tmp_path, force=True).run(case("price"))
    assert forced.options["seed"] is None


def test_a_longer_time_limit_seeks_again_only_what_is_not_proven(tmp_path, monkeypatch):
    first = runner(tmp_path)
    whole = first.run(case("shared"))
    second = whole.points[1]
    open_point = second.model_copy(update={"bound_s": second.latency_s / 2})
    points = (whole.points[0], open_point, *whole.points[2:])
    first.book.add(whole.model_copy(update={"points": points}))
    assert runner(tmp_path).run(case("shared")).points == points
    sought: list[list[int | None]] = []
    search = tradeoff_run.shared_data_front

    def noting(instance, options, number, known):
        sought.append(list(known))
        return search(instance, options, number, known)

    monkeypatch.setattr(tradeoff_run, "shared_data_front", noting)
    longer = SolverOptions(threads=1, time_limit_s=700.0)
    again = runner(tmp_path, options=longer).run(case("shared"))
    assert sought == [[point.limit_bits for point in points if point is not open_point]]
    assert costs_of(again) == costs_of(whole)
    assert again.proven
    assert runner(tmp_path, options=longer).run(case("shared")) == again
    assert len(sought) == 1


def test_kinds_of_one_instance_are_recorded_side_by_side(tmp_path):
    kinds = ("tolerance", "price")
    for kind in kinds:
        runner(tmp_path).run(case(kind))
    assert len(json.loads((tmp_path / "tradeoffs.records.json").read_text())["records"]) == 2


# A table of one's own, and layers of which no share is safe.


def measured_table(path: Path, conv2: float) -> Path:
    """Every share of conv1 is unsafe at 0.8, of conv2 those above this similarity."""
    rows = [
        {
            "row": "MNIST Conv1",
            "measurements": [{"maps": 1, "ssim": 0.9}, {"maps": 8, "ssim": 0.99}],
        },
        {
            "row": "MNIST Conv2",
            "measurements": [{"maps": 4, "ssim": conv2}, {"maps": 8, "ssim": 0.95}],
        },
    ]
    path.write_text(json.dumps({"source": "measured", "slack": 0.0, "rows": rows}))
    return path


def test_a_measured_table_keeps_unsafe_layers_on_the_source_and_says_so(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    arguments = ("--networks", "lenet", "--fleets", "power", "--devices", "4", "--curves", "price")
    arguments += ("--tolerances", "0.8", "--ssim", table, "--out", tmp_path / "out")
    done = run("benchmarks.tradeoffs", *arguments)
    assert done.returncode == 0, done.stderr
    (row,) = rows_in(tmp_path / "out" / "price.csv")
    assert (row["table"], row["unattainable"]) == ("mine", "source")
    assert row["kept_on_source"] == "relu1 pool1 conv2"
    private, free = float(row["latency_ms"]), float(row["free_latency_ms"])
    assert float(row["price_percent"]) == pytest.approx(100 * (private / free - 1), abs=1e-3)
    assert private < free  # 8h sends conv2 to helpers, which the maps take longer to reach.
    assert "3 layers" in done.stdout
    assert not (tmp_path / "out" / "shared.png").exists()


def test_rejected_the_same_request_has_no_price(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    record = runner(tmp_path).run(case("price", ssim=table))
    assert record.price is not None
    assert record.price.private.solution_status is SolutionStatus.INFEASIBLE
    assert record.price.share is None
    assert "no admissible share" in record.price.private.reasons[0]
    assert kept_on_source(case("price", ssim=table).instance()) == ()


# What is printed and drawn, from records made up.


def point(latency: float, bits: int, bound: float | None = None) -> SharedPoint:
    return SharedPoint(
        limit_bits=None,
        latency_s=latency,
        bound_s=latency if bound is None else bound,
        shared_bits=bits,
        bound_bits=bits,
        placement=PlacementDocument(requests=()),
    )


def record(**found: object) -> CurveRecord:
    return CurveRecord(instance_sha256="0", options={}, finished=True, **found)


def step(start: float, latency: float | None) -> ToleranceStep:
    status = SolutionStatus.INFEASIBLE if latency is None else SolutionStatus.OPTIMAL
    return ToleranceStep(
        from_ssim=start, below_ssim=None, solution_status=status, latency_s=latency, bound_s=latency
    )


STEPS = record(steps=(step(-1.0, None), step(0.3, 2.0), step(0.5, 2.0), step(0.7, 0.5)))
POINTS = record(points=(point(1.0, 3_000_000), point(2.0, 2_000_000, bound=1.5)))


def test_the_tables_show_both_ends_and_how_many_points_are_proven():
    paper = StringIO()
    curves = {case("tolerance"): STEPS, case("shared"): POINTS, case("price"): record()}
    print_curves(Console(file=paper, width=140), curves)
    lines = [" ".join(line.split()) for line in paper.getvalue().splitlines()]
    assert "lenet, 2 mixed 4 2 4 0.3 2000.000 0.7 500.000" in lines
    assert "lenet, 2 mixed 0.8 2 1 33.33 1000.000 3.000 2000.000 2.000 33.33 100.00" in lines


def test_cases_without_any_placement_are_told_as_such():
    paper = StringIO()
    nothing = record(steps=(step(-1.0, None),))
    print_curves(Console(file=paper), {case("tolerance"): nothing, case("shared"): record()})
    assert paper.getvalue().count("no placement") == 3
    assert frame_of("shared", {case("shared"): record()}).empty


def test_what_was_neither_found_nor_ruled_out_is_told_as_open():
    paper = StringIO()
    step_open = step(-1.0, None).model_copy(update={"solution_status": SolutionStatus.NONE})
    curves = {case("tolerance"): record(steps=(step_open,)), case("shared"): record(open=True)}
    print_curves(Console(file=paper), curves)
    assert "no placement" not in paper.getvalue()
    assert paper.getvalue().count("open") == 3


def test_a_front_of_which_nothing_was_found_is_sought_again_with_more_time(tmp_path):
    short = runner(tmp_path, options=SolverOptions(threads=1, time_limit_s=1e-9))
    first = short.run(case("shared", network="cifar_cnn", devices=4))
    assert (first.points, first.open, first.finished, first.proven) == ((), True, True, False)
    assert short.run(case("shared", network="cifar_cnn", devices=4)) == first
    again = CurveBook(tmp_path / "tradeoffs.records.json").find(
        first.instance_sha256, {**first.options, "time_limit_s": 600.0}
    )
    assert again is not None
    assert (again.open, again.finished) == (False, False)


def test_a_dominated_step_stands_in_the_file_and_not_on_the_front():
    frame = frame_of("tolerance", {case("tolerance"): STEPS})
    assert frame["on_front"].tolist() == [False, True, False, True]
    assert frame["latency_ms"].tolist()[1:] == [2000.0, 2000.0, 500.0]


def test_the_curve_over_tolerances_is_a_staircase_with_a_dot_for_each_gain():
    ax = Figure().add_subplot()
    plot_tolerance(ax, {case("tolerance"): STEPS})
    stairs, dots = ax.get_lines()
    assert list(stairs.get_xdata()) == [0.3, 0.7, 1.0]
    assert list(stairs.get_ydata()) == [2000.0, 500.0, 500.0]
    assert list(dots.get_xdata()) == [0.3, 0.7]
    assert ax.get_ylabel() == "latency (ms)"
    assert ax.get_xlabel().startswith("tolerated SSIM")


def test_of_many_curves_every_dot_can_be_seen():
    ax = Figure().add_subplot()
    plot_tolerance(ax, {case("tolerance", devices=n): STEPS for n in range(1, 13)})
    dots = [line for line in ax.get_lines() if line.get_marker() != "None"]
    assert len(dots) == 12
    assert min(line.get_markersize() for line in dots) >= 3


def test_points_without_proof_are_hollow_and_reach_down_to_their_bound():
    ax = Figure().add_subplot()
    plot_shared(ax, {case("shared"): POINTS})
    hollow = [line for line in ax.get_lines() if line.get_fillstyle() == "none"]
    assert [list(line.get_xdata()) for line in hollow] == [[2.0]]
    assert [2.0, 2.0] in [list(line.get_xdata()) for line in ax.get_lines()]
    assert [1500.0, 2000.0] in [list(line.get_ydata()) for line in ax.get_lines()]
    assert ax.get_xlabel() == "shared data (Mbit)"


def test_labels_are_plain_numbers_over_several_decades():
    figure = Figure()
    ax = figure.add_subplot()
    steps = record(steps=(step(0.2, 30.0), step(0.5, 0.002)))
    plot_tolerance(ax, {case("tolerance"): steps})
    figure.draw_without_rendering()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert {"10", "100", "10000"} <= set(labels)
    assert not any("^" in label or "e" in label for label in labels)


def test_each_network_has_a_panel_and_one_without_a_placement_says_so(tmp_path):
    curves = {
        case("shared"): POINTS,
        case("shared", devices=4): POINTS,
        case("shared", network="vgg16"): record(),
    }
    drawn: list[int] = []

    def counting(ax, panel):
        drawn.append(len(panel))
        plot_shared(ax, panel)
        if len(drawn) == 2:
            assert [text.get_text() for text in ax.texts] == ["no points"]

    save_plot(tmp_path / "shared.png", curves, counting)
    assert drawn == [2, 1]
    assert (tmp_path / "shared.svg").read_text().rstrip().endswith("</svg>")


# Bad input.


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"networks": "resnet"}, "--networks: expected one of lenet,"),
        ({"fleets": "drones"}, "--fleets: expected one of"),
        ({"fleets": "70-40"}, "--fleets: expected two percentages"),
        ({"fleets": "rpi3=3"}, "--devices: expected 3 as --fleets rpi3=3 says, got 10"),
        ({"fleets": "70-30", "curves": "shared"}, "--shared-devices: expected a number that"),
        ({"points": 1}, "--points: expected a number from 2 to 10000, got 1; correct it"),
        ({"time_limit": 0.0}, "--time-limit: expected a number from 0.001 to 1e+09, got 0.0"),
        ({"devices": "0"}, "--devices: expected whole numbers from 1 to 1000"),
        ({"devices": "4,many"}, "got 'many'"),
        ({"shared_devices": ""}, "--shared-devices: expected whole numbers"),
        ({"tolerances": "0.8;0.4"}, "--tolerances: expected numbers from -1 to 1"),
        ({"tolerances": "0.4,2"}, "--tolerances: expected a number from -1 to 1, got 2.0"),
        ({"tolerances": "nan"}, "--tolerances: expected a number from -1 to 1, got nan"),
        ({"curves": "tolerance,prices"}, "--curves: expected one of tolerance, shared, price"),
        ({"unattainable": "hope"}, "--unattainable: expected reject or source, got 'hope'"),
        ({"ssim": Path("nowhere.json")}, "nowhere.json"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(tmp_path, options, why):
    with pytest.raises(InputError, match=re.escape(why)):
        main(out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_table_without_the_rows_of_a_network_is_refused(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    with pytest.raises(InputError, match="expected the rows of all layers"):
        main(out=tmp_path / "out", networks="vgg16", ssim=table)


@pytest.mark.parametrize("arguments", [("--networks", "resnet"), ("--points", "1")])
def test_bad_input_exits_2(tmp_path, arguments):
    done = run("benchmarks.tradeoffs", "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {arguments[0]}: expected")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="--out: expected a folder"):
        main(out=tmp_path / "out", networks="lenet")
    assert (tmp_path / "out").read_text() == "mine"


def test_broken_records_are_refused_with_a_way_out(tmp_path):
    (tmp_path / "tradeoffs.records.json").write_text("{")
    with pytest.raises(InputError, match="these are records of earlier runs: delete them"):
        main(out=tmp_path, networks="lenet")
    assert (tmp_path / "tradeoffs.records.json").read_text() == "{"


def test_the_cases_come_kind_by_kind_and_network_by_network():
    choice = Choice(
        kinds=("tolerance", "shared"),
        networks=("lenet", "vgg16"),
        fleets=("mixed",),
        devices=(4, 6),
        shared_devices=(3,),
        tolerances=(0.8, 0.4),
        ssim=TABLE_I,
        policy="reject",
    )
    found = [(c.kind, c.network, c.devices, c.tolerated_ssim) for c in choice.cases()]
    assert found[:4] == [
        ("tolerance", "lenet", 4, None),
        ("tolerance", "lenet", 6, None),
        ("tolerance", "vgg16", 4, None),
        ("tolerance", "vgg16", 6, None),
    ]
    assert found[4:6] == [("shared", "lenet", 3, 0.8), ("shared", "lenet", 3, 0.4)]
