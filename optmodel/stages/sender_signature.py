"""What a stage needs to know of the nodes that send to it: the sender signature.

A node receives from all senders other than itself at once, so the slowest of them decides. Two
senders of the slowest rate are the slowest to every node; a single slowest sender is not received
by itself, which hears the next slowest only.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

INTERVALS = 16
"""Number of intervals of pooled rates; their bounds hold, but need not be reached."""


@dataclass(frozen=True)
class SenderSignature:
    """An upper bound on who sends: fewer or faster senders never make a stage slower."""

    rate: float
    """What receivers hear at best, in bits per second: the rate of the slowest sender."""
    alone: int | None = None
    """Group of one node that may send at that rate while no other node does; None if any number of
    nodes may."""
    others: float | None = None
    """Least rate of the senders that the slowest one hears; None if that node sends alone."""
    floor: float | None = None
    """Of pooled rates: the slowest sender has a rate from `floor` to `rate`. Any node of such a
    rate may be that sender, and is taken to hear the others only. None if not pooled."""

    def admits(self, rate: float) -> bool:
        """Tell whether any node of that rate may be among the senders."""
        if self.floor is not None:
            return rate >= self.floor
        if self.alone is None:
            return rate >= self.rate
        return self.others is not None and rate >= self.others

    def heard_by(self, rate: float, singled_out: bool) -> float | None:
        """Return the slowest rate that a node of some rate hears, None if it hears nothing."""
        pooled = self.floor is not None and self.floor <= rate <= self.rate
        return self.others if pooled or singled_out else self.rate


ANYBODY, NOBODY = SenderSignature(0.0), SenderSignature(math.inf)
"""As ends of an arc: every node may compute its last layer, or only nodes that are named."""


def signatures(rates: dict[int, float], single: bool, most: int) -> list[SenderSignature]:
    """Return the signatures of a layer that nodes of these groups may compute.

    Parameters
    ----------
    rates : dict of int to float
        Rate of each group that may host the layer.
    single : bool
        Whether one node must compute the whole layer.
    most : int
        Up to so many, every signature is told apart; beyond, rates are pooled in intervals.
    """
    distinct = sorted(set(rates.values()))
    if single:
        return [SenderSignature(rate, group) for group, rate in rates.items()]
    alone = [
        SenderSignature(rate, group, others)
        for group, rate in rates.items()
        # Strictly faster: two nodes of the least rate are the slowest to everybody.
        for others in (None, *(r for r in distinct if r > rate))
    ]
    exact = [*(SenderSignature(rate) for rate in distinct), *alone]
    return exact if len(exact) <= most else _pooled(distinct)


def _pooled(distinct: list[float]) -> list[SenderSignature]:
    """Return signatures that pool rates in intervals and let the slowest sender hear nothing.

    Every set of senders falls into the interval of its slowest one. All others hear a rate within
    the interval, at best its upper end.
    """
    # A set, for with fewer rates than intervals some of these would be empty.
    cuts = sorted({len(distinct) * k // INTERVALS for k in range(INTERVALS + 1)})
    return [
        SenderSignature(rate=distinct[stop - 1], floor=distinct[start])
        for start, stop in pairwise(cuts)
    ]
