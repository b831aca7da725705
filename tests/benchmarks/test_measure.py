"""A run is measured in a process of its own, and recorded however it ends."""

import signal

import pytest
from places import SMALL
from runs import AS_WORKER, killed, took, use_worker

from benchmarks.runtime import measure as measuring
from benchmarks.runtime.measure import measure
from benchmarks.runtime.runtime_record import ProcessEnd
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions

LENET = read_instance(SMALL / "lenet-0.4-3-mixed.json")
OPTIONS = SolverOptions(time_limit_s=60.0)


def test_phases_add_up_to_no_more_than_the_whole():
    one = measure(LENET, "count", OPTIONS, 1)
    assert one.proven
    assert one.seconds == pytest.approx(one.read_s + one.build_s + one.solve_s + one.check_s)
    assert one.build_s + one.solve_s + one.check_s <= one.wall_time_s
    assert one.options["repeat"] == 1


def test_memory_is_that_of_the_run_and_not_of_its_parent():
    ballast = bytearray(500_000_000)
    one = measure(LENET, "count", OPTIONS, 1)
    assert len(ballast) > 400e6 > one.peak_memory_bytes > 20e6


def test_memory_counts_what_the_run_takes(monkeypatch):
    use_worker(monkeypatch, AS_WORKER.format(body="ballast = bytes(range(256)) * 2_000_000"))
    assert measure(LENET, "count", OPTIONS, 1).peak_memory_bytes > 512e6


def test_a_run_beyond_its_memory_is_a_record(monkeypatch):
    body = "def placement(self): return bytearray(9 * 10**9)"
    use_worker(monkeypatch, AS_WORKER.format(body=body))
    one = measure(LENET, "count", OPTIONS, 1)
    assert (one.outcome, one.termination) == (ProcessEnd.OUT_OF_MEMORY, Termination.ERROR)
    assert one.error == "needs more than 8 GB"


def test_a_crashed_run_is_a_record(monkeypatch):
    use_worker(monkeypatch, "import os; os.abort()")
    one = measure(LENET, "count", OPTIONS, 1)
    assert one.outcome is ProcessEnd.CRASHED
    assert one.solution_status is SolutionStatus.NONE
    assert (one.served, one.rejected, one.objective_s, one.bound_s) == (0, 1, None, None)
    assert one.error == f"exit code {-signal.SIGABRT}"


def test_an_exception_in_a_run_is_a_crash_with_its_message(monkeypatch):
    use_worker(monkeypatch, AS_WORKER.format(body="def placement(self): raise KeyError('lost')"))
    one = measure(LENET, "count", OPTIONS, 1)
    assert (one.outcome, one.error) == (ProcessEnd.CRASHED, "KeyError: 'lost'")


def test_a_run_that_ignores_its_time_limit_is_killed_and_recorded(monkeypatch):
    use_worker(monkeypatch, "import signal; signal.pause()")
    monkeypatch.setattr(measuring, "PATIENCE_S", 0.2)
    one = measure(LENET, "count", SolverOptions(time_limit_s=0.1), 1)
    assert (one.outcome, one.termination) == (ProcessEnd.KILLED, Termination.TIME_LIMIT)
    assert 0.3 <= one.wall_time_s < 30
    assert not one.proven


def test_an_option_that_the_solver_lacks_is_bad_input_and_no_record():
    options = SolverOptions(solver="appsi_highs", time_limit_s=60.0, seed=5)
    with pytest.raises(InputError, match="seed: expected an option of solver 'appsi_highs'"):
        measure(LENET, "count", options, 1)


def test_the_run_of_median_time_is_kept(monkeypatch):
    runs = iter([took(5.0), took(1.0), took(3.0), took(2.0)])
    monkeypatch.setattr(measuring, "_measure_once", lambda *_: next(runs))
    kept = measure(LENET, "count", OPTIONS, 3)
    assert (kept.seconds, kept.options["repeat"]) == (3.0, 3)


def test_a_failed_repetition_counts_as_slower_than_any_other(monkeypatch):
    runs = iter([killed(), took(200.0), took(100.0)])
    monkeypatch.setattr(measuring, "_measure_once", lambda *_: next(runs))
    assert measure(LENET, "count", OPTIONS, 3).seconds == 200.0
