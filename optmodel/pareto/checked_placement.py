"""A placement that has passed the checker, with its exact costs."""

from dataclasses import dataclass

from optmodel.placement import PlacementDocument
from optmodel.problem import Instance
from optmodel.solution_builder import passed


@dataclass(frozen=True)
class CheckedPlacement:
    """A placement that has passed the checker.

    Latency in seconds, and the bits that its nodes send to each other, are recomputed exactly.
    """

    latency_s: float
    bits: int
    document: PlacementDocument


def checked(instance: Instance, document: PlacementDocument, who: str) -> CheckedPlacement:
    """Return a placement with its exact costs.

    Raises
    ------
    ResultError
        If it breaks a limit; the message names who returned it.
    """
    report = passed(instance, document, f"{who} returned")
    return CheckedPlacement(float(report.objective_s), int(report.shared_bits), document)
