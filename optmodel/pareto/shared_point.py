"""A point of a front of latency against shared data, and by how much it may not be one."""

from typing import Annotated, Self

from pydantic import Field

from optmodel.ground.json_files import StrictModel
from optmodel.pareto.checked_placement import CheckedPlacement
from optmodel.pareto.one_request import ACCURACY
from optmodel.placement import PlacementDocument, Seconds

Bits = Annotated[int, Field(ge=0)]

MOST_COUNTED = 8
"""Devices of the largest fleet whose points are proven one by one."""


class SharedPoint(StrictModel):
    """A placement that is fastest for what it shares, and shares least for its latency.

    Where it is not proven to be, the bounds tell by how much it may not be.
    """

    limit_bits: Bits | None
    """The limit on shared data under which it was sought, in bits; None without one."""
    latency_s: Seconds
    """Its latency, recomputed exactly, in seconds."""
    bound_s: float | None
    """Proven lower bound on the latency of all that share at most `limit_bits`, in seconds; of all
    placements if that is None. None when unknown."""
    shared_bits: Bits
    """What its nodes send to each other, recomputed exactly, in bits."""
    bound_bits: Bits | None
    """Proven lower bound on what placements share that take no longer, in bits; None when unknown.
    For the last of several points, on at most `MOST_COUNTED` devices, even on what any placement
    shares: the front ends there. On more devices the last point is merely the last one found."""
    placement: PlacementDocument
    """Who computes what."""

    @classmethod
    def of(
        cls,
        placed: CheckedPlacement,
        limit_bits: int | None,
        bound_s: float | None,
        bound_bits: int,
    ) -> Self:
        """Return a checked placement as a point under a limit, between these bounds."""
        return cls(
            limit_bits=limit_bits,
            latency_s=placed.latency_s,
            bound_s=bound_s,
            shared_bits=placed.bits,
            bound_bits=bound_bits,
            placement=placed.document,
        )

    @property
    def proven(self) -> bool:
        """Whether both are proven least, the latency to the accuracy of a proof."""
        return (
            self.bound_s is not None
            and self.latency_s <= self.bound_s * (1 + ACCURACY)
            and self.bound_bits == self.shared_bits
        )
