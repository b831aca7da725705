"""Solutions of all methods: made in one place, latencies from the checker, a gap for each bound."""

from collections.abc import Mapping

from optmodel.checker import CheckReport, check
from optmodel.ground.rule_errors import ResultError
from optmodel.placement import (
    PlacementDocument,
    RequestLatency,
    Solution,
    SolutionStatus,
    Termination,
    relative_gap,
)
from optmodel.problem import Instance, digest


def bare_solution(
    instance: Instance,
    method: str,
    termination: Termination,
    wall_time_s: float,
    options: Mapping[str, str | int | float | bool | None],
    solver: str | None = None,
    status: SolutionStatus = SolutionStatus.NONE,
) -> Solution:
    """Return what a method says of an instance before it has a placement or a bound.

    Parameters
    ----------
    instance : Instance
        What was to be placed.
    method, termination, wall_time_s, options, solver, status
        As the fields of `Solution` say.
    """
    return Solution(
        instance=instance.name,
        instance_sha256=digest(instance),
        method=method,
        solver=solver,
        solver_version=None,
        options=dict(options),
        termination=termination,
        solution_status=status,
        objective_s=None,
        bound_s=None,
        gap=None,
        wall_time_s=wall_time_s,
        placement=None,
    )


def with_placement(solution: Solution, instance: Instance, document: PlacementDocument) -> Solution:
    """Return the solution with a placement, and with its exact latencies and gap.

    Raises
    ------
    ResultError
        If the placement fails the checker.
    """
    report = passed(instance, document, f"{solution.method} returned")
    changes = {
        "placement": document,
        "objective_s": float(report.objective_s) if document.requests else None,
        "latency": latencies(report),
    }
    return with_bound(solution.model_copy(update=changes), solution.bound_s)


def with_bound(solution: Solution, bound_s: float | None) -> Solution:
    """Return the solution with another bound in seconds, and the gap that goes with it."""
    gap = relative_gap(solution.objective_s, bound_s)
    return solution.model_copy(update={"bound_s": bound_s, "gap": gap})


def passed(instance: Instance, document: PlacementDocument, who: str) -> CheckReport:
    """Return what the checker says of a placement that passes it.

    Raises
    ------
    ResultError
        If it does not pass; the message begins with who made it, and lists what is violated.
    """
    report = check(instance, document)
    if not report.passed:
        listed = "\n".join(str(violation) for violation in report.violations)
        raise ResultError(f"{who} a placement that is not one:\n{listed}")
    return report


def latencies(report: CheckReport) -> tuple[RequestLatency, ...]:
    """Return the exact latencies of a report as a solution file tells them."""
    return tuple(
        RequestLatency(request=name, layers_s={k: float(t) for k, t in layers.items()})
        for name, layers in report.layer_latency_s.items()
    )
