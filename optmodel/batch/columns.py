"""The method `columns`: prices for a bound, placements of single requests for an incumbent."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from optmodel.batch.batch import PlacedBatch
from optmodel.batch.bound.prices import PricedBatch, PriceSearch
from optmodel.batch.bound.senders import SenderPlan
from optmodel.batch.moves.construct import offer_constructions
from optmodel.batch.moves.neighbourhood import RuinAndRecreate
from optmodel.batch.one_request.planned import SCALES as SCALES_OF_PLANS
from optmodel.batch.one_request.planned import PlannedPlacer
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.one_request.stage_share import NoRoom
from optmodel.cpsat import solve_milp
from optmodel.limits import limit_served
from optmodel.milp import CountModel, within_reach
from optmodel.placement import CostedPlacement, RequestClass, Termination, classes_of
from optmodel.problem import FEW_KINDS, FloatArray, RequestTask, with_fewer_kinds
from optmodel.search import Allowance, Search
from optmodel.stages import (
    LEAST_TOLERANCE,
    MOST_KINDS,
    UNREACHABLE,
    ArcBook,
    PathAssembler,
    StagePath,
    StageResult,
    shortest_paths,
)

SHARED = "columns: no budget binds; every request takes its own optimum"
PRICED = "columns: the bound comes from prices on the budgets and need not be reached"
PARTIAL = "columns: not all requests were placed, and no bound is known for fewer"
WHOLE = "columns: placing requests one after another failed; the count model took over"

STAGES_SHARE, PRICES_SHARE = 0.15, 0.4
"""Shares of the time that is left for requests as if alone, and for prices."""
EXACT_SHARE = 0.4
"""Share of the time then left for placing with exactly solved stages."""
SCALES = (1.0, 1.5, 0.6)
"""Multiples of the best prices with which requests are placed one after another."""
ALONE_GAP = 1e-4
"""Relative gap to which requests as if alone are solved, at most."""
ARC_GAP = 1e-3
"""Relative gap to which stages of placements are solved."""
LEAST_PRICE = 0.01
"""Share of the batch's latency that all budgets of a kind together cost at least."""
PATIENCE = (0.0, 0.02, 0.03, 0.035, 0.04, 0.045, 0.05, 0.06, 0.08, 0.12, 0.2)
"""So much longer may a stage take if that leaves out a node."""
FIRST_PATIENCE = (0.0, 0.04, 0.03, 0.05, 0.02, 0.06, 0.08, 0.12, 0.2)
"""The patience with which whole batches are placed, in the order of trying."""
LEAST_GAIN = 1e-5
"""A trade of two requests must gain this share of the batch's latency."""


def solve_columns(search: Search) -> Termination:
    """Bound the batch by prices on its budgets, and place its requests with those prices."""
    limit_served(search)
    if search.incumbent is None:
        offer_constructions(search)
    run = _ColumnsRun(search)
    if search.options.admission == "all" and not run.bound_without_prices():
        search.infeasible = True
        return Termination.CONVERGED
    if not run.each_alone():
        return Termination.INTERRUPTED
    if not search.closed:
        if search.options.admission == "all":
            run.raise_prices()
        for scale in SCALES:
            run.construct(scale)
        with run.within(EXACT_SHARE):
            for patience in FIRST_PATIENCE:
                run.construct_exactly(patience)
            for plans in run.plans():
                run.construct_planned(plans)
        run.recombine()
    return run.conclude()


class _ColumnsRun:
    def __init__(self, search: Search) -> None:
        self.search, self.problem = search, search.problem
        served = [t for t in self.problem.tasks if not t.unattainable]
        self.classes = tuple(
            requests for requests in classes_of(self.problem) if not requests.task.unattainable
        )
        self.everyone = len(served) == len(self.problem.tasks)
        seen = classes_of(with_fewer_kinds(self.problem, MOST_KINDS, FEW_KINDS))
        priced = [requests for requests in seen if not requests.task.unattainable]
        self.search_for_prices = PriceSearch(priced) if priced else None
        self.steps = self.search_for_prices.improving() if self.search_for_prices else iter(())
        self.best: PricedBatch | None = None
        book = ArcBook(ARC_GAP)
        self.alone_s: dict[int, float] = {}
        self.allowance = search.allowance()
        self.placers = {id(requests): StagePlacer(requests, book) for requests in self.classes}
        self.planners = {
            id(c): PlannedPlacer(c, self.placers[id(c)], len(served)) for c in self.classes
        }

    @property
    def can_be_bounded(self) -> bool:
        """Whether a bound on serving all requests bounds the search."""
        search = self.search
        return self.everyone and (
            search.options.admission == "all" or search.served == len(self.problem.tasks)
        )

    def bound_without_prices(self) -> bool:
        """Raise the bound to the sum over requests; False if one of them has no placement."""
        first = next(self.steps, None)
        if first is None or not math.isfinite(first.bound_s):
            return False
        self._keep(first)
        return True

    def _keep(self, priced: PricedBatch) -> None:
        if self.best is None or priced.bound_s > self.best.bound_s:
            self.best = priced
            if self.can_be_bounded:
                self.search.raise_bound(priced.bound_s)

    def raise_prices(self) -> None:
        """Look for better prices until there are none, the gap is closed, or time is up."""
        allowance = self.search.allowance(PRICES_SHARE)
        while not self.search.closed and not allowance.over:
            priced = next(self.steps, None)
            if priced is None:
                return
            if math.isfinite(priced.bound_s):
                self._keep(priced)

    def _node_prices(self, scale: float) -> FloatArray:
        """Return prices per helper, shape (3, helpers): the best known, and a little at least."""
        prices = np.zeros((3, self.problem.helpers))
        if self.best is None or self.search_for_prices is None:
            return prices
        budgets = self.problem.whole_budgets[:, : self.problem.helpers]
        total = max(self.best.bound_s, 0.0) * LEAST_PRICE / self.problem.helpers
        np.divide(total, budgets, out=prices, where=budgets > 0)
        for g, group in enumerate(self.search_for_prices.groups):
            nodes = list(group.nodes)
            prices[:, nodes] = np.maximum(prices[:, nodes], self.best.prices[:, [g]])
        return scale * prices

    def _may_go_on(self) -> bool:
        return not (self.allowance.over or self.search.closed)

    @contextmanager
    def within(self, share: float) -> Iterator[None]:
        """Grant what is done inside a share of the time that is left."""
        self.allowance = self.search.allowance(share)
        yield
        self.allowance = self.search.allowance()

    def recombine(self) -> None:
        """Place a few requests anew again and again, and recombine what was found."""
        if self.search.served and self._may_go_on():
            RuinAndRecreate(self.search, self.classes).improve(self._may_go_on)

    def construct(self, scale: float) -> None:
        """Place the requests one after another at a multiple of the best prices."""
        batch = PlacedBatch(self.problem, self.classes)
        prices = self._node_prices(scale)
        for requests, member in batch.order:
            if not self._may_go_on():
                return
            placed = batch.find(requests, member, prices)
            if not isinstance(placed, NoRoom):
                batch.put(member, placed)
            elif self.search.options.admission == "all":
                return
        self.search.offer(batch.placement())

    def construct_exactly(self, patience: float) -> None:
        """Place the requests one after another, each stage solved exactly on few senders."""
        batch = PlacedBatch(self.problem, self.classes)
        prices = self._node_prices(1.0)
        for requests, member in batch.order:
            if not self._may_go_on():
                return
            placed: CostedPlacement | NoRoom | None = self._exactly(
                batch, requests, member, patience
            )
            placed = placed or batch.find(requests, member, prices)
            if not isinstance(placed, NoRoom):
                batch.put(member, placed)
            elif self.search.options.admission == "all":
                return
        self.search.offer(batch.placement())
        if batch.complete:
            self._improve(batch)

    def plans(self) -> Iterator[tuple[SenderPlan, ...]]:
        """Yield who may send in each class, if bandwidth has a price."""
        if self.search_for_prices is None or self.best is None or not self.best.prices[2].any():
            return
        yield from self.search_for_prices.plans
        for scale in SCALES_OF_PLANS:
            plans = [self.planners[id(requests)].plan(scale) for requests in self.classes]
            if all(plans):
                yield tuple(plan for plan in plans if plan)

    def construct_planned(self, plans: tuple[SenderPlan, ...]) -> None:
        """Place the requests one after another, with given senders behind each stage."""
        batch = PlacedBatch(self.problem, self.classes)
        plan_of = {id(c): plan for c, plan in zip(self.classes, plans, strict=True)}
        for requests, member in batch.order:
            if not self._may_go_on():
                return
            planner, plan = self.planners[id(requests)], plan_of[id(requests)]
            placed = planner.find(batch, member, plan, self.allowance)
            if placed is not None:
                batch.put(member, placed)
            elif self.search.options.admission == "all":
                return
        self.search.offer(batch.placement())

    def _exactly(
        self, batch: PlacedBatch, requests: RequestClass, member: RequestTask, patience: float
    ) -> CostedPlacement | None:
        return self.placers[id(requests)].find(batch, member, patience, self.allowance)

    def _improve(self, batch: PlacedBatch) -> None:
        """Let a fast request take longer where that helps the slowest of its class more."""
        for requests in self.classes:
            while self._may_go_on() and self._trade(batch, requests):
                self.search.offer(batch.placement())

    def _bound_those_served(self) -> None:
        """Raise the bound to the sum of the least latencies of as many requests, each as if alone.

        Valid because no placement serves more, and those served take at least this long.
        """
        each = sorted(self.alone_s[id(c)] for c in self.classes for _ in c.members)
        self.search.raise_bound(math.fsum(each[: self.search.most_served]) * (1 - 1e-12))

    def _trade(self, batch: PlacedBatch, requests: RequestClass) -> bool:
        """Place the slowest member anew together with another one; False if that helps nowhere."""
        ranked = sorted(requests.members, key=lambda m: batch.placed[m.request.id].latency_s)
        slowest = ranked.pop()
        for other in ranked:
            before = batch.latency_s
            old = batch.take_back(slowest), batch.take_back(other)
            for patience in PATIENCE:
                if not self._may_go_on():
                    break
                given = self._exactly(batch, requests, other, patience)
                if given is None:
                    continue
                batch.put(other, given)
                for taken in PATIENCE if self._may_go_on() else ():
                    last = self._exactly(batch, requests, slowest, taken)
                    if last is not None:
                        batch.put(slowest, last)
                        if batch.latency_s < before - LEAST_GAIN * before:
                            return True
                        batch.take_back(slowest)
                batch.take_back(other)
            batch.put(slowest, old[0])
            batch.put(other, old[1])
            if not self._may_go_on():
                return False
        return False

    def each_alone(self) -> bool:
        """Place every request as if it were alone: the optimum where budgets are slack.

        Returns whether the run may go on; False after Ctrl-C, with what is known by then kept.
        """
        allowance = self.search.allowance(STAGES_SHARE)
        tolerance = max(min(self.search.options.mip_gap, ALONE_GAP), LEAST_TOLERANCE)
        results: list[StageResult] = []
        for requests in self.classes:
            results.append(shortest_paths(requests.problem, tolerance, allowance))
            if results[-1].interrupted:
                allowance = Allowance(0)
        self.alone_s = {id(c): r.bound_s() for c, r in zip(self.classes, results, strict=True)}
        alone = zip(self.classes, results, strict=True)
        sums = [len(c.members) * result.bound_s() for c, result in alone]
        if self.can_be_bounded and all(_only(r).bound < UNREACHABLE for r in results):
            self.search.raise_bound(math.fsum(sums) * (1 - 1e-12))
        batch = PlacedBatch(self.problem, self.classes)
        if self._deal(batch, results):
            self.search.offer(batch.placement())
            if self.search.closed:
                self.search.notes.append(SHARED)
        return not any(result.interrupted for result in results)

    def _deal(self, batch: PlacedBatch, results: list[StageResult]) -> bool:
        """Put every request on its own shortest path; False if the budgets do not allow it."""
        deals = {
            id(c): (PathAssembler(c.fleet), _only(result))
            for c, result in zip(self.classes, results, strict=True)
        }
        if any(path.value is None for _, path in deals.values()):
            return False
        carried = np.zeros((3, self.problem.helpers))
        for requests, member in batch.order:
            deal, path = deals[id(requests)]
            deal.load[:, :-1] = carried
            placed = requests.costed(deal.place(requests.task, path))
            carried = deal.load[:, :-1].copy()
            if not batch.fits(member, placed):
                return False
            batch.put(member, placed)
        return True

    def conclude(self) -> Termination:
        """Hand over to the count model if nothing was found; say what the result rests on."""
        search = self.search
        if search.incumbent is None and within_reach(search):
            search.notes.append(WHOLE)
            return solve_milp(search, CountModel)
        if self.can_be_bounded and self.best is not None:
            search.raise_bound(self.best.bound_s)
        if search.options.admission == "most" and search.served == search.most_served:
            self._bound_those_served()
        elif not self.can_be_bounded:
            search.notes.append(PARTIAL)
        elif not search.closed:
            search.notes.append(PRICED)
        if search.closed or search.left_s > 0:
            return Termination.CONVERGED
        return Termination.TIME_LIMIT


def _only(result: StageResult) -> StagePath:
    """Return the path of the one request that a class stands for."""
    [path] = result.paths.values()
    return path
