"""The policies by name, and how a policy becomes a checked solution."""

import time
from collections.abc import Callable

from heuristics.algorithm1 import algorithm1
from heuristics.outcome import Outcome
from optmodel.instance import Instance
from optmodel.problem import Problem
from optmodel.solution import Solution, SolutionStatus, Termination
from optmodel.translate import to_document
from optmodel.verified import digest, with_placement

Policy = Callable[[Problem], Outcome]

POLICIES: dict[str, Policy] = {"algorithm1": algorithm1}
"""Policies by the name that `--policy` takes."""


def place(instance: Instance, policy: str) -> Solution:
    """Place the requests of an instance with a policy, and check what it decides.

    Parameters
    ----------
    instance : Instance
        The batch.
    policy : str
        A key of `POLICIES`.

    Raises
    ------
    ResultError
        If the policy's placement fails the checker.
    """
    start = time.perf_counter()
    problem = Problem.of(instance)
    outcome = POLICIES[policy](problem)
    wall_time_s = time.perf_counter() - start
    solution = Solution(
        instance=instance.name,
        instance_sha256=digest(instance),
        method=policy,
        solver=None,
        solver_version=None,
        options={},
        termination=Termination.HEURISTIC_END,
        solution_status=_status(outcome),
        objective_s=None,
        bound_s=None,
        gap=None,
        wall_time_s=wall_time_s,
        placement=None,
    )
    document = to_document(problem, outcome.placement, outcome.rejected)
    return with_placement(solution, instance, document)


def _status(outcome: Outcome) -> SolutionStatus:
    if not outcome.rejected:
        return SolutionStatus.FEASIBLE
    return SolutionStatus.PARTIAL if outcome.placement.requests else SolutionStatus.NONE
