"""The method `auto`: stages first, then what fits the batch, until the asked gap is reached."""

from collections.abc import Callable, Iterator
from functools import partial

from optmodel.batch import BatchEngine, BatchOptions, offer_constructions, run_columns
from optmodel.cpsat import solve_milp_or_cpsat
from optmodel.limits import limit_served
from optmodel.milp import FEW_PAIRS, CountModel, within_reach
from optmodel.placement import Termination
from optmodel.search import Search

STAGES_SHARE = 0.5
"""Share of the time limit for the stages, which need it on fleets whose devices all differ."""


def solve_auto(search: Search) -> Termination:
    """Solve a problem by the methods that fit it, each starting from what is known.

    A batch first gets a placement by construction, so that any time limit leaves one. Stages come
    next: they are exact, and fast, where budgets are slack, and give a bound elsewhere. Where
    budgets bind, prices and single requests give a larger batch a better bound and incumbent; the
    count model starts from there, unless it would be too large to build or take too long.
    """
    limit_served(search)
    options = BatchOptions.before_a_proof() if within_reach(search) else BatchOptions()
    engine = BatchEngine(search, options)
    termination = Termination.CONVERGED
    for name, method in _plan(search, engine):
        with search.speaking(name):
            termination = method()
        stopped = termination in (Termination.INTERRUPTED, Termination.TIME_LIMIT)
        if search.closed or stopped or search.left_s <= 0:
            break
    return termination


def _plan(search: Search, engine: BatchEngine) -> Iterator[tuple[str, Callable[[], Termination]]]:
    if len(search.problem.tasks) > 1:
        yield "construction", partial(offer_constructions, search)
    yield "stages", partial(_solve_alone, search, engine)
    if not within_reach(search, FEW_PAIRS):
        yield "columns", partial(run_columns, search, engine)
    if within_reach(search):
        yield "count", partial(solve_milp_or_cpsat, search, CountModel)


def _solve_alone(search: Search, engine: BatchEngine) -> Termination:
    engine.bound.solve_alone(STAGES_SHARE)
    return Termination.TIME_LIMIT if search.left_s <= 0 else Termination.CONVERGED
