"""Solutions whose placement has passed the checker, with exact latencies."""

import hashlib

from optmodel.checker import CheckReport, check
from optmodel.instance import Instance
from optmodel.solution import PlacementDocument, RequestLatency, ResultError, Solution


def digest(instance: Instance) -> str:
    """Return the SHA-256 of an instance's content, whatever the layout of its file."""
    return hashlib.sha256(instance.model_dump_json().encode()).hexdigest()


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
            "latency": _latency(report),
        }
    )


def _latency(report: CheckReport) -> tuple[RequestLatency, ...]:
    return tuple(
        RequestLatency(request=name, layers_s={k: float(t) for k, t in layers.items()})
        for name, layers in report.layer_latency_s.items()
    )
