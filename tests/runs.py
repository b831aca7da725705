"""Records and solutions of runs that were never run, and workers that misbehave."""

from benchmarks.common.origins import SOLVING
from benchmarks.runtime import measure
from benchmarks.runtime.runtime_record import ProcessEnd, RunRecord
from optmodel.placement.solution import Solution, SolutionStatus, Termination


def record(**changes) -> RunRecord:
    values = {
        "instance": "i",
        "method": "count",
        "solution_status": SolutionStatus.OPTIMAL,
        "objective_s": 1.0,
        "bound_s": 1.0,
        "gap": 0.0,
        "served": 1,
        "rejected": 0,
        "wall_time_s": 1.0,
        "termination": "converged",
        "solver": "highs",
        "solver_version": "1",
        "options": {"time_limit_s": 60.0, "solver": "highs"},
        "instance_sha256": "0",
        **SOLVING.stamp(),
        "outcome": ProcessEnd.FINISHED,
        "read_s": 0.0,
        "build_s": 0.0,
        "solve_s": 1.0,
        "check_s": 0.0,
        "peak_memory_bytes": 10**8,
        "error": None,
    }
    return RunRecord.model_validate({**values, **changes}, strict=False)


def took(seconds: float, **changes) -> RunRecord:
    return record(solve_s=seconds, wall_time_s=seconds, **changes)


def unproven(seconds: float) -> RunRecord:
    return took(seconds, solution_status=SolutionStatus.FEASIBLE, gap=0.1)


def killed() -> RunRecord:
    nothing = dict.fromkeys(("read_s", "build_s", "solve_s", "check_s", "peak_memory_bytes"))
    status = {"solution_status": SolutionStatus.NONE, "gap": None, "objective_s": None}
    return record(outcome=ProcessEnd.KILLED, wall_time_s=90.0, **nothing, **status)


def solution(**changes: object) -> Solution:
    """A placement of one request with a gap of a quarter, when the time limit came."""
    values = {
        "instance": "i",
        "instance_sha256": "0",
        "method": "count",
        "solver": None,
        "solver_version": None,
        "options": {},
        "termination": Termination.TIME_LIMIT,
        "solution_status": SolutionStatus.FEASIBLE,
        "objective_s": 2.0,
        "bound_s": 1.6,
        "wall_time_s": 1.0,
        "gap": 0.25,
        "placement": {"requests": ({"request": "r1", "layers": ()},)},
    }
    return Solution.model_validate(values | changes)


AS_WORKER = """
import sys
from functools import partial
from benchmarks.runtime import runtime_worker
from optmodel import solving
from optmodel.cpsat import solve_milp_or_cpsat
from optmodel.milp import CountModel

class Odd(CountModel):
    {body}

solving.METHODS["count"] = partial(solve_milp_or_cpsat, formulation=Odd)
sys.exit(runtime_worker.main(*sys.argv[1:]))
"""
"""A worker whose count formulation misbehaves."""


def use_worker(monkeypatch, script: str) -> None:
    monkeypatch.setattr(measure, "WORKER", ("-c", script))
