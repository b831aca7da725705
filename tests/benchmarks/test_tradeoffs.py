"""The trade-off benchmark: what it writes, and how it goes on."""

import json
from pathlib import Path

import pytest
from commands import output_of
from tradeoff_making import case, measured_table, rows_in, runner

from benchmarks.tradeoffs import tradeoff_run
from benchmarks.tradeoffs.__main__ import main
from benchmarks.tradeoffs.tradeoff_record import CurveRecord
from benchmarks.tradeoffs.tradeoff_run import kept_on_source
from optmodel.ground.provenance import Origin
from optmodel.placement.solution import SolutionStatus
from optmodel.search.options import SolverOptions

SMALL = ("--networks", "lenet", "--fleets", "mixed", "--devices", "4", "--shared-devices", "2")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, str]:
    """A folder that the command has filled, and what it printed."""
    out = tmp_path_factory.mktemp("tradeoffs") / "new" / "folder"
    options = ("--points", 3, "--time-limit", 600, "--tolerances", "0.8,0.4")
    return out, output_of("benchmarks.tradeoffs", *SMALL, *options, "--out", out)


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
    fleets = {"fleets": "mixed", "devices": "4", "shared_devices": "2"}
    options = {"tolerances": "0.8,0.4", "points": 3, "time_limit": 600.0}
    main(out=out, networks="lenet", **fleets, **options)
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


def test_what_other_code_has_found_does_not_count(tmp_path, monkeypatch):
    one = case("price")
    record = runner(tmp_path).run(one)
    (kept,) = runner(tmp_path).store.records
    assert kept.under(record.options) == record
    monkeypatch.setattr(Origin, "source_sha256", "changed")
    assert kept.under(record.options) is None


def test_a_longer_time_limit_seeks_again_only_what_is_not_proven(tmp_path, monkeypatch):
    first = runner(tmp_path)
    whole = first.run(case("shared"))
    second = whole.points[1]
    open_point = second.model_copy(update={"bound_s": second.latency_s / 2})
    points = (whole.points[0], open_point, *whole.points[2:])
    first.store.add(whole.model_copy(update={"points": points}))
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


def test_a_front_of_which_nothing_was_found_is_sought_again_with_more_time(tmp_path):
    short = runner(tmp_path, options=SolverOptions(threads=1, time_limit_s=1e-9))
    first = short.run(case("shared", network="cifar_cnn", devices=4))
    assert (first.points, first.open, first.finished, first.proven) == ((), True, True, False)
    assert short.run(case("shared", network="cifar_cnn", devices=4)) == first
    again = first.under({**first.options, "time_limit_s": 600.0})
    assert again is not None
    assert (again.open, again.finished) == (False, False)


def test_a_measured_table_keeps_unsafe_layers_on_the_source_and_says_so(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    arguments = ("--networks", "lenet", "--fleets", "power", "--devices", "4", "--curves", "price")
    arguments += ("--tolerances", "0.8", "--ssim", table, "--unattainable", "source")
    arguments += ("--out", tmp_path / "out")
    shown = output_of("benchmarks.tradeoffs", *arguments)
    (row,) = rows_in(tmp_path / "out" / "price.csv")
    assert (row["table"], row["unattainable"]) == ("mine", "source")
    assert row["kept_on_source"] == "relu1 pool1 conv2"
    private, free = float(row["latency_ms"]), float(row["free_latency_ms"])
    assert float(row["price_percent"]) == pytest.approx(100 * (private / free - 1), abs=1e-3)
    assert private < free  # 8h sends conv2 to helpers, which the maps take longer to reach.
    assert "3 layers" in shown
    assert not (tmp_path / "out" / "shared.png").exists()


def test_rejected_the_same_request_has_no_price(tmp_path):
    table = measured_table(tmp_path / "mine.json", 0.7)
    record = runner(tmp_path).run(case("price", ssim=table))
    assert record.price is not None
    assert record.price.private.solution_status is SolutionStatus.INFEASIBLE
    assert record.price.share is None
    assert "no admissible share" in record.price.private.reasons[0]
    assert kept_on_source(case("price", ssim=table).instance()) == ()
