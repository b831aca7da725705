"""Improve any placement for as long as there is time: stages, devices and requests, solved anew."""

import math
import time
from dataclasses import dataclass, replace

from heuristics.insertion import insertions
from heuristics.policy import PolicyOutcome
from optmodel.batch import improve_incumbent
from optmodel.ground.rule_errors import ResultError
from optmodel.placement import (
    Placement,
    Solution,
    Termination,
    TracePoint,
    from_document,
    latency_text,
    percent,
    relative_gap,
    to_document,
)
from optmodel.problem import Instance, Problem
from optmodel.search import Search, SolverOptions
from optmodel.solution_builder import with_placement

INSERT_SHARE = 0.5
"""Share of the time for requests that are left out."""
GIVEN = "the start of the improvement"
"""Who speaks before the improvement does."""


@dataclass(frozen=True)
class ImprovedPlacement:
    """What became of a placement."""

    placement: Placement
    """The best placement; it serves at least the requests that the first one served."""
    latency_s: float
    """Its latency (Eq. 5), in seconds."""
    bound_s: float | None
    """Proven lower bound on serving the same requests, in seconds; None when unknown."""
    trace: tuple[TracePoint, ...]
    """Every improvement of incumbent or bound, the first placement included, with its time. All of
    it is about the requests that `placement` serves: what came before the last one was inserted is
    not in it."""
    termination: Termination
    """Why it stopped."""

    @property
    def gap(self) -> float | None:
        """(latency - bound) / bound; None when unknown."""
        return relative_gap(self.latency_s, self.bound_s)


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
) -> ImprovedPlacement:
    """Improve a placement that keeps 8b-8h; what is returned keeps them and is never slower.

    The engine for batches (`optmodel.batch.BatchEngine`) bounds the latency by the stages and by
    prices on the budgets, and between the steps of the bound places requests anew, by plans of who
    sends, or exactly in windows. When this finds no more, small problems with a time limit go to
    the count model with the best placement as a start. Ctrl-C ends it with the best placement so
    far.

    Parameters
    ----------
    problem : Problem
        One request or a batch.
    placement : Placement
        Where the requests are; those without an entry are not served.
    time_limit_s : float, optional
        Wall time in seconds; without it the rounds end it.
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
        If the placement breaks a budget, a bound lies above its latency, or a method claims that
        there is none.
    """
    start, interrupted = time.perf_counter(), False
    if insert:
        limit_s = math.inf if time_limit_s is None else INSERT_SHARE * time_limit_s
        larger, interrupted = _with_inserted(problem, placement, seed, start + limit_s)
        bound_s = bound_s if larger is placement else None
        placement = larger
    if not placement.requests:
        return ImprovedPlacement(placement, 0.0, None, (), Termination.HEURISTIC_END)
    # Inserting has used up a part of the time.
    left_s = None if time_limit_s is None else time_limit_s - (time.perf_counter() - start)
    options = SolverOptions(time_limit_s=left_s, mip_gap=gap, seed=seed)
    search = Search(_served_instance(problem, placement), options)
    with search.speaking(GIVEN):
        if not search.offer(placement):
            raise ResultError("the improvement was given a placement that breaks a budget (8b-8d)")
        if bound_s is not None:
            search.raise_bound(bound_s)
    if interrupted:
        return _concluded(search, Termination.INTERRUPTED)
    return _concluded(search, improve_incumbent(search, seed=seed, rounds=rounds))


def improve_solution(
    instance: Instance,
    solution: Solution,
    time_limit_s: float | None,
    *,
    gap: float = SolverOptions.mip_gap,
    seed: int = 0,
    with_bound: bool = True,
) -> Solution:
    """Improve a solution, rejected requests included, and check the result.

    Parameters
    ----------
    instance : Instance
        What was placed.
    solution : Solution
        With a placement, and a bound on what that serves; it need not serve anybody.
    time_limit_s : float or None
        Wall time in seconds; None until nothing helps any more.
    gap : float
        Relative gap at which to stop.
    seed : int
        Of all that is drawn.
    with_bound : bool
        Whether to tell what is proven of the latency: bound, gap and the bounds of the trace.

    Returns
    -------
    Solution
        Its run time is that of the solution and of improving it.

    Raises
    ------
    ResultError
        If the improved placement fails the checker, or beats the bound.
    """
    assert solution.placement is not None
    problem, start = Problem.of(instance), time.perf_counter()
    found = improve(
        problem,
        from_document(problem, solution.placement),
        time_limit_s=time_limit_s,
        gap=gap,
        bound_s=solution.bound_s,
        seed=seed,
        insert=True,
    )
    found = found if with_bound else _without_bound(found)
    wall_time_s = solution.wall_time_s + time.perf_counter() - start
    served = found.placement.requests
    # What had no room then may have some now that others have moved: the reason is an old one.
    rejected = tuple(
        one.model_copy(update={"condition": f"before the improvement: {one.condition}"})
        for one in solution.placement.rejected
        if one.request not in served
    )
    outcome = PolicyOutcome(found.placement, rejected)
    changes = {
        "options": {**solution.options, "improve_s": time_limit_s},
        "termination": found.termination,
        "solution_status": outcome.solution_status,
        "bound_s": found.bound_s,
        "wall_time_s": wall_time_s,
        "trace": found.trace,
        "notes": (*solution.notes, _gained(solution, found)),
    }
    document = to_document(problem, found.placement, rejected)
    return with_placement(solution.model_copy(update=changes), instance, document)


def _gained(before: Solution, found: ImprovedPlacement) -> str:
    """Say how much better a placement became."""
    assert before.placement is not None
    more = len(found.placement.requests) - len(before.placement.requests)
    if more:
        return f"improvement: serves {more} more; before, {latency_text(before.objective_s)}"
    if before.objective_s is None:
        return "improvement: still nobody can be served"
    # The checker sums in rationals and the search in floats: no gain may look like a tiny loss.
    gained = 1 - found.latency_s / before.objective_s if before.objective_s else 0.0
    return f"improvement: {percent(max(gained, 0.0))} less than {latency_text(before.objective_s)}"


def _without_bound(found: ImprovedPlacement) -> ImprovedPlacement:
    """Return an improvement without what is proven of it; its trace tells of incumbents alone."""
    points = [point.model_copy(update={"bound_s": None}) for point in found.trace]
    trace = tuple(
        point
        for before, point in zip([None, *points], points, strict=False)
        if before is None or before.incumbent_s != point.incumbent_s
    )
    return replace(found, bound_s=None, trace=trace)


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


def _concluded(search: Search, termination: Termination) -> ImprovedPlacement:
    assert search.incumbent is not None
    assert search.objective_s is not None
    bound_s, trace = search.agreed_bound(search.objective_s), tuple(search.trace)
    return ImprovedPlacement(search.incumbent, search.objective_s, bound_s, trace, termination)
