"""HiGHS without Pyomo runs whatever HiGHS with Pyomo did before, in the same process."""

import highspy
import numpy as np
import pytest
from places import SMALL
from strategies import by_hand

from optmodel.batch.bound.price_search import PriceSearch
from optmodel.ground.bare_highs import bare_highs
from optmodel.limits.served_bound import most_served
from optmodel.placement.request_class import classes_of
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

THREADS = (2, None, 1, 2, None)
"""Of runs one after another; HiGHS starts its threads once, and each change of them starts anew."""


@pytest.mark.parametrize("again", [False, True])
def test_a_model_runs_after_a_solver_with_other_threads(again):
    """Built once before all runs, or again after each."""
    model = programme()
    for low, threads in enumerate(THREADS, start=1):
        solve(by_hand(), "count", SolverOptions(threads=threads))
        model = programme() if again else model
        model.changeColBounds(0, low, 9.0)
        assert model.run() == highspy.HighsStatus.kOk
        assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        assert model.getObjectiveValue() == pytest.approx(low)


def programme():
    """Minimise x over 0 <= x <= 9."""
    model = bare_highs()
    model.addCol(1.0, 0.0, 9.0, 0, np.array([], dtype=np.int32), np.array([]))
    return model


def test_bounds_are_the_same_after_a_solver_with_other_threads():
    """Of a model that HiGHS refuses to run, every number is 0."""
    problem = Problem.of(read_instance(SMALL / "infeasible-compute.json"))
    before = most_served(problem), prices_bound(problem)
    assert min(before) > 0
    for threads in THREADS:
        solve(by_hand(), "count", SolverOptions(threads=threads))
        assert (most_served(problem), prices_bound(problem)) == before


def prices_bound(problem: Problem) -> float:
    return max(priced.bound_s for priced in PriceSearch(classes_of(problem)).improving())
