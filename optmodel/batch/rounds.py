"""Rounds of neighbourhoods around a search's incumbent: stages, devices, requests."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from optmodel.batch.batch import PlacedBatch
from optmodel.batch.bound.prices import PricedBatch, PriceSearch
from optmodel.batch.bound.senders import SenderPlan
from optmodel.batch.columns import ARC_GAP, FIRST_PATIENCE
from optmodel.batch.moves.neighbourhood import RuinAndRecreate
from optmodel.batch.moves.windows import WindowEffort, freed_devices, freed_stages, solve_freed
from optmodel.batch.one_request.planned import PlannedPlacer
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.cpsat import solve_milp
from optmodel.milp import FEW_PAIRS, CountModel, within_reach
from optmodel.placement import (
    CostedPlacement,
    Placement,
    RequestClass,
    Termination,
    classes_of,
    evaluate,
)
from optmodel.problem import MOST_GROUPS, BoolArray, BudgetLedger, RequestTask
from optmodel.search import Allowance, Search
from optmodel.stages import ArcBook, solve_stages

STAGES_SHARE, PRICES_SHARE = 0.2, 0.2
"""Shares of the time then left for the stages and for prices, which bound the latency."""
FIRST_STAGES_SHARE, FIRST_ROUND_SHARE = 0.05, 0.5
"""Shares of a time limit, before the bounds get theirs: for the stages, which place and prove in it
what no budget binds, and for a first round, so that Ctrl-C soon after finds something better."""
EXACT_SHARE, REQUESTS_SHARE = 0.5, 0.3
"""Shares of the time then left, in each round, for one request by its stages (a batch gets less: it
has more to gain from the others) and for several requests at a time."""
LEAST_PART = 4
"""A batch gets at least the share for one request divided by this."""
IDLE_ROUNDS = 3
"""Rounds in a row without a better placement after which windows have nothing left to find."""
LEAST_WIDTH = 2
"""Stages in a window; each idle round frees one more."""
DEVICE_SETS = 4
"""Sets of devices that are freed per request and round."""
WORK = 0.1
"""Deterministic time of one window; each idle round adds as much."""
LEAST_GAIN = 1e-7
"""Relative; less is no improvement."""


class ImprovementRounds:
    """One improvement of a search's incumbent.

    Parameters
    ----------
    search : Search
        All of whose requests the incumbent serves.
    seed : int
        Of everything that is drawn.
    rounds : int or None
        Most rounds.
    """

    def __init__(self, search: Search, seed: int, rounds: int | None) -> None:
        self.search, self.problem = search, search.problem
        self.random = np.random.default_rng(seed)
        self.seed, self.rounds = seed, rounds
        self.classes = classes_of(self.problem)
        book = ArcBook(ARC_GAP)
        self.placers = {id(requests): StagePlacer(requests, book) for requests in self.classes}
        number = len(self.problem.tasks)
        self.planners = {id(c): PlannedPlacer(c, self.placers[id(c)], number) for c in self.classes}
        self.bandwidth_binds = False
        self.reserved_s = 0.0

    def to_the_end(self) -> Termination:
        """Improve until the gap is reached, time is up, Ctrl-C comes, or nothing helps."""
        try:
            with self.search.speaking("the improvement"):
                ended = self._improve()
        except KeyboardInterrupt:
            return Termination.INTERRUPTED
        if ended is Termination.INTERRUPTED:
            return ended
        if self.search.closed:
            return Termination.CONVERGED
        return Termination.TIME_LIMIT if self.search.left_s <= 0 else Termination.HEURISTIC_END

    def _improve(self) -> Termination:
        """Go through bounds, rounds and the count model."""
        if len(self.classes[0].fleet.groups) > MOST_GROUPS:
            self._place_anew(0)  # On such fleets the stages can take more time than there is.
        timed = self.search.options.time_limit_s is not None and self.rounds is None
        ended = self._solve_stages(FIRST_STAGES_SHARE if timed else STAGES_SHARE)
        if timed and self._may_go_on():
            self.reserved_s = (1 - FIRST_ROUND_SHARE) * self.search.left_s
            self._round(0, 0)
            self.reserved_s = 0.0
        if not ended:
            self._solve_stages(STAGES_SHARE)
        small = timed and within_reach(self.search, FEW_PAIRS)
        self._rounds(1 if small else IDLE_ROUNDS)
        if small and self._may_go_on():
            with self.search.speaking("count"):
                return solve_milp(self.search, CountModel)
        return Termination.HEURISTIC_END

    def _solve_stages(self, share: float) -> bool:
        """Solve each request as if alone, in a share of the time left; tell whether it was enough.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C cut it short.
        """
        if not self._may_go_on():
            return False
        allowance = self.search.allowance(share)
        with self.search.speaking("stages"):
            if solve_stages(self.search, share) is Termination.INTERRUPTED:
                raise KeyboardInterrupt
        return not allowance.over

    def _may_go_on(self) -> bool:
        return self.search.left_s > self.reserved_s and not self.search.closed

    @cached_property
    def prices(self) -> PriceSearch:
        """The search for prices on the budgets."""
        return PriceSearch(self.classes)

    @cached_property
    def _better_prices(self) -> Iterator[PricedBatch]:
        return self.prices.improving()

    def _raise_prices(self) -> None:
        """Raise the bound by prices on the budgets, going on where it was left."""
        if not self._may_go_on():
            return
        allowance = self.search.allowance(PRICES_SHARE)
        for priced in self._better_prices:
            with self.search.speaking("prices"):
                self.search.raise_bound(priced.bound_s)
            self.bandwidth_binds |= bool(priced.prices[2].any())
            if not self._may_go_on() or allowance.over:
                return

    def _rounds(self, most_idle: int) -> None:
        """Go through the neighbourhoods until some rounds in a row have found nothing better."""
        idle = number = 0
        while idle < most_idle and number != self.rounds and self._may_go_on():
            before = self._latency_s
            self._raise_prices()
            self._round(number, idle)
            idle = 0 if self._latency_s < before * (1 - LEAST_GAIN) else idle + 1
            number += 1

    def _round(self, number: int, idle: int) -> None:
        """Go through the neighbourhoods once, what finds most in least time first."""
        self._place_anew(number)
        self._place_by_stages()
        for at in self.random.permutation(len(self.problem.tasks)).tolist():
            self._free_parts(self.problem.tasks[at], idle)

    @property
    def _latency_s(self) -> float:
        assert self.search.objective_s is not None
        return self.search.objective_s

    def _place_anew(self, number: int) -> None:
        """Place a few requests anew at a time, with other draws in each round."""
        allowance = self.search.allowance(REQUESTS_SHARE)
        self.search.options = replace(self.search.options, seed=self.seed + number)
        RuinAndRecreate(self.search, self.classes).improve(
            lambda: self._may_go_on() and not allowance.over
        )

    def _place_by_stages(self) -> None:
        """Take out each request and place it stage by stage, each solved exactly."""
        batch = PlacedBatch(self.problem, self.classes)
        batch.adopt(self._incumbent)
        allowance = self.search.allowance(EXACT_SHARE / min(len(batch.order), LEAST_PART))
        for at in self.random.permutation(len(batch.order)).tolist():
            member = batch.order[at][1]
            placed = batch.take_back(member)
            for attempt in self._attempts(batch, member, allowance):
                if not self._may_go_on() or allowance.over:
                    break
                found = attempt()
                if found is not None and found.latency_s < placed.latency_s:
                    placed = found
            batch.put(member, placed)
            self.search.offer(batch.placement())

    def _attempts(
        self, batch: PlacedBatch, member: RequestTask, allowance: Allowance
    ) -> Iterator[Callable[[], CostedPlacement | None]]:
        """Yield ways to place a request on what a batch leaves, those by plans last."""
        requests = batch.class_of(member)
        placer, planner = self.placers[id(requests)], self.planners[id(requests)]
        for patience in FIRST_PATIENCE:
            yield partial(placer.find, batch, member, patience, allowance)
        for plan in self._plans_of(requests):
            yield partial(planner.find, batch, member, plan, allowance)

    def _plans_of(self, requests: RequestClass) -> Iterator[SenderPlan]:
        """Yield who may send in a class, if bandwidth has a price."""
        if self.bandwidth_binds:
            c = self.classes.index(requests)
            yield from dict.fromkeys(plans[c] for plans in self.prices.plans)
            yield from self.planners[id(requests)].plans()

    def _free_parts(self, task: RequestTask, idle: int) -> None:
        """Free sets of devices and windows of stages of one request, one after another."""
        for _ in range(DEVICE_SETS):
            placed = self._incumbent.requests[task.request.id]
            free = freed_devices(self.problem, task, placed, self.random)
            self._solve_freed(task, free, (1 + idle) * WORK)
        placed = self._incumbent.requests[task.request.id]
        for free in freed_stages(task, placed, LEAST_WIDTH + idle, self.random):
            self._solve_freed(task, free, (1 + idle) * WORK)

    @property
    def _incumbent(self) -> Placement:
        assert self.search.incumbent is not None
        return self.search.incumbent

    def _solve_freed(self, task: RequestTask, free: BoolArray, work: float) -> None:
        """Offer the best placement that differs only in what is freed."""
        if not self._may_go_on():
            return
        incumbent, left = self._incumbent, BudgetLedger.of(self.problem)
        costs = evaluate(self.problem, incumbent)
        left.reserve(np.stack([costs.memory_bytes, costs.compute_mult, costs.bandwidth_bits]))
        effort = WindowEffort(work, self.search.left_s, self.seed)
        placed = incumbent.requests[task.request.id]
        found = solve_freed(self.problem, task, placed, free, left, effort)
        if found is not None:
            requests = {**incumbent.requests, task.request.id: found}
            self.search.offer(Placement(requests))
