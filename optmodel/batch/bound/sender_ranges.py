"""How many nodes of each group compute the layer that a stage ends with, from so many to so many.

Behind a conv or fc these nodes send what they put out to all others; their number is what
bandwidth goes to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from optmodel.stages import SenderSignature

SenderCount = tuple[int, ...]
"""A number of nodes for each group."""
SenderPlan = tuple[SenderCount, ...]
"""Who sends behind each stage of a request."""


@dataclass(frozen=True)
class SenderRange:
    """Sets of nodes, told apart by how many of each group they hold."""

    low: SenderCount
    high: SenderCount
    """Least and largest number of nodes of each group, shape (groups,). No range holds both 0 and
    1, or 1 and 2, so that all of its sets have one signature."""

    @property
    def exact(self) -> bool:
        """Whether there is one number for each group."""
        return self.low == self.high

    def signature(self, rates: tuple[float, ...]) -> SenderSignature:
        """Return who hears whom, which all these sets have in common.

        Parameters
        ----------
        rates : tuple of float, shape (groups,)
            Bits per second of a node of each group.
        """
        some = [g for g, number in enumerate(self.low) if number]
        slowest = min(rates[g] for g in some)
        at_least = [g for g in some if rates[g] == slowest]
        # Of two slowest nodes, each hears the other, and all others hear both.
        if len(at_least) > 1 or self.low[at_least[0]] > 1:
            return SenderSignature(slowest)
        others = [rates[g] for g in some if rates[g] > slowest]
        return SenderSignature(slowest, at_least[0], min(others, default=None))

    def halves(self) -> tuple["SenderRange", "SenderRange"]:
        """Cut the widest range of numbers in two, in proportion."""
        ratios = [high / max(low, 1) for low, high in zip(self.low, self.high, strict=True)]
        g = ratios.index(max(ratios))
        # From 2 to 32 at 8: costs follow ratios, and few senders are the likelier.
        middle = int((self.low[g] * self.high[g]) ** 0.5)
        low, high = list(self.low), list(self.high)
        low[g], high[g] = middle + 1, middle
        return SenderRange(self.low, tuple(high)), SenderRange(tuple(low), self.high)


def all_senders(
    sizes: SenderCount, caps: SenderCount, segments: int, whole: bool
) -> Iterator[SenderRange]:
    """Yield all sets that may compute a layer, in ranges as wide as `SenderRange` allows.

    Parameters
    ----------
    sizes, caps : tuple of int, shape (groups,)
        Nodes of each group, and the most segments on one of them.
    segments : int
        Of the layer.
    whole : bool
        Whether one node has to compute all of them.
    """
    most = 1 if whole else segments
    ranges = []
    for size, cap in zip(sizes, caps, strict=True):
        largest = min(size, most) if cap >= (segments if whole else 1) else 0
        # None, one or more is all that a signature depends on.
        ranges.append([(n, n) for n in range(min(largest, 1) + 1)])
        if largest > 1:
            ranges[-1].append((2, largest))
    for chosen in product(*ranges):
        low, high = zip(*chosen, strict=True)
        room = sum(n * cap for n, cap in zip(high, caps, strict=True))
        # A sender computes one segment at least.
        if 0 < sum(low) <= most and room >= segments:
            yield SenderRange(low, high)
