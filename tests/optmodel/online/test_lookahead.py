"""Lookahead is optimal where budgets are slack, and its decisions are bounded in counted steps."""

import pytest
import reference
from hypothesis import given
from strategies import examples, instances, unlimited

from heuristics.policies import decide, make_policy, place
from heuristics.policy import place_one
from heuristics.scheduler.service import open_service
from instances.generate import Recipe, generate
from optmodel.online import known_paths
from optmodel.online.known_paths import TOLERANCE
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.budget_ledger import BudgetLedger
from optmodel.problem.instance import Instance
from optmodel.search import Allowance


def test_lookahead_is_optimal_where_budgets_are_slack():
    served = 0

    @examples(120)
    @given(instances())
    def agree(made) -> None:
        nonlocal served
        made = unlimited(made)
        best, found = reference.best(made), place(made, "lookahead")
        if best is None:
            assert found.solution_status is not SolutionStatus.FEASIBLE
            return
        served += 1
        assert found.solution_status is SolutionStatus.FEASIBLE
        assert found.objective_s <= float(best.latency_s) * (1 + TOLERANCE) / (1 - TOLERANCE)

    agree()
    assert served >= 60


def test_lookahead_is_never_worse_than_algorithm_1_for_the_first_request():
    served = 0

    @examples(200)
    @given(instances(requests=1))
    def hold(made) -> None:
        nonlocal served
        greedy, found = (
            place(made, policy, with_bound=False) for policy in ("algorithm1", "lookahead")
        )
        if greedy.objective_s is not None:
            served += 1
            assert found.objective_s is not None
            assert found.objective_s <= greedy.objective_s * (1 + TOLERANCE)

    hold()
    assert served >= 50


def test_lookahead_says_why_algorithm_1_finds_no_place_either():
    instance = generate(Recipe(("cifar_block1",), "mixed", 6, 0.4), "refused")
    greedy, found = (place(instance, policy) for policy in ("algorithm1", "lookahead"))
    assert found.placement.rejected == greedy.placement.rejected


@pytest.fixture(scope="module")
def all_differ() -> Instance:
    """One request on twelve devices of which no two are equal."""
    return generate(Recipe(("cifar_cnn",), "varied", 12, 0.6), "differ")


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_the_first_decision_takes_the_steps_of_its_seconds_and_no_more(
    all_differ, seconds, monkeypatch
):
    spent, part = [], Allowance.part

    def parted(self, steps, share):
        spent.append((steps, part(self, steps, share)))
        return spent[-1][1]

    monkeypatch.setattr(Allowance, "part", parted)
    problem = Problem.of(all_differ)
    policy = make_policy("lookahead", decision_time_s=seconds)
    place_one(problem, policy, problem.tasks[0], BudgetLedger.of(problem))
    [(steps, allowance)] = spent
    assert steps == seconds * known_paths.STEPS_PER_S
    assert abs(allowance.steps) < 0.05 * steps  # What is too large for the rest is not begun.


def test_more_time_proves_more_and_equal_times_agree(all_differ):
    times = (0.4, 0.4, 0.8)
    short, again, long = (decide(all_differ, "lookahead", 0, s).bounded() for s in times)
    assert short.placement == again.placement
    assert short.bound_s == again.bound_s < long.bound_s
    assert long.objective_s <= short.objective_s


def test_serving_decides_in_the_time_that_is_given(all_differ):
    bounds_s = []
    for seconds in (0.4, 0.8):
        with open_service(all_differ, "lookahead", 0, None, None, 0, seconds) as service:
            bounds_s.append(service.scheduler.submit(all_differ.requests[0]).bound_s)
    assert bounds_s[0] < bounds_s[1]
