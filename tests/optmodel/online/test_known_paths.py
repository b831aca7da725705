"""Paths over stages are solved once per kind of request and fleet; their bounds round down."""

from collections.abc import Callable
from fractions import Fraction

import pytest

import optmodel.stages.stage_graph
from heuristics.policies import make_policy
from heuristics.policy import place_all
from instances.generate import Recipe, generate
from instances.listed_sets import MEDIUM
from optmodel.online.known_paths import MOST_GROUPS, KnownPaths
from optmodel.placement.evaluate import evaluate, evaluate_request
from optmodel.problem.arrays import Problem
from optmodel.problem.budget_ledger import BudgetLedger
from optmodel.problem.instance import read_instance
from optmodel.solving import solve


def problem_of(*networks: str, **changes: object) -> Problem:
    values = {"fleet": "mixed", "devices": 4, "tolerated_ssim": 0.8} | changes
    return Problem.of(generate(Recipe(networks, **values), "known"))


def test_equal_requests_from_equal_sources_are_solved_once():
    problem, paths = problem_of("lenet=3"), KnownPaths()
    first, *others = (paths.find(problem, task) for task in problem.tasks)
    assert all(known is first for known in others)


@pytest.mark.parametrize(
    "other", [{"tolerated_ssim": 0.6}, {"devices": 5}, {"period_s": 30.0}, {"fleet": "power"}]
)
def test_another_tolerance_fleet_or_budget_is_another_kind(other):
    one, two, paths = problem_of("lenet"), problem_of("lenet", **other), KnownPaths()
    assert paths.find(one, one.tasks[0]) is not paths.find(two, two.tasks[0])


def counting(name: str, solved: list[str]) -> Callable[..., object]:
    """Return what solves arcs, noting each arc that it solves."""
    solve_arc = getattr(optmodel.stages.stage_graph, name)

    def counted(*asked: object) -> object:
        solved.append(name)
        return solve_arc(*asked)

    return counted


def test_equal_stages_of_another_fleet_are_hardly_solved_again(monkeypatch):
    """Other budgets that do not bind leave every arc as it is; those given up early go further."""
    paths, solved = KnownPaths(), []
    for name in ("solve_one_layer", "solve_several_layers"):
        monkeypatch.setattr(optmodel.stages.stage_graph, name, counting(name, solved))
    numbers = []
    for period_s in (60.0, 61.0):
        problem = problem_of("lenet", period_s=period_s)
        paths.find(problem, problem.tasks[0])
        numbers.append(len(solved))
    assert numbers[0] > 0
    assert numbers[1] - numbers[0] < numbers[0] / 2


@pytest.mark.parametrize("tolerance", [0.8, 0.6, 0.4])
def test_the_bound_is_the_optimum_within_the_tolerance_rounded_down(tolerance):
    problem = problem_of("lenet", tolerated_ssim=tolerance)
    known = KnownPaths().find(problem, problem.tasks[0])
    exactly = known.path.bound * known.requests.fleet.tick_s
    assert Fraction(known.bound_s) <= exactly
    optimum = solve(problem.instance).objective_s
    assert optimum * (1 - 2e-4) <= known.bound_s <= optimum


def test_a_request_without_a_placement_has_no_bound():
    problem = problem_of("cifar_block1", devices=6, tolerated_ssim=0.4)
    assert KnownPaths().find(problem, problem.tasks[0]).bound_s is None


def test_fleets_of_many_kinds_are_bounded_as_if_of_few():
    problem = problem_of("lenet", fleet="varied", devices=MOST_GROUPS + 2)
    known = KnownPaths().find(problem, problem.tasks[0])
    assert known.path.value is None
    assert 0 < known.bound_s <= solve(problem.instance).objective_s


def test_no_plan_is_made_where_the_best_path_keeps_the_budgets():
    problem = problem_of("cifar_cnn", fleet="power", devices=8, tolerated_ssim=0.6)
    assert KnownPaths().find(problem, problem.tasks[0]).planned is None


def test_where_even_an_idle_fleet_has_too_little_bandwidth_lookahead_places_by_a_plan():
    """Nothing is saved there for a second request, which has no room in any case."""
    problem = Problem.of(read_instance(MEDIUM.folder / "vgg16_blocks12-0.8-30-bandwidth.json"))
    [task] = problem.tasks
    known = KnownPaths().find(problem, task)
    assert known.planned is not None
    planned = evaluate_request(known.requests.problem, task, known.planned)
    assert BudgetLedger.of(known.requests.problem).has_room(planned.load)
    placed, thrifty = (
        evaluate(problem, place_all(problem, make_policy(name)).placement).latency_s
        for name in ("lookahead", "algorithm1")
    )
    assert placed <= planned.latency_s * (1 + 1e-12)
    assert placed < 0.8 * thrifty


def test_without_shared_arcs_a_path_does_not_depend_on_those_found_before():
    alone, after_others = (KnownPaths(shares_arcs=False) for _ in range(2))
    for network in ("lenet", "cifar_block3"):
        before = problem_of(network, devices=6)
        after_others.find(before, before.tasks[0])
    asked = problem_of("cifar_cnn", devices=6)
    first, second = (paths.find(asked, asked.tasks[0]) for paths in (alone, after_others))
    assert first.bound_s == second.bound_s
    assert repr(first.path) == repr(second.path)


def test_so_many_fleets_are_remembered():
    one, other = problem_of("lenet", devices=6), problem_of("lenet", devices=7)
    for most, is_known in ((1, False), (2, True)):
        paths = KnownPaths(most)
        found = paths.find(one, one.tasks[0])
        paths.find(other, other.tasks[0])
        assert (paths.find(one, one.tasks[0]) is found) is is_known
