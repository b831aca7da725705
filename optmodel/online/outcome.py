"""What a policy returns: the placed requests, and why the others were rejected."""

from dataclasses import dataclass

from optmodel.placement import Placement, Rejection, SolutionStatus
from optmodel.problem import RequestTask


@dataclass(frozen=True)
class PolicyOutcome:
    """The decisions of a policy on a batch.

    Attributes
    ----------
    placement : Placement
        The requests that are served.
    rejected : tuple of Rejection
        The others, each with the layer and the condition that failed.
    """

    placement: Placement
    rejected: tuple[Rejection, ...]

    @property
    def solution_status(self) -> SolutionStatus:
        """What the decisions amount to."""
        if not self.rejected:
            return SolutionStatus.FEASIBLE
        return SolutionStatus.PARTIAL if self.placement.requests else SolutionStatus.NONE


class NoPlaceError(Exception):
    """No node may take a segment.

    Parameters
    ----------
    segment : int
        The segment, from 0.
    condition : str
        The conditions that failed.
    """

    def __init__(self, segment: int, condition: str) -> None:
        super().__init__(condition)
        self.segment = segment
        self.condition = condition

    def rejection(self, task: RequestTask, layer: int) -> Rejection:
        """Return the rejection of a request that got as far as a layer (from 0)."""
        return Rejection(
            request=task.request.id,
            layer=task.layers[layer].name,
            segment=self.segment + 1,
            condition=self.condition,
        )
