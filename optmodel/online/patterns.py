"""Placements that name kinds of nodes only, dealt anew to the idlest of equal nodes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.online.known_paths import KnownPath
from optmodel.placement import CostedPlacement
from optmodel.problem import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PlacementPattern:
    """A placement of one kind of request by the groups of its nodes.

    Equal nodes can stand in for each other: latency (Eq. 5) and 8e-8i stay as they are, only the
    loads go elsewhere.
    """

    parts: CostedPlacement
    """The placement on the nodes that take part, without all others."""
    group: IntArray
    rank: IntArray
    """The group of each, and its place in the group: the one with most to do comes first; shape
    (parts,)."""

    @cached_property
    def on_helpers(self) -> IntArray:
        """Load on all helpers together, shape (3,); the source always takes part, as last group."""
        total: IntArray = self.parts.load[:, self.group != self.group.max()].sum(axis=1)
        return total

    @property
    def numbers(self) -> int:
        """How many numbers it holds, about."""
        placement, load = self.parts.placement, self.parts.load
        return placement.counts.size + load.size + 4 * len(placement.flows.layer)

    @classmethod
    def of(cls, known: KnownPath, placed: CostedPlacement) -> "PlacementPattern":
        """Forget which of equal nodes a placement is on."""
        part, parts = placed.on_its_nodes()
        helper = part < len(known.group_of)
        # The source is behind all helpers, and the last group alone.
        group = np.full(len(part), len(known.starts) - 1)
        group[helper] = known.group_of[part[helper]]
        share = np.zeros(len(part))
        share[helper] = known.share_of(parts.load[:, helper], part[helper])
        rank = np.empty(len(part), dtype=np.int64)
        for g in np.unique(group).tolist():
            members = np.flatnonzero(group == g)
            rank[members[np.argsort(-share[members], kind="stable")]] = np.arange(len(members))
        return cls(parts, group, rank)


class PatternDealer:
    """The nodes of each group, the idlest first, and the source as a group of its own.

    Parameters
    ----------
    used : ndarray, shape (3, nodes)
        Share of each budget that is used.
    """

    def __init__(self, known: KnownPath, used: FloatArray, source: int) -> None:
        busiest = used[:, : len(known.group_of)].max(axis=0)
        # Shares are at most 1, so that twice the group's number keeps groups apart.
        self._order = np.append(np.argsort(2 * known.group_of + busiest, kind="stable"), source)
        self._starts = known.starts
        self._ends = np.append(known.starts[1:], len(self._order))

    def nodes(self, pattern: PlacementPattern) -> IntArray | None:
        """Return a node for each part of a pattern, most to do for the idlest; None if too few."""
        places = self._starts[pattern.group] + pattern.rank
        # Fewer devices of a kind are present than when the pattern was found.
        if (places >= self._ends[pattern.group]).any():
            return None
        dealt: IntArray = self._order[places]
        return dealt
