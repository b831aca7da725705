"""What bounds and moves of one batch share: its classes, prices and planners."""

import zlib
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from optmodel.batch.bound.price_search import PricedBound, PriceSearch
from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.one_request.planned_placer import PlannedPlacer
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.options import BatchOptions
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.placement import CostedPlacement, Placement, RequestClass, classes_of
from optmodel.problem import FEW_KINDS, FloatArray, RequestTask, with_fewer_kinds
from optmodel.search import Allowance, Search
from optmodel.stages import MOST_KINDS, ArcBook


class BatchWorkbench:
    """The shared tools of one engine.

    Attributes
    ----------
    classes : tuple of RequestClass
        Of the requests that can be served at all.
    priced : PricedBound or None
        The best prices on the budgets that are known.
    """

    def __init__(self, search: Search, options: BatchOptions, seed: int) -> None:
        self.search, self.problem, self.options, self.seed = search, search.problem, options, seed
        self.classes = tuple(
            requests for requests in classes_of(self.problem) if not requests.task.unattainable
        )
        self._spreaders = PlacedBatch(self.problem, self.classes, options.constructions).spreaders
        self.priced: PricedBound | None = None

    def random(self, name: str) -> np.random.Generator:
        """Return a move's own draws, which stay the same whatever other moves there are."""
        # Python's own hash of a string differs from run to run.
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def empty(self) -> PlacedBatch:
        """Return the batch with nothing placed."""
        return PlacedBatch(self.problem, self.classes, self.options.constructions, self._spreaders)

    def standing(self) -> PlacedBatch:
        """Return the incumbent as a batch."""
        batch = self.empty()
        if self.search.incumbent is not None:
            batch.adopt(self.search.incumbent)
            # Who is left out stays out: nothing is to be saved for them.
            batch.expected = len(batch.placed)
        return batch

    def anew(
        self,
        find: Callable[[PlacedBatch, RequestClass, RequestTask], CostedPlacement | None],
        allowance: Allowance,
    ) -> Placement | None:
        """Return the batch placed anew, one request after another.

        None if time is up, or if a request has no place and all are to be served.
        """
        batch = self.empty()
        for requests, member in batch.order:
            if allowance.over:
                return None
            placed = find(batch, requests, member)
            if placed is not None:
                batch.put(member, placed)
            elif self.search.options.admission == "all":
                return None
        return batch.placement()

    @cached_property
    def price_search(self) -> PriceSearch:
        """The search for prices on the budgets; a fleet of many kinds counts as one of few."""
        seen = with_fewer_kinds(self.problem, MOST_KINDS, FEW_KINDS)
        classes = [c for c in classes_of(seen) if not c.task.unattainable]
        return PriceSearch(classes, self.options.bound)

    @property
    def bandwidth_binds(self) -> bool:
        """Whether the best prices known ask something for bandwidth."""
        return self.priced is not None and bool(self.priced.prices[2].any())

    def node_prices(self, priced: PricedBound, scale: float) -> FloatArray:
        """Return a multiple of prices for each helper, shape (3, helpers), a little at least."""
        budgets = self.problem.whole_budgets[:, : self.problem.helpers]
        prices = np.zeros(budgets.shape)
        floor, helpers = self.options.constructions.price_floor, self.problem.helpers
        # Budgets that are slack have no price, but what is left of them is still worth sparing.
        total = max(priced.bound_s, 0.0) * floor / helpers
        np.divide(total, budgets, out=prices, where=budgets > 0)
        for g, group in enumerate(self.price_search.groups):
            nodes = list(group.nodes)
            prices[:, nodes] = np.maximum(prices[:, nodes], priced.prices[:, [g]])
        return scale * prices

    @cached_property
    def _planners(self) -> dict[int, PlannedPlacer]:
        plans, number = self.options.plans, sum(len(c.members) for c in self.classes)
        book = ArcBook(plans.stage_gap)
        return {
            id(c): PlannedPlacer(c, StagePlacer(c, book, plans), number, self.options.bound)
            for c in self.classes
        }

    def planner(self, requests: RequestClass) -> PlannedPlacer:
        """Return who places the requests of a class by plans."""
        return self._planners[id(requests)]

    def plans(self) -> Iterator[tuple[SenderPlan | None, ...]]:
        """Yield who may send behind each stage, a plan per class: at first everybody.

        Others follow if bandwidth has a price.
        """
        yield (None,) * len(self.classes)
        if not self.bandwidth_binds:
            return
        yield from self.price_search.plans
        for scale in self.options.plans.scales:
            plans = [self.planner(requests).plan(scale) for requests in self.classes]
            # A class whose groups are too many has no plan, and then no other class is told one.
            if all(plans):
                yield tuple(plan for plan in plans if plan)
