"""One arc of the stage graph: the layers of a stage between two sender signatures, in numbers.

All times are whole ticks, rounded down, so that whatever is proven in ticks is a lower bound in
seconds. Nodes appear as groups of equal ones; names are left behind, so that equal arcs of other
requests, tolerances and layers are the same object to a cache.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from optmodel.problem import IntArray


@dataclass(frozen=True)
class ArcNumbers:
    """The layers of one stage: zero or more acts and pools, then one layer that computes."""

    maps: int
    """P: maps that each layer receives, and segments that it has."""
    sizes: tuple[int, ...]
    """Nodes of each group, shape (groups,)."""
    receive: tuple[int, ...]
    """Ticks that a node of the group takes to receive one map from the senders of the stage before:
    the longest over the senders other than itself, shape (groups,)."""
    caps: tuple[tuple[int, ...], ...]
    """Most segments of a layer on one node of the group; 0 where it may not host the layer, shape
    (layers, groups)."""
    send: tuple[tuple[int, ...], ...]
    """Ticks that a node of the group takes to send one map after a layer, shape (layers - 1,
    groups)."""
    work: tuple[int, ...]
    """Ticks that a node of the group computes for one segment of the last layer, shape
    (groups,)."""

    @property
    def nodes(self) -> int:
        """Number of nodes; node indices run group by group."""
        return sum(self.sizes)

    @property
    def longest(self) -> int:
        """Ticks that no placement exceeds: every layer on the slowest node."""
        # Nodes work at the same time: no layer takes longer than all of it on the slowest.
        slow = [max(self.receive, default=0) + max(self.work, default=0)]
        slow += [max(row, default=0) for row in self.send]
        return self.maps * sum(slow)

    @property
    def group_of(self) -> IntArray:
        """Group of each node, shape (nodes,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


class MapMoves(NamedTuple):
    """Maps that move between nodes after a layer, or stay; an entry for each pair that has some."""

    sender: IntArray
    receiver: IntArray
    maps: IntArray
    """From where, to where, and how many; shape (entries,)."""

    @classmethod
    def where_they_are(cls, counts: IntArray) -> Self:
        """Return what every node keeps, if its maps stay; `counts` has shape (nodes,)."""
        holders = np.flatnonzero(counts)
        return cls(holders, holders, counts[holders])

    def on(self, where: IntArray) -> "MapMoves":
        """Return the same with other numbers for the nodes, shape (nodes,)."""
        return MapMoves(where[self.sender], where[self.receiver], self.maps)

    def sent(self, nodes: int) -> IntArray:
        """Return how many maps each node sends to others, shape (nodes,)."""
        others = np.where(self.sender == self.receiver, 0, self.maps)
        sent = np.zeros(nodes, dtype=np.int64)
        np.add.at(sent, self.sender, others)
        return sent


@dataclass(frozen=True, eq=False)
class ArcPlacement:
    """A placement of an arc's layers."""

    counts: IntArray
    """Segments of each layer on each node, shape (layers, nodes)."""
    flows: tuple[MapMoves, ...]
    """After each layer but the last."""

    def ticks(self, arc: ArcNumbers) -> int:
        """Return the latency of the stage: the sum over its layers of T (Eq. 5)."""
        group = arc.group_of
        first = self.counts[0] * np.array(arc.receive)[group]
        work = np.array(arc.work)[group]
        if len(self.counts) == 1:
            return int((first + self.counts[0] * work).max())
        total = int(first.max())
        for k, moved in enumerate(self.flows, start=1):
            arrival = moved.maps * np.array(arc.send[k - 1])[group][moved.sender]
            slowest = np.zeros(arc.nodes, dtype=np.int64)
            # What stays where it is takes no time.
            np.maximum.at(slowest, moved.receiver, arrival * (moved.sender != moved.receiver))
            # Only the last layer computes; those between pass maps on.
            if k == len(self.flows):
                slowest = slowest + self.counts[k] * work
            total += int(slowest.max())
        return total


@dataclass(frozen=True, eq=False)
class ArcSolution:
    """What is known of an arc."""

    bound: int
    """Proven lower bound in ticks."""
    placement: ArcPlacement | None = None
    """The best placement known; None if none is."""
    value: int | None = None
    """Its latency in ticks; None without one."""
