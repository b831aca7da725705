"""Is there a placement of an arc with each layer within a threshold? Decided in whole numbers.

A node that spends the time theta on receiving (its level) can compute a known number of segments
of the last layer and take a known number of maps from each sender. Once every node has a level,
what is left is a maximum flow: holders to computing nodes, with whole capacities.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.problem import IntArray
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement
from optmodel.stages.arcs.counting_bounds import held_at_first, held_before_last, maps_within
from optmodel.stages.arcs.layered_flow import LayeredFlow


@dataclass(frozen=True, eq=False)
class ReceiveLevels:
    """Times for receiving, group by group, each group's by increasing time."""

    group: IntArray
    """The group whose nodes may take a level, shape (levels,)."""
    theta: IntArray
    """Ticks spent on receiving, shape (levels,)."""
    computes: IntArray
    """Segments that a node can compute in the time left, shape (levels,)."""
    taken: IntArray
    """Maps that a node can take from one node of each group, shape (levels, groups)."""

    def only(self, chosen: IntArray) -> "ReceiveLevels":
        """Return some of the levels, in their order."""
        return ReceiveLevels(
            self.group[chosen], self.theta[chosen], self.computes[chosen], self.taken[chosen]
        )

    def range_of(self, group: int) -> range:
        """Return the levels of a group."""
        # Levels stand group by group.
        low, high = np.searchsorted(self.group, (group, group + 1)).tolist()
        return range(low, high)


class LayerThresholds:
    """The layers of an arc under a threshold each.

    The arc has two or more layers; each limit is in ticks.
    """

    def __init__(self, arc: ArcNumbers, limits: tuple[int, ...]) -> None:
        self.arc, self.first, self.early, self.last = arc, limits[0], limits[1:-1], limits[-1]
        first = np.array([limits[0]])
        self.start = held_at_first(arc, first)[0]
        self.held = held_before_last(arc, first, self.early)[0]

    @cached_property
    def levels(self) -> ReceiveLevels:
        """The levels worth having: more segments computed, or more maps taken.

        A level at which a node computes so little that all others together cannot make up for it
        is left out.
        """
        levels, best = self._levels, self._best_reach
        spare = int((best * np.array(self.arc.sizes)).sum()) - self.arc.maps
        # Not more than: where all others just make up for it, a placement may need the level.
        return levels.only(np.flatnonzero(self._reach(levels) + spare >= best[levels.group]))

    @cached_property
    def _best_reach(self) -> IntArray:
        best = np.zeros(len(self.arc.sizes), dtype=np.int64)
        np.maximum.at(best, self._levels.group, self._reach(self._levels))
        return best

    def _reach(self, levels: ReceiveLevels) -> IntArray:
        """Return what a node at each level can compute if all others send what they may."""
        own = levels.taken[np.arange(len(levels.group)), levels.group]
        received = (levels.taken * np.array(self.arc.sizes)).sum(axis=1) - own
        reach: IntArray = np.minimum(levels.computes, self.held[levels.group] + received)
        return reach

    @cached_property
    def _levels(self) -> ReceiveLevels:
        """All levels but those at which a node computes no more than at a longer one."""
        times, send = self._times(), np.array(self.arc.send[-1])
        work, caps = np.array(self.arc.work), np.array(self.arc.caps[-1])
        computes = maps_within(self.last - times, work[:, np.newaxis], caps[:, np.newaxis])
        # Of times that leave as much computing, only the longest is worth having.
        longest = np.diff(computes, axis=1, append=-1) != 0
        group, at = np.nonzero(longest & (computes > 0))
        taken = maps_within(times[at][:, np.newaxis], send, self.held)
        return ReceiveLevels(group, times[at], computes[group, at], taken)

    def _times(self) -> IntArray:
        """Return the times at which a node may have one more map of some sender."""
        times = {0}
        for b, held in set(zip(self.arc.send[-1], self.held.tolist(), strict=True)):
            if b:
                times.update(range(0, min(b * held, self.last) + 1, b))
        return np.array(sorted(times), dtype=np.int64)

    def moved_early(self, k: int) -> IntArray:
        """Return the maps that one node of each group can move to another after layer k."""
        return maps_within(self.early[k], np.array(self.arc.send[k]), np.array(self.arc.caps[k]))

    def sketch(self) -> ArcPlacement | None:
        """Return a placement at the obvious levels, None if they do not carry all maps."""
        return self.flow(self._obvious_levels())

    def _obvious_levels(self) -> IntArray:
        """Return for each node the level at which it could compute most, others permitting."""
        reach, levels = self._reach(self.levels), self.levels
        best = np.full(len(self.arc.sizes), -1)
        for group in range(len(best)):
            at = levels.range_of(group)
            if at:
                best[group] = at.start + int(reach[at.start : at.stop].argmax())
        return best[self.arc.group_of]

    def flow(self, chosen: IntArray) -> ArcPlacement | None:
        """Return a placement at these levels, None if they cannot carry all maps.

        Parameters
        ----------
        chosen : ndarray of int, shape (nodes,)
            A level for each node, -1 for nodes that compute nothing.
        """
        network = LayeredFlow(self.arc)
        group, levels = self.arc.group_of, self.levels
        network.supply(self.start[group])
        for k in range(len(self.early)):
            between = np.tile(self.moved_early(k)[group][:, np.newaxis], self.arc.nodes)
            network.layer(between, np.array(self.arc.caps[k + 1])[group])
        if not len(levels.group):
            return None
        computes = np.where(chosen >= 0, levels.computes[chosen], 0)
        network.layer(levels.taken[chosen][:, group].T, computes)
        return network.placement()
