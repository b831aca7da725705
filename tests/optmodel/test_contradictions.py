"""What one engine claims and another one contradicts is an error that names both."""

from pathlib import Path

import pytest
import reference
from assigned import place
from strategies import by_hand

from optmodel import auto, solving
from optmodel.cpsat import run as cpsat_run
from optmodel.ground.rule_errors import ResultError
from optmodel.milp import second_opinion
from optmodel.milp.feasibility import FeasibilityModel
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search

CASES = Path(__file__).parents[1] / "cases"

BEST = reference.best(by_hand())
BEST_S = float(BEST.latency_s)


@pytest.fixture(autouse=True)
def _without_a_start(monkeypatch):
    monkeypatch.setattr(solving, "offer_start", lambda _: None)


def offers_the_optimum(search: Search) -> Termination:
    with search.speaking("the honest engine"):
        search.offer(place(search.problem, BEST.assignment))
    return Termination.CONVERGED


def claims_too_high_a_bound(search: Search) -> Termination:
    search.raise_bound(BEST_S * 1.01)
    return Termination.CONVERGED


def claims_infeasibility(search: Search) -> Termination:
    search.infeasible = True
    return Termination.CONVERGED


def claims_that_none_can_be_served(search: Search) -> Termination:
    search.most_served = 0
    return Termination.CONVERGED


LIES = [
    (claims_too_high_a_bound, "lying claims the bound"),
    (claims_infeasibility, "lying claims that not all requests can be served"),
    (claims_that_none_can_be_served, "lying claims that at most 0 requests can be served"),
]


@pytest.mark.parametrize("lie_first", [True, False])
@pytest.mark.parametrize(("lie", "message"), LIES, ids=[lie.__name__ for lie, _ in LIES])
def test_a_contradiction_is_an_error_that_names_both(monkeypatch, lie, message: str, lie_first):
    def lying(search: Search) -> Termination:
        for says in (lie, offers_the_optimum) if lie_first else (offers_the_optimum, lie):
            says(search)
        return Termination.CONVERGED

    monkeypatch.setitem(solving.METHODS, "lying", lying)
    with pytest.raises(ResultError, match=f"{message}.*the placement found by the honest engine"):
        solving.solve(by_hand(), "lying")


def test_engines_that_agree_are_an_answer(monkeypatch):
    def bounds(search: Search) -> Termination:
        search.raise_bound(BEST_S)
        return offers_the_optimum(search)

    monkeypatch.setitem(solving.METHODS, "honest", bounds)
    solution = solving.solve(by_hand(), "honest")
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.bound_s == solution.objective_s


def test_the_methods_of_auto_are_named_apart(monkeypatch):
    monkeypatch.setattr(
        auto,
        "_plan",
        lambda _: iter([("stages", claims_too_high_a_bound), ("count", _offers)]),
    )
    message = "stages claims the bound .* the placement found by count takes"
    with pytest.raises(ResultError, match=message):
        solving.solve(by_hand(), "auto")


def _offers(search: Search) -> Termination:
    search.offer(place(search.problem, BEST.assignment))
    return Termination.CONVERGED


def test_what_cpsat_leaves_out_is_asked_of_highs_too(monkeypatch):
    """With admission most: the only request cannot be served, and HiGHS says so too."""
    asked = []
    find = cpsat_run.find_placement

    def spy(problem, clock, serving=None):
        asked.append(serving)
        return find(problem, clock, serving)

    monkeypatch.setattr(cpsat_run, "find_placement", spy)
    made = read_instance(CASES / "short-by-1.json")
    solution = solving.solve(made, "cpsat", SolverOptions(admission="most"))
    assert (solution.most_served, asked) == (0, [1])
    assert not any("has not confirmed" in note for note in solution.notes)


def test_numbers_beyond_the_safe_size_are_judged_without_presolve():
    """The least load of a budget near 2^37 multiplications, of explain-crash.json."""
    made = read_instance(CASES / "explain-crash.json")
    model = FeasibilityModel.build(Problem.of(made))
    model.minimise_load("compute", 0)
    built, _ = second_opinion._translated(model.pyomo_model)
    assert second_opinion._largest_activity(built) > second_opinion.LARGEST_ACTIVITY
