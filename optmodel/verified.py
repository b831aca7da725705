"""Solutions whose placement has passed the checker, with exact latencies."""

from optmodel.checker import CheckReport, check
from optmodel.ground.rule_errors import ResultError
from optmodel.placement import PlacementDocument, RequestLatency, Solution
from optmodel.problem import Instance
from optmodel.problem import digest as digest


def with_placement(solution: Solution, instance: Instance, document: PlacementDocument) -> Solution:
    """Return the solution with a placement, its exact latencies filled in.

    Raises
    ------
    ResultError
        If the placement fails the checker.
    """
    report = check(instance, document)
    if not report.passed:
        listed = "\n".join(str(violation) for violation in report.violations)
        raise ResultError(f"{solution.method} returned a placement that is not one:\n{listed}")
    return solution.model_copy(
        update={
            "placement": document,
            "objective_s": float(report.objective_s) if document.requests else None,
            "latency": latencies(report),
        }
    )


def latencies(report: CheckReport) -> tuple[RequestLatency, ...]:
    """Return the exact latencies of a report as a solution file tells them."""
    return tuple(
        RequestLatency(request=name, layers_s={k: float(t) for k, t in layers.items()})
        for name, layers in report.layer_latency_s.items()
    )
