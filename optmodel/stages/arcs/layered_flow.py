"""Maps flowing through the nodes of each layer of an arc, as a maximum flow."""

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow

from optmodel.problem import IntArray
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement, MapMoves


class LayeredFlow:
    """A maximum flow of maps through the nodes of each layer, capacities whole.

    Node i of layer k has number k · nodes + i; behind each is an exit that limits what it holds.
    """

    def __init__(self, arc: ArcNumbers) -> None:
        self.arc, self.count = arc, arc.nodes
        self.tails: list[int] = []
        self.heads: list[int] = []
        self.limits: list[int] = []
        self.exits = np.array([], dtype=np.int64)
        # 0 is the source, 1 the sink.
        self.fresh = 2
        self.transfers: list[tuple[int, int, IntArray, IntArray]] = []

    def supply(self, most: IntArray) -> None:
        """Let each node hold at most so many maps of the first layer."""
        self.exits = self._numbers()
        self._add(np.zeros(self.count, dtype=np.int64), self.exits, most)

    def layer(self, between: IntArray, most: IntArray) -> None:
        """Add a layer: maps that pass between two nodes, and that a node may hold, at most."""
        entries, exits = self._numbers(), self._numbers()
        own = np.eye(self.count, dtype=bool)
        # What stays where it is takes no time: nothing but P limits it.
        capacity = np.where(own, self.arc.maps, between)
        senders, receivers = np.nonzero((capacity > 0) & (most > 0))
        start = len(self.tails)
        self._add(self.exits[senders], entries[receivers], capacity[senders, receivers])
        self.transfers.append((start, len(self.tails), senders, receivers))
        self._add(entries, exits, most)
        self.exits = exits

    def placement(self) -> ArcPlacement | None:
        """Return counts and flows if all maps get through, None otherwise."""
        self._add(
            self.exits, np.ones(self.count, dtype=np.int64), np.full(self.count, self.arc.maps)
        )
        network = SimpleMaxFlow()
        arcs = network.add_arcs_with_capacity(self.tails, self.heads, self.limits)
        # Nodes may have room for more than P maps: this arc before the source lets P through.
        gate = network.add_arc_with_capacity(self.fresh, 0, self.arc.maps)
        network.solve(self.fresh, 1)
        if network.flow(gate) < self.arc.maps:
            return None
        maps = network.flows(arcs)
        flows = []
        for start, stop, senders, receivers in self.transfers:
            # Pairs without a map are no moves.
            some = np.flatnonzero(maps[start:stop])
            flows.append(MapMoves(senders[some], receivers[some], maps[start:stop][some]))
        counts = np.zeros((len(flows) + 1, self.count), dtype=np.int64)
        np.add.at(counts[0], flows[0].sender, flows[0].maps)
        for held, moved in zip(counts[1:], flows, strict=True):
            np.add.at(held, moved.receiver, moved.maps)
        return ArcPlacement(counts, tuple(flows))

    def _numbers(self) -> IntArray:
        self.fresh += self.count
        return np.arange(self.fresh - self.count, self.fresh)

    def _add(self, tails: IntArray, heads: IntArray, limits: IntArray) -> None:
        self.tails += tails.tolist()
        self.heads += heads.tolist()
        self.limits += limits.tolist()
