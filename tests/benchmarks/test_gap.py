"""The gap benchmark validates the heuristic against the optimum, resumes, and reports honestly."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from commands import rows_of, run

from benchmarks.cli import instance_files
from benchmarks.gap import Comparison, compare
from benchmarks.gap_table import summary
from benchmarks.records import Record, RecordBook
from heuristics.policies import POLICIES
from optmodel.files import InputError
from optmodel.instance import read_instance
from optmodel.placement import Placement
from optmodel.solution import SolutionStatus
from optmodel.solvers import SolverOptions

SMALL = Path(__file__).parents[2] / "instances" / "small"
SUBSET = (
    "lenet-0.4-3-mixed",
    "lenet-0.6-5-mixed",
    "lenet-0.8-4-mixed",
    "lenet-0.6-x2-bandwidth-tight",
    "synthetic2-0.6-seed1",
    "infeasible-camera",
)


@pytest.fixture
def subset(tmp_path):
    folder = tmp_path / "subset"
    folder.mkdir()
    for name in SUBSET:
        shutil.copy(SMALL / f"{name}.json", folder)
        shutil.copy(SMALL / f"{name}.solution.json", folder)
    return folder


def test_a_subset_is_solved_compared_recorded_and_drawn(subset, tmp_path):
    out, plot = tmp_path / "gap.csv", tmp_path / "gap.png"
    done = run("benchmarks.gap", "--instances", subset, "--out", out, "--plot", plot)
    assert done.returncode == 0, done.stderr
    assert "6 instances: 5 optimal, 1 proven infeasible, 0 open" in done.stdout
    assert "mean" in done.stdout
    assert "median" in done.stdout
    assert "worst" in done.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = rows_of(out)
    assert set(rows) == {(name, method) for name in SUBSET for method in ("auto", "algorithm1")}
    exact, greedy = rows["lenet-0.8-4-mixed", "auto"], rows["lenet-0.8-4-mixed", "algorithm1"]
    assert float(exact["objective_s"]) * 1e3 == pytest.approx(1.217059, abs=1e-6)
    assert float(greedy["gap"]) == pytest.approx(1.629390 / 1.217059 - 1, rel=1e-5)
    rejecting = rows["lenet-0.6-x2-bandwidth-tight", "algorithm1"]
    assert (rejecting["served"], rejecting["rejected"], rejecting["gap"]) == ("1", "1", "")
    records = json.loads(out.with_suffix(".records.json").read_text())["records"]
    assert {"versions", "options", "commit", "host", "recorded_at"} <= set(records[0])


def test_what_is_recorded_is_skipped_unless_forced(subset, tmp_path):
    out = tmp_path / "gap.csv"
    arguments = ("--instances", subset / "lenet-0.4-3-mixed.json", "--out", out)
    assert run("benchmarks.gap", *arguments).returncode == 0
    first = out.read_text()
    assert run("benchmarks.gap", *arguments).returncode == 0
    assert out.read_text() == first
    assert run("benchmarks.gap", *arguments, "--force").returncode == 0
    assert out.read_text() != first  # run times differ in their last digits


def test_other_options_are_another_run(tmp_path):
    book = RecordBook(tmp_path / "gap.csv", Record)
    instance = read_instance(SMALL / "lenet-0.4-3-mixed.json")
    options = SolverOptions()
    compare(instance, "segment", options, book, force=False)
    sha256 = book.records[0].instance_sha256
    same = {"solver": "highs", "time_limit_s": None, "mip_gap": 1e-6, "threads": None}
    same |= {"seed": None, "presolve": True, "admission": "all"}
    reread = RecordBook(tmp_path / "gap.csv", Record)
    assert reread.find(instance.name, sha256, "segment", same)
    assert not reread.find(instance.name, sha256, "segment", {**same, "seed": 1})
    assert not reread.find(instance.name, "another content", "segment", same)


def test_one_bad_instance_is_reported_and_the_rest_is_done(subset, tmp_path):
    (subset / "broken.json").write_text('{"schema_version": 1}')
    out = tmp_path / "gap.csv"
    done = run("benchmarks.gap", "--instances", subset, "--out", out)
    assert done.returncode == 2
    assert "broken.json: name: expected a value, got nothing" in done.stderr
    assert len(rows_of(out)) == 2 * len(SUBSET)


def test_a_folder_without_instances_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder with instance files"):
        instance_files("--instances", tmp_path)


def test_a_policy_whose_placement_fails_the_checker_exits_1(subset, monkeypatch, capsys):
    def careless(problem):
        """Serve the first request, and keep silent about the others."""
        outcome = POLICIES["algorithm1"](problem)
        kept = dict(list(outcome.placement.requests.items())[:1])
        return replace(outcome, placement=Placement(kept), rejected=())

    from benchmarks import gap

    monkeypatch.setitem(gap.POLICIES, "careless", careless)
    with pytest.raises(SystemExit) as stopped:
        gap.main(instances=SMALL / "lenet-0.4-x4.json", time_limit=60.0)
    assert stopped.value.code == 1
    assert "careless returned a placement that is not one" in capsys.readouterr().err


def record(**changes) -> Record:
    values = {
        "instance": "i",
        "method": "segment",
        "solution_status": SolutionStatus.OPTIMAL,
        "objective_s": 2.0,
        "bound_s": 2.0,
        "gap": 0.0,
        "served": 1,
        "rejected": 0,
        "wall_time_s": 0.1,
        "termination": "converged",
        "solver": None,
        "solver_version": None,
        "options": {},
        "instance_sha256": "0",
    }
    return Record.model_validate({**values, **changes}, strict=False)


def policy_record(**changes) -> Record:
    return record(method="greedy", solution_status=SolutionStatus.FEASIBLE, **changes)


def test_a_policy_below_a_proven_optimum_is_a_contradiction():
    comparison = Comparison(record(), (policy_record(objective_s=1.9),))
    assert list(comparison.contradictions()) == [
        "i: greedy takes 1.9 s, below the proven bound 2.0 s"
    ]


def test_a_policy_that_serves_an_infeasible_instance_is_a_contradiction():
    exact = record(solution_status=SolutionStatus.INFEASIBLE, objective_s=None, bound_s=None)
    (text,) = Comparison(exact, (policy_record(),)).contradictions()
    assert text == "i: greedy serves all requests of an instance proven infeasible"


def test_a_partial_service_below_the_optimum_is_no_contradiction():
    partial = record(method="greedy", solution_status=SolutionStatus.PARTIAL, objective_s=1.0)
    assert not list(Comparison(record(), (partial,)).contradictions())


def test_the_summary_counts_only_comparable_gaps():
    exact = [record(), record(instance="j")]
    policies = [(policy_record(gap=0.5),), (policy_record(instance="j", gap=None, rejected=1),)]
    first, second = summary(exact, policies)
    assert first.startswith("2 instances: 2 optimal, 0 proven infeasible, 0 open")
    assert second == (
        "greedy: 2 of 3 requests served; gap over 1 instances: mean 50.00 %, median 50.00 %, "
        "worst 50.00 %"
    )


def test_two_instances_of_one_name_are_reported(subset):
    shutil.copy(subset / "lenet-0.4-3-mixed.json", subset / "copy.json")
    done = run("benchmarks.gap", "--instances", subset)
    assert done.returncode == 2
    assert "name: expected one that no other instance has, got 'lenet-0.4-3-mixed'" in done.stderr


def test_a_csv_file_without_records_is_not_overwritten(subset, tmp_path):
    out = tmp_path / "mine.csv"
    out.write_text("my,own,table\n")
    done = run("benchmarks.gap", "--instances", subset, "--out", out)
    assert done.returncode == 2
    assert "got one without mine.records.json beside it" in done.stderr
    assert out.read_text() == "my,own,table\n"


def test_broken_records_are_refused_with_a_way_out(subset, tmp_path):
    (tmp_path / "gap.records.json").write_text("{")
    done = run("benchmarks.gap", "--instances", subset, "--out", tmp_path / "gap.csv")
    assert done.returncode == 2
    assert "these are records of earlier runs: delete them" in done.stderr


def test_records_inside_the_folder_are_no_instances(subset):
    arguments = ("--instances", subset, "--out", subset / "gap.csv")
    assert run("benchmarks.gap", *arguments).returncode == 0
    assert run("benchmarks.gap", *arguments).returncode == 0


def test_a_folder_of_infeasible_instances_has_nothing_to_draw(tmp_path):
    shutil.copy(SMALL / "infeasible-camera.json", tmp_path)
    plot = tmp_path / "gap.png"
    done = run("benchmarks.gap", "--instances", tmp_path, "--plot", plot)
    assert done.returncode == 0
    assert "there is no gap to show" in done.stderr
    assert not plot.exists()


def test_a_folder_without_any_usable_instance_gives_the_error_alone(tmp_path):
    (tmp_path / "broken.json").write_text('{"schema_version": 1}')
    done = run("benchmarks.gap", "--instances", tmp_path)
    assert done.returncode == 2
    assert "broken.json: name: expected a value" in done.stderr
    assert done.stdout == ""
