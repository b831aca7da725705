"""`explain` keeps the rule of `optmodel.search.agreement`: solvers that disagree are an error."""

import pytest
from strategies import by_hand, clashing

from optmodel.explain import instance_repairs as repairs
from optmodel.explain import limit_conflict as conflict
from optmodel.explain.explanation import explain
from optmodel.ground.rule_errors import ResultError
from optmodel.milp import any_placement as search
from optmodel.milp.any_placement import FeasibilityAnswer, FeasibilityVerdict, find_least_load
from optmodel.milp.second_opinion import second_opinion
from optmodel.milp.solvers import SolverRun
from optmodel.placement.placement import Placement
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.search.allowance import Allowance

FOREVER = Allowance()


def least_memory_of_a() -> FeasibilityAnswer:
    return find_least_load(Problem.of(clashing()), "memory", 0, FOREVER)


def placing(monkeypatch, highs: int, cpsat: int) -> None:
    """Let the placements of HiGHS and CP-SAT have so much in the memory of 'a'."""
    loads = iter([highs, cpsat])
    monkeypatch.setattr(search, "placed_loads", lambda *_: {"memory": [next(loads)]})


def answering(monkeypatch, status: SolutionStatus) -> None:
    """Let CP-SAT find what it finds, and claim so much of it."""

    def asked(*args: object) -> SolverRun:
        second_opinion(*args)
        return SolverRun(Termination.CONVERGED, status, None, "0")

    monkeypatch.setattr(search, "second_opinion", asked)


def test_a_lesser_load_than_cpsat_says_is_least_is_an_error(monkeypatch):
    placing(monkeypatch, highs=160, cpsat=161)
    both = (
        r"CP-SAT on the budgets alone claims that the least load of 'a' \(memory\) is 161, "
        r"but the placement found by HiGHS has 160"
    )
    with pytest.raises(ResultError, match=both):
        least_memory_of_a()


def test_a_lesser_load_than_highs_says_is_least_is_an_error(monkeypatch):
    placing(monkeypatch, highs=161, cpsat=160)
    both = r"HiGHS claims that the least load of 'a' \(memory\) is 161, but .* CP-SAT .* has 160"
    with pytest.raises(ResultError, match=both):
        least_memory_of_a()


def test_what_tolerances_explain_is_no_contradiction_and_the_lesser_load_holds(monkeypatch):
    placing(monkeypatch, highs=10**9 + 1, cpsat=10**9)
    answer = least_memory_of_a()
    assert (answer.placed_by, answer.least) == (search.CPSAT, True)


def test_less_than_highs_says_is_least_is_an_error_even_if_it_may_not_be_least(monkeypatch):
    answering(monkeypatch, SolutionStatus.FEASIBLE)
    placing(monkeypatch, highs=161, cpsat=160)
    with pytest.raises(ResultError, match=r"HiGHS claims .* 161"):
        least_memory_of_a()


def test_more_than_highs_says_is_least_leaves_it_unproven_if_cpsat_claims_nothing(monkeypatch):
    answering(monkeypatch, SolutionStatus.FEASIBLE)
    placing(monkeypatch, highs=160, cpsat=161)
    assert not least_memory_of_a().least


def test_a_load_where_cpsat_says_that_none_is_possible_is_an_error(monkeypatch):
    none = SolverRun(Termination.CONVERGED, SolutionStatus.INFEASIBLE, None, "0")
    monkeypatch.setattr(search, "second_opinion", lambda *_: none)
    both = r"CP-SAT .* claims that no placement .* 'a' \(memory\), but .* found by HiGHS does"
    with pytest.raises(ResultError, match=both):
        least_memory_of_a()


def test_infeasible_that_cpsat_refutes_is_feasible(monkeypatch):
    """A verdict of HiGHS at its tolerances is none; the placement is checked exactly."""
    lie = SolverRun(Termination.CONVERGED, SolutionStatus.INFEASIBLE, None, "0")
    monkeypatch.setattr(search, "run_solver", lambda *_: lie)
    answer = search.find_placement(Problem.of(by_hand()), FOREVER)
    assert (answer.verdict, answer.placed_by) == (FeasibilityVerdict.FEASIBLE, search.CPSAT)
    assert explain(by_hand()).verdict is FeasibilityVerdict.FEASIBLE


def test_a_conflict_that_a_placement_keeps_to_is_an_error(monkeypatch):
    """Both solvers say that the batch clashes; then one of them places it."""
    monkeypatch.setattr(conflict, "broken_by", lambda *_: frozenset())
    found = FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, Placement({}))
    monkeypatch.setattr(conflict, "find_placement", lambda *_: found)
    both = r"HiGHS, with CP-SAT's agreement, claims that no .* found by HiGHS keeps to them"
    with pytest.raises(ResultError, match=both):
        conflict.find_conflicts(Problem.of(clashing()), FOREVER)


def test_a_placement_within_the_budget_that_is_said_to_clash_is_an_error(monkeypatch):
    """A least load that the budget of the infeasible instance allows."""
    monkeypatch.setattr(repairs, "placed_loads", lambda *_: {"memory": [0] * 4})
    both = r"HiGHS, with CP-SAT's agreement, .* not all .* be served, but .* within the memory of"
    with pytest.raises(ResultError, match=both):
        explain(clashing())
