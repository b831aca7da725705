"""What bounds and moves of one batch share: its classes, prices, planners and columns."""

import zlib
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from optmodel.batch.bound.price_search import PricedBatch, PriceSearch
from optmodel.batch.bound.sender_sets import SenderPlan
from optmodel.batch.moves.batch_construction import scarcity
from optmodel.batch.moves.restricted_master import RestrictedMaster
from optmodel.batch.one_request.planned_placer import SCALES, PlannedPlacer
from optmodel.batch.one_request.request_spreader import RequestSpreader
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.options import BatchOptions
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.placement import RequestClass, classes_of
from optmodel.problem import FEW_KINDS, FloatArray, with_fewer_kinds
from optmodel.search import Search
from optmodel.stages import MOST_KINDS, ArcBook


class BatchWorkbench:
    """The shared tools of one engine.

    Parameters
    ----------
    search : Search
        Whose batch it is.
    options : BatchOptions
        Its numbers.
    seed : int
        Of everything that is drawn.

    Attributes
    ----------
    classes : tuple of RequestClass
        Of the requests that can be served at all.
    master : RestrictedMaster
        All placements of single requests that were met.
    priced : PricedBatch or None
        The best prices on the budgets that are known.
    single_prices : ndarray, shape (3, helpers)
        The master's prices, one per node; at first, uniform ones.
    """

    def __init__(self, search: Search, options: BatchOptions, seed: int) -> None:
        self.search, self.problem, self.options, self.seed = search, search.problem, options, seed
        self.classes = tuple(
            requests for requests in classes_of(self.problem) if not requests.task.unattainable
        )
        self._spreaders = {id(c): RequestSpreader(c.problem) for c in self.classes}
        budgets = self.problem.whole_budgets[:, : self.problem.helpers].astype(float)
        unit_s = self.problem.time_unit_s
        self.master = RestrictedMaster(self.classes, budgets, unit_s, options.recombine)
        self.priced: PricedBatch | None = None
        self.single_prices = scarcity(self.problem, 1.0)

    def random(self, name: str) -> np.random.Generator:
        """Return a move's own draws, which stay the same whatever other moves there are."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def empty(self) -> PlacedBatch:
        """Return the batch with nothing placed."""
        return PlacedBatch(self.problem, self.classes, self._spreaders)

    def standing(self) -> PlacedBatch:
        """Return the incumbent as a batch; the master gets to know its placements."""
        batch = self.empty()
        if self.search.incumbent is not None:
            batch.adopt(self.search.incumbent)
            batch.expected = len(batch.placed)
        for member in batch.served:
            self.master.add(batch.class_of(member), batch.placed[member.request.id])
        return batch

    @cached_property
    def price_search(self) -> PriceSearch:
        """The search for prices on the budgets; a fleet of many kinds counts as one of few."""
        seen = with_fewer_kinds(self.problem, MOST_KINDS, FEW_KINDS)
        return PriceSearch([c for c in classes_of(seen) if not c.task.unattainable])

    @property
    def bandwidth_binds(self) -> bool:
        """Whether the best prices known ask something for bandwidth."""
        return self.priced is not None and bool(self.priced.prices[2].any())

    def node_prices(self, priced: PricedBatch, scale: float) -> FloatArray:
        """Return a multiple of prices for each helper, shape (3, helpers), a little at least."""
        budgets = self.problem.whole_budgets[:, : self.problem.helpers]
        prices = np.zeros(budgets.shape)
        total = max(priced.bound_s, 0.0) * self.options.price_floor / self.problem.helpers
        np.divide(total, budgets, out=prices, where=budgets > 0)
        for g, group in enumerate(self.price_search.groups):
            nodes = list(group.nodes)
            prices[:, nodes] = np.maximum(prices[:, nodes], priced.prices[:, [g]])
        return scale * prices

    @cached_property
    def _planners(self) -> dict[int, PlannedPlacer]:
        book, number = ArcBook(self.options.stage_gap), sum(len(c.members) for c in self.classes)
        return {id(c): PlannedPlacer(c, StagePlacer(c, book), number) for c in self.classes}

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
        for scale in SCALES:
            plans = [self.planner(requests).plan(scale) for requests in self.classes]
            if all(plans):
                yield tuple(plan for plan in plans if plan)
