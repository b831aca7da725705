"""The method `columns`: prices for a bound, placements of single requests for an incumbent."""

import math
import time

import numpy as np

from optmodel.columns.batch import Batch, measured
from optmodel.columns.prices import Priced, PriceSearch
from optmodel.columns.request_class import classes_of
from optmodel.count import CountModel
from optmodel.milp import solve_milp, within_reach
from optmodel.problem import FloatArray
from optmodel.search import Search
from optmodel.solution import Termination
from optmodel.stages.assemble import Assembler
from optmodel.stages.method import StageResult, shortest_paths
from optmodel.stages.path import Path
from optmodel.stages.relaxation import UNREACHABLE

SHARED = "columns: no budget binds; every request takes its own optimum"
PRICED = "columns: the bound comes from prices on the budgets and need not be reached"
PARTIAL = "columns: not all requests were placed, and no bound is known for fewer"
WHOLE = "columns: placing requests one after another failed; the count model took over"

STAGES_SHARE, PRICES_SHARE = 0.15, 0.4
"""Shares of the time that is left for requests as if alone, and for prices."""
SCALES = (1.0, 0.5, 1.5, 0.0)
"""Multiples of the best prices with which requests are placed one after another."""


def solve_columns(search: Search) -> Termination:
    """Bound the batch by prices on its budgets, and place its requests with those prices."""
    run = _Run(search)
    if search.options.admission == "all" and not run.bound_without_prices():
        search.infeasible = True
        return Termination.CONVERGED
    run.construct(0.0)
    run.each_alone()
    if not search.closed and run.can_be_bounded:
        run.raise_prices()
        for scale in SCALES:
            run.construct(scale)
    return run.conclude()


class _Run:
    def __init__(self, search: Search) -> None:
        self.search, self.problem = search, search.problem
        served = [t for t in self.problem.tasks if not t.unattainable]
        self.classes = tuple(
            requests for requests in classes_of(self.problem) if not requests.task.unattainable
        )
        self.everyone = len(served) == len(self.problem.tasks)
        self.search_for_prices = PriceSearch(self.classes) if self.classes else None
        self.steps = self.search_for_prices.improving() if self.search_for_prices else iter(())
        self.best: Priced | None = None

    @property
    def can_be_bounded(self) -> bool:
        """Whether a bound on serving all requests bounds the search."""
        search = self.search
        return self.everyone and (
            search.options.admission == "all" or search.served == len(self.problem.tasks)
        )

    def _deadline(self, share: float) -> float:
        return time.perf_counter() + min(share * self.search.left_s, 1e9)

    def bound_without_prices(self) -> bool:
        """Raise the bound to the sum over requests; False if one of them has no placement."""
        first = next(self.steps, None)
        if first is None or not math.isfinite(first.bound_s):
            return False
        self._keep(first)
        return True

    def _keep(self, priced: Priced) -> None:
        if self.best is None or priced.bound_s > self.best.bound_s:
            self.best = priced
            if self.can_be_bounded:
                self.search.raise_bound(priced.bound_s)

    def raise_prices(self) -> None:
        """Look for better prices until there are none, the gap is closed, or time is up."""
        deadline = self._deadline(PRICES_SHARE)
        for priced in self.steps:
            if math.isfinite(priced.bound_s):
                self._keep(priced)
            if self.search.closed or time.perf_counter() > deadline:
                return

    def _node_prices(self, scale: float) -> FloatArray:
        """Return the best prices per helper, shape (3, helpers)."""
        prices = np.zeros((3, self.problem.helpers))
        if self.best is not None and self.search_for_prices is not None:
            for g, group in enumerate(self.search_for_prices.groups):
                prices[:, list(group.nodes)] = scale * self.best.prices[:, [g]]
        return prices

    def construct(self, scale: float) -> None:
        """Place the requests one after another at a multiple of the best prices."""
        if self.search.closed or (self.search.incumbent is not None and self.search.left_s <= 0):
            return
        batch = Batch(self.problem, self.classes)
        prices = self._node_prices(scale)
        for requests, member in batch.order:
            placed = batch.find(requests, member, prices)
            if placed is not None:
                batch.put(member, placed)
        self.search.offer(batch.placement())

    def each_alone(self) -> None:
        """Place every request as if it were alone: the optimum where budgets are slack."""
        deadline = self._deadline(STAGES_SHARE)
        tolerance = self.search.options.mip_gap
        results = [shortest_paths(c.problem, tolerance, deadline) for c in self.classes]
        alone = zip(self.classes, results, strict=True)
        sums = [len(c.members) * result.bound_s() for c, result in alone]
        if self.can_be_bounded and all(_only(r).bound < UNREACHABLE for r in results):
            self.search.raise_bound(math.fsum(sums) * (1 - 1e-12))
        batch = Batch(self.problem, self.classes)
        if self._deal(batch, results):
            self.search.offer(batch.placement())
            if self.search.closed:
                self.search.notes.append(SHARED)

    def _deal(self, batch: Batch, results: list[StageResult]) -> bool:
        """Put every request on its own shortest path; False if the budgets do not allow it."""
        deals = {
            id(c): (Assembler(c.fleet), _only(result))
            for c, result in zip(self.classes, results, strict=True)
        }
        if any(path.value is None for _, path in deals.values()):
            return False
        carried = np.zeros((3, self.problem.helpers))
        for requests, member in batch.order:
            deal, path = deals[id(requests)]
            deal.load[:, :-1] = carried
            placed = measured(requests, deal.place(requests.task, path))
            carried = deal.load[:, :-1].copy()
            if not batch.fits(member, placed):
                return False
            batch.put(member, placed)
        return True

    def conclude(self) -> Termination:
        """Hand over to the count model if nothing was found; say what the result rests on."""
        search = self.search
        if search.incumbent is None and within_reach(self.problem):
            search.notes.append(WHOLE)
            return solve_milp(search, CountModel)
        if self.can_be_bounded and self.best is not None:
            search.raise_bound(self.best.bound_s)
        if not self.can_be_bounded:
            search.notes.append(PARTIAL)
        elif not search.closed:
            search.notes.append(PRICED)
        if search.closed or search.left_s > 0:
            return Termination.CONVERGED
        return Termination.TIME_LIMIT


def _only(result: StageResult) -> Path:
    """Return the path of the one request that a class stands for."""
    [path] = result.paths.values()
    return path
