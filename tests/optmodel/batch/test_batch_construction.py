"""Constructions: their placements pass the checker, say what is rejected, and repeat themselves."""

import time

import numpy as np
import pytest
import reference
from assigned import written
from hypothesis import given
from strategies import by_hand, clashing, examples, instances, twice

from heuristics.policy import place_all
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from instances.listed_sets import MEDIUM
from instances.set_members import Member
from optmodel.batch.moves.batch_construction import constructions, offer_constructions
from optmodel.batch.options import ConstructOptions
from optmodel.checker import check
from optmodel.online.algorithm1 import Algorithm1
from optmodel.placement.evaluate import evaluate
from optmodel.placement.placement import Placement
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search
from optmodel.solving import solve

SCALES = BudgetScales(memory=0.008, compute=0.0022, bandwidth=0.01)
NARROW = BudgetScales(bandwidth=1.8e-3)
TWENTY = Recipe(("lenet=10,cifar_cnn=10",), "mixed", 20, 0.8, scales=SCALES)


def assert_passes(made: Instance, found: Placement) -> None:
    """The checker recomputes 8b-8h; requests without a place are left out."""
    report = check(made, written(Problem.of(made), found))
    assert report.passed, [str(violation) for violation in report.violations]


@examples(75)
@given(instances(requests=3))
def test_tiny_batches_pass_the_checker(made: Instance) -> None:
    for found in constructions(Problem.of(made), "most"):
        assert_passes(made, found)


@examples(30)
@given(instances(requests=2))
def test_never_faster_than_brute_force(made: Instance) -> None:
    optimum, problem = reference.best(made), Problem.of(made)
    for found in constructions(problem, "all"):
        assert optimum is not None
        assert evaluate(problem, found).latency_s >= float(optimum.latency_s) * (1 - 1e-12)


@pytest.mark.parametrize(
    ("networks", "devices", "fleet", "scales"),
    [
        ("lenet=10,cifar_cnn=10", 20, "mixed", SCALES),
        ("cifar_cnn=4", 12, "mixed", BudgetScales(bandwidth=0.02)),
        ("lenet=20", 15, "mixed", BudgetScales(memory=2e-4, compute=6e-6, bandwidth=4e-5)),
        ("lenet=6,cifar_cnn=4", 14, "varied", BudgetScales(compute=0.002, bandwidth=0.01)),
        ("vgg16_block1=2", 8, "power", BudgetScales(compute=0.05)),
    ],
)
def test_batches_whose_budgets_bind_pass_the_checker(
    networks: str, devices: int, fleet: str, scales: BudgetScales
) -> None:
    made = generate(Recipe((networks,), fleet, devices, 0.6, scales=scales), "batch")
    found = list(constructions(Problem.of(made), "most"))
    assert found
    for construction in found:
        assert_passes(made, construction)


def test_twenty_requests_that_compete_are_all_placed_within_seconds() -> None:
    search = Search(generate(TWENTY, "twenty"), SolverOptions(time_limit_s=2))
    start = time.perf_counter()
    offer_constructions(search)
    assert time.perf_counter() - start < 5
    assert search.served == 20


@pytest.mark.parametrize("method", ["auto", "columns"])
def test_two_seconds_are_enough_for_a_placement(method: str) -> None:
    start = time.perf_counter()
    found = solve(generate(TWENTY, "twenty"), method, SolverOptions(time_limit_s=2))
    assert time.perf_counter() - start < 10
    assert found.placement is not None
    assert len(found.placement.requests) == 20


def test_faster_than_algorithm_1_where_load_matters() -> None:
    """Algorithm 1 does not count the load that a node already has in a layer."""
    made = generate(Recipe(("cifar_cnn=4",), "mixed", 12, 0.6), "roomy")
    problem = Problem.of(made)
    search = Search(made, SolverOptions())
    search.offer(place_all(problem, Algorithm1()).placement)
    best = min(evaluate(problem, found).latency_s for found in constructions(problem, "all"))
    assert search.objective_s is not None
    assert 2 * best < search.objective_s


def test_same_batch_same_construction() -> None:
    made = generate(TWENTY, "twenty")
    each = (constructions(Problem.of(made), "all") for _ in range(2))
    for first, second in zip(*each, strict=True):
        for name, placed in first.requests.items():
            np.testing.assert_array_equal(placed.counts, second.requests[name].counts)


def test_higher_prices_send_less() -> None:
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", 20, 0.8, scales=SCALES), "one"))
    found = constructions(problem, "all", ConstructOptions(scales=(0.0, 30.0)))
    sent = [evaluate(problem, one).load[2].sum() for one in found]
    assert sent[1] < sent[0]


def test_all_or_nothing_where_all_are_asked_for() -> None:
    assert not list(constructions(Problem.of(clashing()), "all"))


def test_prices_of_slack_batch_change_no_feasibility() -> None:
    made = twice(by_hand())
    for found in constructions(Problem.of(made), "all"):
        assert_passes(made, found)


@pytest.mark.parametrize(
    "member", [m for m in MEDIUM.members if len(generate(m.recipe, m.name).requests) > 1]
)
def test_at_least_as_many_are_served_as_by_algorithm_1(member: Member) -> None:
    problem = Problem.of(generate(member.recipe, member.name))
    online = place_all(problem, Algorithm1())
    served = max(len(found.requests) for found in constructions(problem, "most"))
    assert served >= len(online.placement.requests)


def test_constructions_go_on_until_one_serves_all() -> None:
    """Beyond the share of the time that they get once there is one."""
    made = generate(Recipe(("cifar_cnn=4",), "mixed", 12, 0.6, scales=NARROW), "narrow")
    options = ConstructOptions(start_share=0.0, scales=(0.0, 10.0))
    [_second] = constructions(Problem.of(made), "all", options)
    search = Search(made, SolverOptions(time_limit_s=60))
    offer_constructions(search, options)
    assert search.served == 4


def test_no_construction_begins_after_the_limit() -> None:
    search = Search(generate(TWENTY, "twenty"), SolverOptions(time_limit_s=1e-6, admission="most"))
    offer_constructions(search)
    assert len(search.trace) == 1
