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
    """The layers of one stage: zero or more acts and pools, then one layer that computes.

    Attributes
    ----------
    maps : int
        P: maps that each layer receives, and segments that it has.
    sizes : tuple of int, shape (groups,)
        Nodes of each group.
    receive : tuple of int, shape (groups,)
        Ticks that a node of the group takes to receive one map from the senders of the stage
        before: the longest over the senders other than itself.
    caps : tuple of tuple of int, shape (layers, groups)
        Most segments of a layer on one node of the group; 0 where it may not host the layer.
    send : tuple of tuple of int, shape (layers - 1, groups)
        Ticks that a node of the group takes to send one map after a layer.
    work : tuple of int, shape (groups,)
        Ticks that a node of the group computes for one segment of the last layer.
    """

    maps: int
    sizes: tuple[int, ...]
    receive: tuple[int, ...]
    caps: tuple[tuple[int, ...], ...]
    send: tuple[tuple[int, ...], ...]
    work: tuple[int, ...]

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
    """Maps that move between nodes after a layer, or stay; one entry for each pair that has some.

    Attributes
    ----------
    sender, receiver, maps : ndarray of int, shape (entries,)
        From where, to where, and how many.
    """

    sender: IntArray
    receiver: IntArray
    maps: IntArray

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
    """A placement of an arc's layers.

    Attributes
    ----------
    counts : ndarray of int, shape (layers, nodes)
        Segments of each layer on each node.
    flows : tuple of MapMoves
        After each layer but the last.
    """

    counts: IntArray
    flows: tuple[MapMoves, ...]

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
    """What is known of an arc.

    Attributes
    ----------
    bound : int
        Proven lower bound in ticks.
    placement : ArcPlacement or None
        The best placement known.
    value : int or None
        Its latency in ticks.
    """

    bound: int
    placement: ArcPlacement | None = None
    value: int | None = None
