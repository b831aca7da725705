"""Place one request with exactly solved stages, on few senders, on what is left of the budgets."""

from collections.abc import Callable

import numpy as np

from optmodel.batch.batch import PlacedBatch
from optmodel.placement import CostedPlacement, Flows, RequestClass, RequestPlacement
from optmodel.problem import (
    BoolArray,
    FloatArray,
    IntArray,
    RequestTask,
    StageCut,
    broadcast_bits,
    stage_cuts,
)
from optmodel.search import Allowance
from optmodel.stages import UNREACHABLE, ArcBook, ArcNumbers, ArcPlacement

Who = Callable[[int, FloatArray], BoolArray]
ROOMY = 3
"""A node takes at most this multiple of an equal share, so that most nodes count as equal."""
ARC_STEPS = 2_000
"""Steps for one arc: half a second, about."""


class StagePlacer:
    """Places a class's request stage by stage, each solved exactly between given senders.

    A node that computes a conv broadcasts all it put out, which is what bandwidth goes to. So
    nodes are left out of a stage, those with least bandwidth left first, as long as the stage
    takes hardly longer.

    Parameters
    ----------
    requests : RequestClass
        The class.
    book : ArcBook
        Where solved arcs are kept: equal devices make most arcs of equal requests equal.
    arc_steps : float
        Steps for one arc; an arc that takes more counts with the best placement by then.
    """

    def __init__(self, requests: RequestClass, book: ArcBook, arc_steps: float = ARC_STEPS) -> None:
        self.arc_steps = arc_steps
        self.requests = requests
        self.problem, self.task, self.fleet = requests.problem, requests.task, requests.fleet
        self.book = book
        self.cuts = stage_cuts(self.task)
        self.nodes = len(self.problem.node_ids)
        self.group = np.zeros(self.nodes, dtype=np.int64)
        for g, group in enumerate(self.fleet.groups):
            self.group[list(group.nodes)] = g

    def place(
        self, left: FloatArray, patience: float, allowance: Allowance, who: Who | None = None
    ) -> RequestPlacement | None:
        """Return a placement; whether it keeps the bandwidth budgets is for the caller to check.

        Parameters
        ----------
        left : ndarray, shape (3, nodes)
            What is left of the budgets.
        patience : float
            So much longer, relatively, may a stage take if that leaves out a node.
        allowance : Allowance
            What it may take before it gives up; one arc takes `arc_steps` at most.
        who : callable, optional
            Tells which nodes may end a stage, given its number and the bandwidth that is left;
            then no others are left out.
        """
        counts = np.zeros((len(self.task.layers), self.nodes), dtype=np.int64)
        moves: list[tuple[int, IntArray, IntArray, IntArray]] = []
        left = left.copy()
        for k, cut in enumerate(self.cuts):
            may = self._may_end(cut, left, None if who is None else who(k, left[2]))
            if who is not None and not cut.gathers:
                found = self._at_once(cut, counts, may, left, allowance)
            else:
                found = self._stage(cut, counts, may, left, patience, allowance)
            if found is None:
                return None
            counts[cut.first : cut.last + 1] = found.counts
            for k, moved in enumerate(found.flows, start=cut.first):
                moves.append((k, *moved))
            self._charge(cut, found, counts, left)
        return RequestPlacement(counts, Flows.from_moves(moves))

    def find(
        self, batch: PlacedBatch, member: RequestTask, patience: float, allowance: Allowance
    ) -> CostedPlacement | None:
        """Return a placement of a member on what a batch leaves, None if none is found."""
        placement = self.place(batch.left[:, batch.where(member)], patience, allowance)
        placed = self.requests.costed(placement) if placement is not None else None
        return placed if placed is not None and batch.fits(member, placed) else None

    def _charge(
        self, cut: StageCut, found: ArcPlacement, counts: IntArray, left: FloatArray
    ) -> None:
        """Take a stage's load from what is left."""
        last = self.task.layers[cut.last]
        left[0] -= counts[cut.last] * last.weight_bytes
        left[1] -= counts[cut.last] * last.multiplications
        for k, moved in enumerate(found.flows, start=cut.first):
            left[2] -= moved.sent(self.nodes) * self.task.layers[k].output_bits
        if cut.first:
            before = self.task.layers[cut.first - 1]
            left[2] += before.output_bits * counts[cut.first] * (counts[cut.first - 1] > 0)
        left[2] -= broadcast_bits(self.task, cut) * (counts[cut.last] > 0)

    def _at_once(
        self, cut: StageCut, counts: IntArray, may: IntArray, left: FloatArray, allowance: Allowance
    ) -> ArcPlacement | None:
        """Return the stage on all nodes that may end it."""
        receive = self._receive(cut, counts)
        best = self._solved(cut, receive, may, UNREACHABLE, left, allowance)
        return best[1] if best is not None else None

    def _stage(
        self,
        cut: StageCut,
        counts: IntArray,
        may: IntArray,
        left: FloatArray,
        patience: float,
        allowance: Allowance,
    ) -> ArcPlacement | None:
        """Return the stage on as few nodes as patience allows."""
        receive = self._receive(cut, counts)
        budget = np.maximum(self.problem.bandwidth_budget, 1.0)
        if cut.gathers:
            return self._gathered(cut, receive, may, left, allowance)
        drop = np.argsort(left[2] / budget, kind="stable")
        drop = drop[may[drop] > 0]
        best = self._solved(cut, receive, may, UNREACHABLE, left, allowance)
        if best is None:
            return None
        longest = int(best[0] * (1 + patience))
        for node in drop.tolist():
            if allowance.over:
                return None
            fewer = may.copy()
            fewer[node] = 0
            found = self._solved(cut, receive, fewer, longest, left, allowance)
            if found is not None and self._slowest(found[1], cut) >= self._slowest(best[1], cut):
                best, may = found, fewer
            elif found is None and self._tried_each_group(node, drop, may):
                break
        return best[1]

    def _tried_each_group(self, node: int, drop: IntArray, may: IntArray) -> bool:
        """Tell whether no node of another group is still to be tried."""
        later = drop[np.flatnonzero(drop == node)[0] + 1 :]
        return not (self.group[later] != self.group[node]).any()

    def _slowest(self, found: ArcPlacement, cut: StageCut) -> float:
        return float(self.problem.rate[found.counts[-1] > 0].min())

    def _gathered(
        self,
        cut: StageCut,
        receive: IntArray,
        may: IntArray,
        left: FloatArray,
        allowance: Allowance,
    ) -> ArcPlacement | None:
        """Return the stage with its last layer on one node: the best of each group's emptiest."""
        can = np.flatnonzero(may >= self.task.layers[cut.last].segments)
        best: tuple[int, ArcPlacement] | None = None
        for g in dict.fromkeys(self.group[can].tolist()):
            target = max(can[self.group[can] == g].tolist(), key=lambda i: (left[0, i], -i))
            only = np.where(np.arange(self.nodes) == target, may, 0)
            found = self._solved(cut, receive, only, UNREACHABLE, left, allowance)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best[1] if best is not None else None

    def _receive(self, cut: StageCut, counts: IntArray) -> IntArray:
        """Return the ticks that each node takes to receive one map."""
        times = np.zeros(self.nodes, dtype=np.int64)
        if not cut.first:
            return times
        layer = self.task.layers[cut.first - 1]
        senders = np.flatnonzero(counts[cut.first - 1]).tolist()
        each = {i: self.fleet.sending(layer, float(self.problem.rate[i])) for i in senders}
        for j in range(self.nodes):
            times[j] = max((ticks for i, ticks in each.items() if i != j), default=0)
        return times

    def _may_end(self, cut: StageCut, left: FloatArray, chosen: BoolArray | None) -> IntArray:
        """Return the most segments of the last layer on each node, or each that is chosen."""
        last = self.task.layers[cut.last]
        most = np.zeros(self.nodes, dtype=np.int64)
        most[list(last.hosts)] = last.cap
        for need, room in ((last.weight_bytes, left[0]), (last.multiplications, left[1])):
            if need:
                most = np.minimum(most, np.floor(np.maximum(room, 0) / need).astype(np.int64))
        most = np.where(left[2] >= broadcast_bits(self.task, cut), most, 0)
        if chosen is not None:
            most = np.where(chosen, most, 0)
        if not cut.gathers and (most > 0).any():
            most = np.minimum(most, ROOMY * -(-last.segments // int((most > 0).sum())) + 1)
        return most

    def _solved(
        self,
        cut: StageCut,
        receive: IntArray,
        may: IntArray,
        cutoff: int,
        left: FloatArray,
        allowance: Allowance,
    ) -> tuple[int, ArcPlacement] | None:
        """Return the least latency of a stage and its placement on all nodes, if it is found."""
        if allowance.over:
            return None
        rows = self._rows(cut, receive, may)
        kinds = sorted({row for row in rows if any(row[2])})
        if not kinds:
            return None
        bandwidth = left[2] / np.maximum(self.problem.bandwidth_budget, 1.0)
        emptiest = np.argsort(-bandwidth, kind="stable").tolist()
        members = [[i for i in emptiest if rows[i] == kind] for kind in kinds]
        arc = ArcNumbers(
            maps=self.task.layers[cut.first].segments,
            sizes=tuple(len(nodes) for nodes in members),
            receive=tuple(kind[0] for kind in kinds),
            caps=tuple(zip(*(kind[2] for kind in kinds), strict=True)),
            send=tuple(zip(*(kind[3] for kind in kinds), strict=True)),
            work=tuple(kind[1] for kind in kinds),
        )
        found = self.book.solve(arc, cutoff, allowance.part(self.arc_steps))
        if found.placement is None or found.value is None or found.value > cutoff:
            return None
        where = np.array([i for nodes in members for i in nodes], dtype=np.int64)
        return found.value, self._on_all_nodes(found.placement, where)

    def _rows(
        self, cut: StageCut, receive: IntArray, may: IntArray
    ) -> list[tuple[int, int, tuple[int, ...], tuple[int, ...]]]:
        """Return for each node: time to receive and to compute, most per layer, times to send."""
        layers = self.task.layers[cut.first : cut.last + 1]
        rows = []
        for i, g in enumerate(self.group.tolist()):
            group = self.fleet.groups[g]
            caps = [layer.cap if i in layer.hosts else 0 for layer in layers[:-1]]
            send = tuple(self.fleet.sending(layer, group.rate) for layer in layers[:-1])
            work = self.fleet.work(layers[-1], group)
            rows.append((int(receive[i]), work, (*caps, int(may[i])), send))
        return rows

    def _on_all_nodes(self, found: ArcPlacement, where: IntArray) -> ArcPlacement:
        counts = np.zeros((len(found.counts), self.nodes), dtype=np.int64)
        counts[:, where] = found.counts
        return ArcPlacement(counts, tuple(moved.on(where) for moved in found.flows))
