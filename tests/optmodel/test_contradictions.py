"""What one engine claims and another one contradicts: the rule of `optmodel.search.agreement`."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import reference
from assigned import place
from ortools.sat.python import cp_model
from places import CASES
from strategies import by_hand, clashing, twice

from optmodel import auto, solving
from optmodel.checker import check_solution
from optmodel.cpsat import CpsatModel, cpsat_run
from optmodel.ground.rule_errors import ResultError
from optmodel.milp import run as milp
from optmodel.milp import second_opinion
from optmodel.milp.any_placement import UNKNOWN, FeasibilityAnswer, FeasibilityVerdict
from optmodel.milp.feasibility import FeasibilityModel
from optmodel.milp.highs import Watcher
from optmodel.milp.solvers import SolverRun
from optmodel.placement.placement import Placement
from optmodel.placement.report import facts, infeasible_because
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search

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
    def plan(search: Search, _: object) -> Iterator[tuple[str, Callable[[], Termination]]]:
        yield "stages", partial(claims_too_high_a_bound, search)
        yield "count", partial(_offers, search)

    monkeypatch.setattr(auto, "_plan", plan)
    message = "stages claims the bound .* the placement found by count takes"
    with pytest.raises(ResultError, match=message):
        solving.solve(by_hand(), "auto")


def _offers(search: Search) -> Termination:
    search.offer(place(search.problem, BEST.assignment))
    return Termination.CONVERGED


def lying(bound: float | None = None) -> Callable[..., SolverRun]:
    """Return a HiGHS that tells a bound, and then that requests cannot be served."""

    def run(model, options, start: bool, watcher: Watcher) -> SolverRun:
        if bound is not None:
            watcher.bounded(bound)
        return SolverRun(Termination.CONVERGED, SolutionStatus.INFEASIBLE, None, "0")

    return run


SILENT = SolverRun(Termination.TIME_LIMIT, SolutionStatus.NONE, None, "0")


@pytest.mark.parametrize("bound", [None, 1e6], ids=["without a bound", "after a false bound"])
@pytest.mark.parametrize("method", ["count", "segment"])
def test_cpsat_goes_on_where_it_refutes_infeasible(monkeypatch, method: str, bound):
    """The note names both; nothing that the refuted solver said is used."""
    monkeypatch.setattr(milp, "run_solver", lying(bound))
    solution = solving.solve(by_hand(), method)
    assert (solution.solution_status, solution.solver) == (SolutionStatus.OPTIMAL, "cpsat")
    assert solution.objective_s == pytest.approx(BEST_S)
    assert BEST_S * (1 - 2e-6) <= solution.bound_s <= BEST_S
    assert solution.notes[0] == (
        "highs says that all requests cannot be served, which the placement found by CP-SAT "
        "refutes: nothing else that highs says is used"
    )
    assert check_solution(by_hand(), solution).passed


def test_a_known_placement_refutes_infeasible_without_a_question(monkeypatch):
    monkeypatch.setattr(milp, "run_solver", lying())
    monkeypatch.setattr(milp, "second_opinion", None)
    monkeypatch.setattr(solving, "offer_start", offers_the_optimum)
    solution = solving.solve(by_hand(), "count")
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert "the placement found by the honest engine refutes" in solution.notes[0]


def test_cpsat_goes_on_where_it_refutes_how_many_can_be_served(monkeypatch):
    """HiGHS says that one of two requests must be left out."""

    one_left_out = SolverRun(Termination.CONVERGED, SolutionStatus.NONE, 1.0, "0")
    monkeypatch.setattr(milp, "run_solver", lambda *_: one_left_out)
    solution = solving.solve(twice(by_hand()), "count", SolverOptions(admission="most"))
    assert (solution.solution_status, solution.most_served) == (SolutionStatus.OPTIMAL, 2)
    assert "all requests cannot be served, which the placement found by CP-SAT" in solution.notes[0]


def test_infeasible_that_nobody_confirms_is_no_verdict(monkeypatch):
    monkeypatch.setattr(milp, "run_solver", lying(bound=0.5))
    monkeypatch.setattr(milp, "second_opinion", lambda *_: SILENT)
    solution = solving.solve(by_hand(), "count")
    assert (solution.solution_status, solution.bound_s) == (SolutionStatus.NONE, None)
    assert solution.notes == (
        "highs says that all requests cannot be served, which CP-SAT has not confirmed",
    )


@pytest.mark.parametrize(
    ("method", "module", "asked", "answer"),
    [("count", milp, "second_opinion", SILENT), ("cpsat", cpsat_run, "find_placement", UNKNOWN)],
)
def test_fewer_than_all_is_no_verdict_either_if_nobody_confirms_it(
    monkeypatch, method: str, module, asked: str, answer
):
    """Two of the requests clash; the one that is served is still placed as fast as can be."""
    monkeypatch.setattr(module, asked, lambda *_: answer)
    solution = solving.solve(clashing(), method, SolverOptions(admission="most"))
    assert (solution.solution_status, solution.most_served) == (SolutionStatus.FEASIBLE, 2)
    assert (len(solution.placement.requests), solution.bound_s) == (1, None)
    assert solution.objective_s == pytest.approx(float(reference.most(clashing())[1].latency_s))
    assert check_solution(clashing(), solution).passed


def test_a_placement_of_cpsat_that_breaks_a_budget_is_an_error(monkeypatch):
    monkeypatch.setattr(milp, "run_solver", lying())
    monkeypatch.setattr(Search, "offer", lambda *_: False)
    with pytest.raises(ResultError, match="CP-SAT places 1 requests over a budget"):
        solving.solve(by_hand(), "count")


def cpsat_that_cannot_place(monkeypatch) -> None:
    monkeypatch.setattr(CpsatModel, "solve", lambda *_: cp_model.INFEASIBLE)
    nothing = property(lambda _: 0.0)
    monkeypatch.setattr(cp_model.CpSolver, "best_objective_bound", nothing, raising=False)


def test_what_highs_does_not_confirm_of_cpsat_is_no_verdict(monkeypatch):
    """Neither a status nor a word says that it is proven."""
    cpsat_that_cannot_place(monkeypatch)
    monkeypatch.setattr(cpsat_run, "find_placement", lambda *_: UNKNOWN)
    solution = solving.solve(by_hand(), "cpsat")
    assert solution.solution_status is SolutionStatus.NONE
    assert solution.notes == (
        "CP-SAT says that all requests cannot be served, which HiGHS has not confirmed",
    )
    assert not any("prove" in text for _, text in facts(solution))
    assert not infeasible_because(solution)


def test_more_served_by_highs_than_cpsat_says_can_be_is_an_error(monkeypatch):
    def places_both(*_: object) -> FeasibilityAnswer:
        both = reference.best(twice(by_hand())).assignment
        return FeasibilityAnswer(
            FeasibilityVerdict.FEASIBLE, place(Problem.of(twice(by_hand())), both)
        )

    def claims_one(search: Search) -> Termination:
        search.offer(place_first(search))
        search.most_served = 1
        return Termination.CONVERGED

    def place_first(search: Search) -> Placement:
        both = place(search.problem, reference.best(twice(by_hand())).assignment).requests
        return Placement(dict(list(both.items())[:1]))

    monkeypatch.setattr(cpsat_run, "_serve_most", claims_one)
    monkeypatch.setattr(cpsat_run, "find_placement", places_both)
    says = "cpsat claims that at most 1 requests can be served, but .* found by HiGHS serves 2"
    with pytest.raises(ResultError, match=says):
        solving.solve(twice(by_hand()), "cpsat", SolverOptions(admission="most"))


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
