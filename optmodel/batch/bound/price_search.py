"""Prices on the budgets: each gives a lower bound on the batch, cutting planes find good ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.batch.bound.broadcast_packs import BroadcastKinds
from optmodel.batch.bound.broadcast_prices import BroadcastSearch
from optmodel.batch.bound.cutting_planes import ROUNDING, CuttingPlane, CuttingPlanes, climb
from optmodel.batch.bound.priced_arc import PriceReply
from optmodel.batch.bound.priced_graph import PricedGraph
from optmodel.batch.bound.sender_graph import SenderGraph, ranges_of_senders
from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.options import BoundOptions
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray
from optmodel.stages import ArcBook

RequestGraph = PricedGraph | SenderGraph


def graph_of(requests: RequestClass, book: ArcBook, options: BoundOptions) -> RequestGraph:
    """Return the graph that bounds a class: over numbers of senders, if its ranges are few.

    Classes of one batch have the same helpers, and so the same kind of graph.
    """
    if ranges_of_senders(requests) <= options.most_ranges:
        return SenderGraph(requests, book, options)
    return PricedGraph(requests, options)


@dataclass(frozen=True, eq=False)
class PricedBound:
    """What prices say of a batch."""

    prices: FloatArray
    """Seconds per byte, multiplication and bit; shape (3, helper groups)."""
    bound_s: float
    """Proven lower bound on the latency of the batch; infinite if a request has no placement."""


class PriceSearch:
    """Kelley's cutting planes for the concave bound as a function of the prices."""

    def __init__(
        self, classes: Sequence[RequestClass], options: BoundOptions | None = None
    ) -> None:
        self.classes, self.options = classes, options or BoundOptions()
        book = ArcBook(self.options.arc_gap)
        self.graphs: Sequence[RequestGraph] = [graph_of(c, book, self.options) for c in classes]
        first = classes[0]
        self.groups = first.fleet.groups[:-1]
        # Nodes of a group have equal budgets: the first stands for all.
        at = [group.nodes[0] for group in self.groups]
        self.each = first.problem.whole_budgets[:, at].astype(float)
        self._plans: dict[tuple[SenderPlan, ...], float] = {}
        self.room = self.each * np.array([len(group.nodes) for group in self.groups])
        self.numbers = np.array([len(requests.members) for requests in classes], dtype=float)

    @property
    def plans(self) -> list[tuple[SenderPlan, ...]]:
        """Who sends in each class at prices on broadcasts, those of the best bounds first."""
        return sorted(self._plans, key=lambda plans: -self._plans[plans])[: self.options.most_plans]

    def improving(self) -> Iterator[PricedBound]:
        """Yield prices and their bounds, those without prices first, until none can be better.

        Where bandwidth binds, prices on broadcasts follow; `prices` are then the best on budgets.
        """
        best: PricedBound | None = None
        for priced in self._on_budgets():
            yield priced
            if best is None or priced.bound_s > best.bound_s:
                best = priced
        # Whole broadcasts say more than budgets only where bandwidth has a price.
        if best is None or not best.prices[2].any():
            return
        graphs = [graph for graph in self.graphs if isinstance(graph, SenderGraph)]
        # Prices on broadcasts need numbers of senders, which the other graphs do not have.
        if len(graphs) < len(self.graphs):
            return
        broadcasts = BroadcastKinds.of_batch(self.classes, graphs)
        # Each time that prices are asked, every set is weighed for every group.
        if broadcasts.packs > self.options.most_packs:
            return
        search = BroadcastSearch(self.classes, graphs, broadcasts, self.each, self.options)
        self._plans = search.plans
        for bound_s in search.improving(best.prices, best.bound_s):
            yield PricedBound(best.prices, bound_s)

    def _on_budgets(self) -> Iterator[PricedBound]:
        """Yield ever better prices on budgets; arcs are solved once they are nearly good."""
        start = np.zeros(self.room.shape)
        first, replies = self._ask(start, False)
        yield first
        # The planes are in units of this bound: it must be a number above 0.
        if not np.isfinite(first.bound_s) or first.bound_s <= 0:
            return
        outdated = [graph.outdated for graph in self.graphs]
        # A price on a whole budget, in seconds, takes just as many seconds from the bound.
        planes = CuttingPlanes(
            self.numbers, np.ones(self.room.size), first.bound_s, outdated, self.options
        )
        self._cut(planes, replies)

        def ask(totals: FloatArray, closely: bool) -> float:
            found, replies = self._ask(self._per_unit(totals), closely)
            self._cut(planes, replies)
            return found.bound_s

        climbing = climb(
            planes,
            ask,
            start.ravel(),
            first.bound_s,
            closely=False,
            tolerance=self.options.tolerance,
        )
        for at, bound_s in climbing:
            yield PricedBound(self._per_unit(at), bound_s)

    def _per_unit(self, totals: FloatArray) -> FloatArray:
        """Return prices per unit, shape (3, groups), from those of whole budgets, one vector."""
        prices: FloatArray = np.zeros(self.room.shape)
        np.divide(totals.reshape(self.room.shape), self.room, out=prices, where=self.room > 0)
        return prices

    def _ask(self, prices: FloatArray, closely: bool) -> tuple[PricedBound, list[PriceReply]]:
        """Return the bound that prices give (Lagrange), rounded down, and each class's reply."""
        # A source carries the same load in every placement (8h): it needs no price.
        with_source = np.hstack([prices, np.zeros((3, 1))])
        replies = [graph.cheapest(with_source, closely) for graph in self.graphs]
        values = np.array([reply.value_s for reply in replies])
        paid = float((prices * self.room).sum())
        bound = float(self.numbers @ values) - paid
        if np.isfinite(bound):
            # A difference of large sums: far more than floats can be off by.
            bound -= ROUNDING * (float(self.numbers @ np.abs(values)) + paid)
        return PricedBound(prices, bound), replies

    def _cut(self, planes: CuttingPlanes, replies: list[PriceReply]) -> None:
        for c, reply in enumerate(replies):
            load = reply.load[:, :-1]
            share = np.divide(load, self.room, out=np.zeros_like(load), where=self.room > 0)
            planes.planes.append(CuttingPlane(c, reply.latency_s, share.ravel(), reply.rests_on))
