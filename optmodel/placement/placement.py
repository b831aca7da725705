"""Who computes what: counts and flows, and the same placement segment by segment.

The segments of a layer are interchangeable, so counts (how many segments of a layer a node
computes) and flows (how many maps move from one node to another after an act or pool) carry
everything that Eq. 5-8 ask about. A placement knows nothing of how it was found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.problem import IntArray, RequestTask


@dataclass(frozen=True, eq=False)
class Flows:
    """Maps that move from node to node after a mapwise layer, as a sparse table."""

    layer: IntArray
    sender: IntArray
    receiver: IntArray
    maps: IntArray
    """After `layer`, `sender` hands `maps` of its maps to `receiver`, which may be itself; shape
    (entries,)."""

    @classmethod
    def from_entries(cls, entries: Sequence[tuple[int, int, int, int]]) -> "Flows":
        """Build the table from (layer, sender, receiver, maps) tuples."""
        table = np.array(sorted(entries), dtype=np.int64).reshape(-1, 4)
        return cls(*table.T)

    @classmethod
    def from_moves(cls, moves: Iterable[tuple[int, IntArray, IntArray, IntArray]]) -> "Flows":
        """Build the table from a layer, and senders, receivers and maps of equal shape, each."""
        tables = [
            np.stack([np.full(len(maps), layer), sender, receiver, maps])
            for layer, sender, receiver, maps in moves
        ]
        table = np.concatenate([np.zeros((4, 0), dtype=np.int64), *tables], axis=1)
        return cls(*table[:, np.lexsort(table[2::-1])])

    def entries(self) -> list[tuple[int, int, int, int]]:
        """Return the table as (layer, sender, receiver, maps) tuples of ints."""
        columns = (self.layer, self.sender, self.receiver, self.maps)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def matrix(self, layer: int, nodes: int) -> IntArray:
        """Return the maps moved after `layer`, shape (senders, receivers)."""
        matrix = np.zeros((nodes, nodes), dtype=np.int64)
        at = self.layer == layer
        np.add.at(matrix, (self.sender[at], self.receiver[at]), self.maps[at])
        return matrix


@dataclass(frozen=True, eq=False)
class RequestPlacement:
    """Where one request is computed."""

    counts: IntArray
    """Segments of each layer on each node, x[i, l]; shape (layers, nodes)."""
    flows: Flows
    """Maps moved after each mapwise layer, y[i, j, l]."""

    @classmethod
    def read(
        cls,
        task: RequestTask,
        nodes: int,
        count: Callable[[int, int], int],
        moved: Callable[[int, int, int], int],
    ) -> "RequestPlacement":
        """Read a placement from a model's values on so many nodes.

        Parameters
        ----------
        task : RequestTask
            Whose layers and hosts tell what to ask for.
        nodes : int
            Number of nodes.
        count : callable
            Segments of a layer on a host.
        moved : callable
            Maps that go from a holder of a mapwise layer to one of the next layer.
        """
        counts = read_counts(task, nodes, count)
        entries = [
            (k, i, j, moved(k, i, j))
            for k, layer in enumerate(task.layers[:-1])
            if layer.transfer == "mapwise"
            for i in np.flatnonzero(counts[k]).tolist()
            for j in np.flatnonzero(counts[k + 1]).tolist()
        ]
        return cls(counts, Flows.from_entries([entry for entry in entries if entry[3]]))

    @classmethod
    def from_labels(
        cls, labels: Sequence[IntArray], mapwise: Sequence[bool], nodes: int
    ) -> "RequestPlacement":
        """Count a placement that names the node of every segment.

        Parameters
        ----------
        labels : sequence of ndarray of int
            Per layer, the node of each segment, shape (segments,).
        mapwise : sequence of bool
            Per layer, whether map p of its output is the input of segment p of the next layer.
        nodes : int
            Number of nodes.
        """
        counts = np.stack([np.bincount(at, minlength=nodes) for at in labels])
        entries = []
        for layer in np.flatnonzero(mapwise[: len(labels) - 1]).tolist():
            pairs = np.stack([labels[layer], labels[layer + 1]])
            moves, maps = np.unique(pairs, axis=1, return_counts=True)
            entries += [
                (layer, int(i), int(j), int(n)) for (i, j), n in zip(moves.T, maps, strict=True)
            ]
        return cls(counts, Flows.from_entries(entries))

    def labels(self) -> list[IntArray]:
        """Name a node for every segment, per layer shape (segments,), at equal cost.

        After a mapwise layer the segments follow the flows; elsewhere any order serves, and the
        nodes take their segments in index order.
        """
        nodes = self.counts.shape[1]
        moved_after = set(self.flows.layer.tolist())
        found: list[IntArray] = []
        for layer, counts in enumerate(self.counts):
            if layer - 1 in moved_after:
                found.append(_follow(found[-1], self.flows.matrix(layer - 1, nodes)))
            else:
                found.append(np.repeat(np.arange(nodes), counts))
        return found


def read_counts(task: RequestTask, nodes: int, count: Callable[[int, int], int]) -> IntArray:
    """Return the segments of each layer on each node, given those of a layer on a host."""
    counts = np.zeros((len(task.layers), nodes), dtype=np.int64)
    for k, layer in enumerate(task.layers):
        for i in layer.hosts:
            counts[k, i] = count(k, i)
    return counts


def expanded(placed: RequestPlacement, where: IntArray, nodes: int) -> RequestPlacement:
    """Return a placement with each node replaced by another one of so many nodes."""
    counts = np.zeros((len(placed.counts), nodes), dtype=np.int64)
    counts[:, where] = placed.counts
    flows = placed.flows
    moved = Flows(flows.layer, where[flows.sender], where[flows.receiver], flows.maps)
    return RequestPlacement(counts, moved)


def restricted(placed: RequestPlacement, part: IntArray) -> RequestPlacement:
    """Return a placement on only those of its nodes, in ascending order, that take part."""
    flows = placed.flows
    sender, receiver = np.searchsorted(part, flows.sender), np.searchsorted(part, flows.receiver)
    moved = Flows(flows.layer, sender, receiver, flows.maps)
    return RequestPlacement(placed.counts[:, part], moved)


def _follow(labels: IntArray, moved: IntArray) -> IntArray:
    """Return the next node of each segment, the holders' segments handed out in index order."""
    following = np.empty_like(labels)
    receivers = np.arange(len(moved))
    for sender in np.unique(labels):
        following[labels == sender] = np.repeat(receivers, moved[sender])
    return following


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the requests of a batch are computed."""

    requests: Mapping[str, RequestPlacement]
    """By request id; a rejected request has no entry."""
