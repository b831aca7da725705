"""Place one request with exactly solved stages, between given senders, on what budgets leave."""

from collections.abc import Callable

import numpy as np

from optmodel.placement import Flows, RequestClass, RequestPlacement
from optmodel.problem import (
    BoolArray,
    FloatArray,
    IntArray,
    StageCut,
    broadcast_bits,
    stage_cuts,
)
from optmodel.search import Allowance
from optmodel.stages import UNREACHABLE, ArcBook, ArcNumbers, ArcPlacement

WhoEnds = Callable[[int, FloatArray], BoolArray]
"""Tells which nodes may end a stage, given its number and the bandwidth that is left."""
SolvedStage = tuple[int, ArcPlacement]
"""The latency of a stage in ticks, and its placement on all nodes."""
ROOMY = 3
"""A node takes at most this multiple of an equal share, so that most nodes count as equal."""
ARC_STEPS = 2_000
"""Steps for one arc: half a second, about."""


class StagePlacer:
    """Places a class's request stage by stage, each solved exactly between given senders.

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
        self, left: FloatArray, allowance: Allowance, who: WhoEnds
    ) -> RequestPlacement | None:
        """Return a placement; whether it keeps the bandwidth budgets is for the caller to check.

        Parameters
        ----------
        left : ndarray, shape (3, nodes)
            What is left of the budgets.
        allowance : Allowance
            What it may take before it gives up; one arc takes `arc_steps` at most.
        who : callable
            Tells which nodes may end a stage, given its number and the bandwidth that is left.
        """
        counts = np.zeros((len(self.task.layers), self.nodes), dtype=np.int64)
        moves: list[tuple[int, IntArray, IntArray, IntArray]] = []
        left = left.copy()
        for k, cut in enumerate(self.cuts):
            may, receive = self._may_end(cut, left, who(k, left[2])), self._receive(cut, counts)
            solved = self._gathered if cut.gathers else self._solved
            found = solved(cut, receive, may, left, allowance)
            if found is None:
                return None
            placed = found[1]
            counts[cut.first : cut.last + 1] = placed.counts
            for layer, moved in enumerate(placed.flows, start=cut.first):
                moves.append((layer, *moved))
            self._charge(cut, placed, counts, left)
        return RequestPlacement(counts, Flows.from_moves(moves))

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

    def _gathered(
        self,
        cut: StageCut,
        receive: IntArray,
        may: IntArray,
        left: FloatArray,
        allowance: Allowance,
    ) -> SolvedStage | None:
        """Return the stage with its last layer on one node: the best of each group's emptiest."""
        can = np.flatnonzero(may >= self.task.layers[cut.last].segments)
        best: SolvedStage | None = None
        for g in dict.fromkeys(self.group[can].tolist()):
            target = max(can[self.group[can] == g].tolist(), key=lambda i: (left[0, i], -i))
            only = np.where(np.arange(self.nodes) == target, may, 0)
            found = self._solved(cut, receive, only, left, allowance)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best

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

    def _may_end(self, cut: StageCut, left: FloatArray, chosen: BoolArray) -> IntArray:
        """Return the most segments of the last layer on each node that is chosen."""
        last = self.task.layers[cut.last]
        most = np.zeros(self.nodes, dtype=np.int64)
        most[list(last.hosts)] = last.cap
        for need, room in ((last.weight_bytes, left[0]), (last.multiplications, left[1])):
            if need:
                most = np.minimum(most, np.floor(np.maximum(room, 0) / need).astype(np.int64))
        most = np.where(chosen & (left[2] >= broadcast_bits(self.task, cut)), most, 0)
        if not cut.gathers and (most > 0).any():
            most = np.minimum(most, ROOMY * -(-last.segments // int((most > 0).sum())) + 1)
        return most

    def _solved(
        self,
        cut: StageCut,
        receive: IntArray,
        may: IntArray,
        left: FloatArray,
        allowance: Allowance,
    ) -> SolvedStage | None:
        """Return the least latency of a stage and its placement on all nodes, if it is found."""
        if allowance.over:
            return None
        rows = self._rows(cut, receive, may)
        kinds = sorted({row for row in rows if any(row[2])})
        if not kinds:
            return None
        bandwidth = left[2] / np.maximum(self.problem.budgets[2], 1.0)
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
        found = self.book.solve(arc, UNREACHABLE, allowance.part(self.arc_steps))
        if found.placement is None or found.value is None:
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
