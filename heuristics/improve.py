"""Improve any placement for as long as there is time: stages, devices and requests, solved anew."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from heuristics.insertion import insertions
from heuristics.ledger import Ledger
from heuristics.windows import Effort, freed_devices, freed_stages, solve_freed
from optmodel.auto import FEW_PAIRS
from optmodel.columns.neighbourhood import Neighbourhood
from optmodel.columns.prices import PriceSearch
from optmodel.count import CountModel
from optmodel.evaluate import evaluate
from optmodel.greedy.request_class import classes_of
from optmodel.instance import Instance
from optmodel.milp import solve_milp, within_reach
from optmodel.placement import Placement
from optmodel.problem import BoolArray, Problem, RequestTask
from optmodel.search import BOUND_TOLERANCE, Search
from optmodel.solution import ResultError, Termination, TracePoint, relative_gap
from optmodel.solvers import SolverOptions
from optmodel.stages import solve_stages

STAGES_SHARE, PRICES_SHARE, REQUESTS_SHARE = 0.2, 0.2, 0.3
"""Shares of the time then left for the stages, for prices, and for requests in each round."""
INSERT_SHARE = 0.3
"""Share of the time for requests that are left out."""
IDLE_ROUNDS = 3
"""Rounds in a row without a better placement after which windows have nothing left to find."""
LEAST_WIDTH = 2
"""Stages in a window; each idle round frees one more."""
DEVICE_SETS = 4
"""Sets of devices that are freed per request and round."""
WORK = 0.5
"""Deterministic time of one window."""
SECONDS = 60.0
"""Wall time of one window, for machines on which deterministic time passes very slowly."""
LEAST_GAIN = 1e-7
"""Relative; less is no improvement."""
_INTERRUPTED = Termination.INTERRUPTED


@dataclass(frozen=True)
class Improvement:
    """What became of a placement.

    Attributes
    ----------
    placement : Placement
        The best placement; it serves at least the requests that the first one served.
    latency_s : float
        Its latency (Eq. 5), in seconds.
    bound_s : float or None
        Proven lower bound on serving the same requests, in seconds; None when unknown.
    gap : float or None
        (latency - bound) / bound.
    trace : tuple of TracePoint
        Every improvement of incumbent or bound, the first placement included, with its time. All
        of it is about the requests that `placement` serves: what came before the last one was
        inserted is not in it.
    termination : Termination
        Why it stopped.
    """

    placement: Placement
    latency_s: float
    bound_s: float | None
    gap: float | None
    trace: tuple[TracePoint, ...]
    termination: Termination


def improve(
    problem: Problem,
    placement: Placement,
    *,
    time_limit_s: float | None = None,
    gap: float = SolverOptions.mip_gap,
    bound_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    insert: bool = False,
) -> Improvement:
    """Improve a placement that keeps 8b-8h; what is returned keeps them and is never slower.

    The stages and prices on the budgets bound the latency. Then rounds of three neighbourhoods
    follow: a window of stages of one request, or all that a few devices hold of it, is freed and
    solved exactly with everything else in place; one to four requests are placed anew and all
    placements met are recombined. When these find no more, small problems go to the count model
    with the best placement as a start. Ctrl-C ends it with the best placement so far.

    Parameters
    ----------
    problem : Problem
        One request or a batch.
    placement : Placement
        Where the requests are; those without an entry are not served.
    time_limit_s : float, optional
        Wall time in seconds; without it the rounds end it, and nothing depends on the clock but
        the restricted master's limit of ten seconds.
    gap : float
        Relative gap at which to stop.
    bound_s : float, optional
        A bound on serving the placement's requests that is known; ignored if others are inserted.
    rounds : int, optional
        Most rounds; with it the count model is left out.
    seed : int
        Equal input gives equal output if no time limit cuts it.
    insert : bool
        Whether to serve requests that the placement leaves out, even if that takes longer.

    Raises
    ------
    ResultError
        If a bound lies above a placement's latency.
    """
    start = time.perf_counter()
    interrupted = False
    if insert:
        limit_s = math.inf if time_limit_s is None else INSERT_SHARE * time_limit_s
        larger, interrupted = _with_inserted(problem, placement, seed, start + limit_s)
        bound_s = bound_s if larger is placement else None
        placement = larger
    if not placement.requests:
        return Improvement(placement, 0.0, None, None, (), Termination.HEURISTIC_END)
    left_s = None if time_limit_s is None else time_limit_s - (time.perf_counter() - start)
    options = SolverOptions(time_limit_s=left_s, mip_gap=gap, seed=seed)
    search = Search(_served_instance(problem, placement), options)
    search.offer(placement)
    if bound_s is not None:
        search.raise_bound(bound_s)
    run = _Run(search, seed, rounds)
    termination = Termination.INTERRUPTED if interrupted else run.to_the_end()
    return _concluded(search, termination)


def _with_inserted(
    problem: Problem, placement: Placement, seed: int, deadline: float
) -> tuple[Placement, bool]:
    """Return the placement with more requests, and whether Ctrl-C came meanwhile."""
    try:
        for larger in insertions(problem, placement, seed, deadline):
            placement = larger
    except KeyboardInterrupt:
        return placement, True
    return placement, False


def _served_instance(problem: Problem, placement: Placement) -> Instance:
    """Return the instance of the served requests; its nodes have the indices of the whole."""
    served = tuple(t.request for t in problem.tasks if t.request.id in placement.requests)
    return problem.instance.model_copy(update={"requests": served})


def _concluded(search: Search, termination: Termination) -> Improvement:
    assert search.incumbent is not None
    assert search.objective_s is not None
    bound_s = search.bound_s
    if bound_s is not None and bound_s > search.objective_s:
        if bound_s > search.objective_s * (1 + BOUND_TOLERANCE):
            raise ResultError(
                f"the bound {bound_s!r} s is above a placement that takes {search.objective_s!r} s"
            )
        bound_s = search.objective_s
    return Improvement(
        placement=search.incumbent,
        latency_s=search.objective_s,
        bound_s=bound_s,
        gap=relative_gap(search.objective_s, bound_s),
        trace=tuple(search.trace),
        termination=termination,
    )


class _Run:
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

    def to_the_end(self) -> Termination:
        """Improve until the gap is reached, time is up, Ctrl-C comes, or nothing helps."""
        try:
            ended = self._improve()
        except KeyboardInterrupt:
            return Termination.INTERRUPTED
        if ended is Termination.INTERRUPTED:
            return ended
        if self.search.closed:
            return Termination.CONVERGED
        return Termination.TIME_LIMIT if self.search.left_s <= 0 else Termination.HEURISTIC_END

    def _improve(self) -> Termination:
        """Go through bounds, rounds and the count model; stop early if one was interrupted."""
        if self._may_go_on() and solve_stages(self.search, STAGES_SHARE) is _INTERRUPTED:
            return _INTERRUPTED
        self._raise_prices()
        self._rounds()
        timed = self.search.options.time_limit_s is not None
        small = timed and self.rounds is None and within_reach(self.problem, FEW_PAIRS)
        if small and self._may_go_on():
            return solve_milp(self.search, CountModel)
        return Termination.HEURISTIC_END

    def _may_go_on(self) -> bool:
        return self.search.left_s > 0 and not self.search.closed

    def _deadline(self, share: float) -> float:
        return time.perf_counter() + share * self.search.left_s

    def _raise_prices(self) -> None:
        """Raise the bound by prices on the budgets."""
        if not self._may_go_on():
            return
        deadline = self._deadline(PRICES_SHARE)
        for priced in PriceSearch(self.classes).improving():
            self.search.raise_bound(priced.bound_s)
            if not self._may_go_on() or time.perf_counter() > deadline:
                return

    def _rounds(self) -> None:
        idle = number = 0
        while idle < IDLE_ROUNDS and number != self.rounds and self._may_go_on():
            before = self._latency_s
            self._place_anew(number)
            for task in self.problem.tasks:
                self._free_parts(task, LEAST_WIDTH + idle)
            idle = 0 if self._latency_s < before * (1 - LEAST_GAIN) else idle + 1
            number += 1

    @property
    def _latency_s(self) -> float:
        assert self.search.objective_s is not None
        return self.search.objective_s

    def _place_anew(self, number: int) -> None:
        """Place a few requests anew at a time, with other draws in each round."""
        deadline = self._deadline(REQUESTS_SHARE)
        self.search.options = replace(self.search.options, seed=self.seed + number)
        Neighbourhood(self.search, self.classes).improve(
            lambda: self._may_go_on() and time.perf_counter() < deadline
        )

    def _free_parts(self, task: RequestTask, width: int) -> None:
        """Free windows of stages and sets of devices of one request, one after another."""
        for _ in range(DEVICE_SETS):
            placed = self._incumbent.requests[task.request.id]
            self._solve_freed(task, freed_devices(self.problem, task, placed, self.random))
        placed = self._incumbent.requests[task.request.id]
        for free in freed_stages(task, placed, width, self.random):
            self._solve_freed(task, free)

    @property
    def _incumbent(self) -> Placement:
        assert self.search.incumbent is not None
        return self.search.incumbent

    def _solve_freed(self, task: RequestTask, free: BoolArray) -> None:
        """Offer the best placement that differs only in what is freed."""
        if not self._may_go_on():
            return
        incumbent, left = self._incumbent, Ledger.of(self.problem)
        costs = evaluate(self.problem, incumbent)
        left.reserve(np.stack([costs.memory_bytes, costs.compute_mult, costs.bandwidth_bits]))
        effort = Effort(WORK, min(self.search.left_s, SECONDS), self.seed)
        placed = incumbent.requests[task.request.id]
        found = solve_freed(self.problem, task, placed, free, left, effort)
        if found is not None:
            requests = {**incumbent.requests, task.request.id: found}
            self.search.offer(Placement(requests))
