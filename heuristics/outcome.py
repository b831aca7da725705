"""What a policy returns: the placed requests, and why the others were rejected."""

from dataclasses import dataclass

from optmodel.placement import Placement
from optmodel.solution import Rejection


@dataclass(frozen=True)
class Outcome:
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
