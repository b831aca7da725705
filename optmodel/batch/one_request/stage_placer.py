"""Place one request with exactly solved stages, between given senders, on what budgets leave."""

from collections.abc import Callable, Iterator
from operator import itemgetter

import numpy as np

from optmodel.batch.one_request.partial_placement import (
    PartialPlacement,
    heard_rates,
    segments_within,
)
from optmodel.batch.options import PlanOptions
from optmodel.placement import RequestClass, RequestPlacement
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


class StagePlacer:
    """Places a class's request stage by stage, each solved exactly between given senders.

    Parameters
    ----------
    requests : RequestClass
        The class.
    book : ArcBook
        Where solved arcs are kept: equal devices make most arcs of equal requests equal.
    options : PlanOptions, optional
        Steps for one arc, and the most on one node.
    """

    def __init__(
        self, requests: RequestClass, book: ArcBook, options: PlanOptions | None = None
    ) -> None:
        self.options = options or PlanOptions()
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
            What it may take before it gives up; one arc takes `options.arc_steps` at most.
        who : callable
            Tells which nodes may end a stage, given its number and the bandwidth that is left.
        """
        partial = PartialPlacement(self.task, left)
        for k, cut in enumerate(self.cuts):
            may = self._may_end(cut, partial.left, who(k, partial.left[2]))
            receive = self._receive(cut, partial.senders(cut))
            solved = [
                self._solved(cut, receive, most, partial.left, allowance)
                for most in self._ways_to_end(cut, may, partial.left)
            ]
            found = [stage for stage in solved if stage is not None]
            if not found:
                return None
            partial.add(cut, min(found, key=itemgetter(0))[1])
        return partial.finished()

    def _ways_to_end(self, cut: StageCut, may: IntArray, left: FloatArray) -> Iterator[IntArray]:
        """Yield what nodes may end the stage with: all, or the emptiest of a group gathers it."""
        if not cut.gathers:
            yield may
            return
        can = np.flatnonzero(may >= self.task.layers[cut.last].segments)
        for g in dict.fromkeys(self.group[can].tolist()):
            target = max(can[self.group[can] == g].tolist(), key=lambda i: (left[0, i], -i))
            yield np.where(np.arange(self.nodes) == target, may, 0)

    def _receive(self, cut: StageCut, senders: IntArray) -> IntArray:
        """Return the ticks that each node takes to receive one map."""
        layer = self.task.layers[cut.first - 1]
        heard = heard_rates(senders, self.problem.rate).tolist()
        # Who hears nobody has all that is sent, or is before the first stage: no wait.
        ticks = [self.fleet.sending(layer, rate) if rate < np.inf else 0 for rate in heard]
        return np.array(ticks, dtype=np.int64)

    def _may_end(self, cut: StageCut, left: FloatArray, chosen: BoolArray) -> IntArray:
        """Return the most segments of the last layer on each node that is chosen."""
        last = self.task.layers[cut.last]
        most = segments_within(last, left)
        most = np.where(chosen & (left[2] >= broadcast_bits(self.task, cut)), most, 0)
        if not cut.gathers and (most > 0).any():
            share = -(-last.segments // int((most > 0).sum()))
            most = np.minimum(most, self.options.most_shares * share + 1)
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
        # In order, so that the book knows the arc again whichever nodes its groups are.
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
        found = self.book.solve(arc, UNREACHABLE, allowance.part(self.options.arc_steps))
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
