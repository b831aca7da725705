"""The method `auto`: stages first, then what fits the batch, until the asked gap is reached."""

from collections.abc import Callable

from optmodel.count import CountModel
from optmodel.milp import solve_milp
from optmodel.problem import Problem
from optmodel.search import Search
from optmodel.solution import Termination
from optmodel.stages import solve_stages

MOST_PAIRS = 200_000
"""Pairs of nodes in the count model up to which it is built; beyond, building alone takes minutes
and gigabytes."""


def solve_auto(search: Search) -> Termination:
    """Solve a problem by the methods that fit it, each starting from what is known.

    Stages come first: they are exact, and fast, where budgets are slack, and give a bound
    elsewhere. Where budgets bind, the count model takes over, from the incumbent.
    """
    termination = Termination.CONVERGED
    for method in _plan(search.problem):
        termination = method(search)
        stopped = termination in (Termination.INTERRUPTED, Termination.TIME_LIMIT)
        if search.closed or stopped or search.left_s <= 0:
            break
    return termination


def _plan(problem: Problem) -> list[Callable[[Search], Termination]]:
    plan: list[Callable[[Search], Termination]] = [solve_stages]
    if _pairs(problem) <= MOST_PAIRS:
        plan.append(_solve_count)
    return plan


def _solve_count(search: Search) -> Termination:
    return solve_milp(search, CountModel)


def _pairs(problem: Problem) -> int:
    """Return the number of pairs of nodes between which the count model lets maps move."""
    return sum(
        len(layer.hosts) * len(following.hosts)
        for task in problem.tasks
        for layer, following in zip(task.layers, task.layers[1:], strict=False)
    )
