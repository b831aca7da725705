"""The keeper of best known solutions: resumes, keeps what is better, checks what stands."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import output_of, refusal_of, run

from benchmarks.best_known import __main__ as best_known
from benchmarks.best_known.__main__ import SolutionUpdate, update
from benchmarks.best_known.better_of import better_of
from benchmarks.common.origins import SOLVING
from heuristics.policies import place
from instances.listed_sets import SMALL
from optmodel.checker import check_solution
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError, ResultError
from optmodel.placement.solution import (
    Solution,
    SolutionStatus,
    Termination,
    read_solution,
    relative_gap,
)
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

FEASIBLE, INFEASIBLE = SolutionStatus.FEASIBLE, SolutionStatus.INFEASIBLE
NONE, OPTIMAL = SolutionStatus.NONE, SolutionStatus.OPTIMAL
MINUTE = SolverOptions(time_limit_s=60.0)
NOW = {best_known.CODE: SOLVING.sha256}
SPENT = {"solver": "highs", "time_limit_s": 60.0, "mip_gap": 1e-6, "improve_s": 60.0, **NOW}

BATCH = "lenet-0.6-x2-bandwidth-tight"
NAMES = ("lenet-0.8-4-mixed", "infeasible-camera", BATCH)
"""One has an optimum, one is infeasible, one is a batch."""


def copied(folder: Path) -> Path:
    """Copy these instances without their solutions."""
    for name in NAMES:
        shutil.copy(SMALL.folder / f"{name}.json", folder)
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder before the command."""
    return copied(tmp_path)


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder after the command, and what it printed."""
    folder = copied(tmp_path_factory.mktemp("solved"))
    return folder, run("benchmarks.best_known", "--instances", folder)


@pytest.fixture
def file(folder) -> Path:
    return folder / f"{NAMES[0]}.json"


def beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.solution.json")


def greedy(file: Path, **changes: object) -> Solution:
    """Return the heuristic's placement, dressed as a run that hit its time limit."""
    values = {"method": "count", "termination": Termination.TIME_LIMIT, "options": SPENT}
    return place(read_instance(file), "algorithm1", with_bound=False).model_copy(
        update=values | changes
    )


def batch_with_gap() -> Solution:
    """Return the optimum of the batch, its bound too low by a fifth."""
    optimum = read_solution(SMALL.folder / f"{BATCH}.solution.json")
    changes = {"solution_status": FEASIBLE, "bound_s": 0.8 * optimum.objective_s, "trace": ()}
    changes["options"] = optimum.options | NOW
    changes["gap"] = relative_gap(optimum.objective_s, changes["bound_s"])
    return optimum.model_copy(update=changes)


def by_this_code(solution: Solution) -> Solution:
    return solution.model_copy(update={"options": solution.options | NOW})


def refuse_to_solve(*_: object) -> Solution:
    raise AssertionError("solved again")


def returning(monkeypatch: pytest.MonkeyPatch, solution: Solution) -> None:
    monkeypatch.setattr(best_known, "solve", lambda *_: solution)


def test_a_folder_is_solved_and_the_table_says_what_is_proven(solved):
    folder, done = solved
    assert done.returncode == 0, done.stderr
    assert "3 instances: 2 proven, 1 proven infeasible, 0 open; worst gap 0.0000 %" in done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "1.217059" in rows["lenet-0.8-4-mixed"]
    assert all(" solved " in rows[name] for name in (BATCH, "infeasible-camera"))
    for name in NAMES:
        files = (folder / f"{name}.json", folder / f"{name}.solution.json")
        assert run("optmodel.check", *files).returncode == 0


def test_the_files_are_compact(solved):
    folder, _ = solved
    text = beside(folder / f"{BATCH}.json").read_text()
    assert any(
        line.strip().startswith('{"layer": "conv1", "segments": {') for line in text.splitlines()
    )
    assert json.loads(text)["instance"] == BATCH


def test_a_second_run_writes_nothing(solved):
    folder, _ = solved
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = run("benchmarks.best_known", "--instances", folder)
    assert done.stdout.endswith("3 kept as this code has found them, 0 solved\n")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_open_instance_is_marked_with_its_gap(folder):
    best_known.write_laid_out(beside(folder / f"{BATCH}.json"), batch_with_gap())
    shown = output_of(
        "benchmarks.best_known", "--instances", folder / f"{BATCH}.json", "--mip-gap", "0.3"
    )
    assert "gap 25.0000 %" in shown
    assert "1 instances: 0 proven, 0 proven infeasible, 1 open; worst gap 25.0000 %" in shown


def test_a_bad_instance_is_reported_and_the_rest_is_done(folder):
    (folder / "broken.json").write_text("{}")
    done = run("benchmarks.best_known", "--instances", folder)
    assert done.returncode == 2
    assert "broken.json" in done.stderr
    assert "3 instances: 2 proven" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--method", "guess"), "--method: expected one of"), (("--solver", "guess"), "guess")],
)
def test_bad_options_are_refused(folder, options, message):
    assert message in refusal_of("benchmarks.best_known", "--instances", folder, *options)
    assert not list(folder.glob("*.solution.json"))


def test_a_wrong_result_exits_1_and_the_rest_is_done(folder, monkeypatch, capsys):
    def wrong_once(instance, method, options):
        if instance.name == BATCH:
            raise ResultError("claims the impossible")
        return solve(instance, method, options)

    monkeypatch.setattr(best_known, "solve", wrong_once)
    with pytest.raises(SystemExit) as stopped:
        best_known.main(instances=folder)
    assert stopped.value.code == 1
    printed = capsys.readouterr()
    assert "claims the impossible" in printed.err
    assert "2 instances: 1 proven, 1 proven infeasible" in printed.out


def test_ctrl_c_keeps_what_was_finished_and_says_so(folder, monkeypatch, capsys):
    def interrupted_at_the_batch(instance, method, options):
        if instance.name == BATCH:
            raise KeyboardInterrupt
        return solve(instance, method, options)

    monkeypatch.setattr(best_known, "solve", interrupted_at_the_batch)
    with pytest.raises(KeyboardInterrupt):
        best_known.main(instances=folder)
    assert "1 instances: 0 proven, 1 proven infeasible, 0 open" in capsys.readouterr().out
    assert [path.name for path in folder.glob("*.solution.json")] == [
        "infeasible-camera.solution.json"
    ]


def test_the_first_solution_is_written(file):
    known = update(file, "count", MINUTE)
    assert known.outcome is SolutionUpdate.SOLVED
    assert read_solution(beside(file)) == known.solution
    assert known.solution.solution_status is OPTIMAL


def test_what_is_proven_is_not_solved_again(file, monkeypatch):
    update(file, "count", MINUTE)
    monkeypatch.setattr(best_known, "solve", refuse_to_solve)
    more = SolverOptions(time_limit_s=1e6, mip_gap=1e-6)
    assert update(file, "segment", more).outcome is SolutionUpdate.KEPT


@pytest.mark.parametrize("options", [MINUTE, SolverOptions(time_limit_s=1.0)])
def test_an_effort_that_was_spent_is_not_spent_again(file, monkeypatch, options):
    best_known.write_laid_out(beside(file), greedy(file))
    monkeypatch.setattr(best_known, "solve", refuse_to_solve)
    assert update(file, "count", options).outcome is SolutionUpdate.KEPT


@pytest.mark.parametrize(
    ("method", "options", "changes"),
    [
        ("count", SolverOptions(time_limit_s=61.0), {}),
        ("count", SolverOptions(time_limit_s=None), {}),
        ("segment", MINUTE, {}),
        ("count", SolverOptions(solver="scip", time_limit_s=60.0), {}),
        ("count", MINUTE, {"termination": Termination.INTERRUPTED}),
        ("count", MINUTE, {"termination": Termination.ERROR}),
        ("count", MINUTE, {"options": {}}),
        ("count", MINUTE, {"options": {**SPENT, "improve_s": 30.0}}),
        ("count", MINUTE, {"options": {**SPENT, "improve_s": None}}),
        ("count", MINUTE, {"options": {**SPENT, "mip_gap": 0.01}}),
    ],
)
def test_more_or_other_effort_is_spent(file, monkeypatch, method, options, changes):
    best_known.write_laid_out(beside(file), greedy(file, **changes))
    optimum = solve(read_instance(file), "count")
    returning(monkeypatch, optimum)
    known = update(file, method, options)
    assert known.outcome is SolutionUpdate.IMPROVED
    assert read_solution(beside(file)) == known.solution == by_this_code(optimum)


@pytest.mark.parametrize("told", [{}, {best_known.CODE: "0" * 64}], ids=["none", "other code"])
def test_what_other_code_has_found_is_tried_again_and_kept_if_it_stands(file, monkeypatch, told):
    optimum = solve(read_instance(file), "count")
    older = optimum.model_copy(update={"options": optimum.options | told})
    best_known.write_laid_out(beside(file), older)
    returning(monkeypatch, optimum)
    known = update(file, "count", MINUTE)
    assert known.outcome is SolutionUpdate.NOT_IMPROVED
    assert read_solution(beside(file)) == by_this_code(optimum)
    monkeypatch.setattr(best_known, "solve", refuse_to_solve)
    assert update(file, "count", MINUTE).outcome is SolutionUpdate.KEPT


def test_a_false_proof_of_other_code_is_found_out(file, monkeypatch):
    worse = greedy(file, options={"mip_gap": 1e-6}, solution_status=OPTIMAL, gap=0.0)
    worse = worse.model_copy(update={"bound_s": worse.objective_s})
    best_known.write_laid_out(beside(file), worse)
    with pytest.raises(ResultError, match=r"count takes .* s, count claims the bound"):
        update(file, "count", MINUTE)


def test_a_solution_file_has_one_writer(file, monkeypatch):
    monkeypatch.setattr(best_known, "solve", refuse_to_solve)
    with FileLock(beside(file)), pytest.raises(InputError, match="no other process writes"):
        update(file, "count", MINUTE)


def test_optimal_is_told_with_the_gap_up_to_which_it_is(file):
    optimum = solve(read_instance(file), "count")
    bound = optimum.objective_s / 1.02
    open_ = {"solution_status": FEASIBLE, "bound_s": bound, "trace": ()}
    open_["gap"] = relative_gap(optimum.objective_s, bound)
    known = optimum.model_copy(update=open_)
    merged = better_of(known, known.model_copy(update={"bound_s": bound * 1.001}), 0.05)
    assert merged.solution_status is OPTIMAL
    assert check_solution(read_instance(file), merged).violations == ()


def test_a_solution_of_other_content_is_replaced(file):
    best_known.write_laid_out(beside(file), greedy(file, instance_sha256="0"))
    assert update(file, "count", MINUTE).outcome is SolutionUpdate.SOLVED


def test_a_standing_solution_that_fails_the_checker_is_refused_and_left(file):
    best_known.write_laid_out(beside(file), greedy(file, objective_s=1e-9))
    before = beside(file).read_bytes()
    with pytest.raises(InputError, match=r"passes the checker.*delete it"):
        update(file, "count", MINUTE)
    assert beside(file).read_bytes() == before


def test_a_worse_solution_never_replaces_a_better_one(file, monkeypatch):
    optimum = solve(read_instance(file), "count")
    unproven = optimum.model_copy(
        update={
            "solution_status": FEASIBLE,
            "bound_s": 1e-3,
            "gap": relative_gap(optimum.objective_s, 1e-3),
            "termination": Termination.TIME_LIMIT,
            "trace": (),
        }
    )
    best_known.write_laid_out(beside(file), unproven)
    returning(monkeypatch, greedy(file))
    monkeypatch.setattr(best_known, "improve_solution", lambda *_, **__: greedy(file))
    known = update(file, "segment", MINUTE)
    assert known.outcome is SolutionUpdate.NOT_IMPROVED
    assert read_solution(beside(file)) == by_this_code(unproven)


def test_a_gap_that_the_method_leaves_is_improved(file, monkeypatch):
    """The method finds Algorithm 1's placement and no bound, in half a minute."""
    found = greedy(file, wall_time_s=30.0, options={"solver": "highs", "time_limit_s": 60.0})
    returning(monkeypatch, found)
    best = update(file, "count", MINUTE).solution
    assert found.objective_s == pytest.approx(1.629390e-3, rel=1e-6)
    assert best.objective_s == pytest.approx(1.217059e-3, rel=1e-6)
    assert (best.solution_status, best.termination) == (OPTIMAL, Termination.CONVERGED)
    more = {"improve_s": 60.0, "mip_gap": MINUTE.mip_gap, **NOW}
    assert (best.method, best.options) == ("count", {**found.options, **more})
    assert best.notes == ("improvement: 25.3058 % less than 1.629390 ms",)
    assert 30.0 < best.wall_time_s < 60.0


def test_improvement_starts_from_the_best_that_is_known(file, monkeypatch):
    """The run finds nothing; what stands is improved, and tells of this run's effort."""
    best_known.write_laid_out(beside(file), greedy(file, options={}, method="segment"))
    nothing = greedy(file, placement=None, objective_s=None, latency=(), solution_status=NONE)
    returning(monkeypatch, nothing)
    known = update(file, "count", MINUTE)
    assert known.outcome is SolutionUpdate.IMPROVED
    assert (known.solution.method, known.solution.options) == ("count", SPENT)
    assert known.solution.objective_s == pytest.approx(1.217059e-3, rel=1e-6)


def test_an_interrupted_improvement_keeps_its_better_placement_and_stops(file, monkeypatch):
    def interrupted(instance, solution, limit_s, **_) -> Solution:
        assert limit_s == 60.0
        found = solve(instance, "count").model_copy(
            update={"termination": Termination.INTERRUPTED, "method": solution.method}
        )
        return found.model_copy(
            update={"bound_s": 1e-3, "gap": relative_gap(found.objective_s, 1e-3)}
        )

    returning(monkeypatch, greedy(file))
    monkeypatch.setattr(best_known, "improve_solution", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update(file, "count", MINUTE)
    assert read_solution(beside(file)).objective_s < greedy(file).objective_s


def test_after_ctrl_c_nothing_is_improved(file, monkeypatch):
    returning(monkeypatch, greedy(file, termination=Termination.INTERRUPTED))
    monkeypatch.setattr(best_known, "improve_solution", refuse_to_solve)
    with pytest.raises(KeyboardInterrupt):
        update(file, "count", MINUTE)


def test_an_interrupted_run_keeps_its_better_placement_and_stops(file, monkeypatch):
    best_known.write_laid_out(beside(file), greedy(file))
    found = solve(read_instance(file), "count").model_copy(
        update={"termination": Termination.INTERRUPTED}
    )
    returning(monkeypatch, found)
    with pytest.raises(KeyboardInterrupt):
        update(file, "segment", MINUTE)
    assert read_solution(beside(file)) == found
