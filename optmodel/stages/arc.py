"""One arc of the stage graph: the layers of a stage between two sender signatures, in numbers.

All times are whole ticks, rounded down, so that whatever is proven in ticks is a lower bound in
seconds. Nodes appear as groups of equal ones; names are left behind, so that equal arcs of other
requests, tolerances and layers are the same object to a cache.
"""

from dataclasses import dataclass

import numpy as np

from optmodel.problem import IntArray


@dataclass(frozen=True)
class Arc:
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
        slow = [max(self.receive, default=0) + max(self.work, default=0)]
        slow += [max(row, default=0) for row in self.send]
        return self.maps * sum(slow)

    @property
    def group_of(self) -> IntArray:
        """Group of each node, shape (nodes,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


@dataclass(frozen=True, eq=False)
class ArcPlacement:
    """A placement of an arc's layers.

    Attributes
    ----------
    counts : ndarray of int, shape (layers, nodes)
        Segments of each layer on each node.
    flows : tuple of ndarray of int, each shape (nodes, nodes)
        Maps moved from node to node after each layer but the last.
    """

    counts: IntArray
    flows: tuple[IntArray, ...]

    def ticks(self, arc: Arc) -> int:
        """Return the latency of the stage: the sum over its layers of T (Eq. 5)."""
        group = arc.group_of
        first = self.counts[0] * np.array(arc.receive)[group]
        work = np.array(arc.work)[group]
        if len(self.counts) == 1:
            return int((first + self.counts[0] * work).max())
        total = int(first.max())
        for k, moved in enumerate(self.flows, start=1):
            arrival = moved * np.array(arc.send[k - 1])[group][:, np.newaxis]
            np.fill_diagonal(arrival, 0)
            slowest = arrival.max(axis=0)
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
