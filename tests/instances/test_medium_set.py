"""instances/medium/: the set has the sizes, the binding budgets and the batches that it claims."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from heuristics.policy import PolicyOutcome, place_all
from instances.devices import BudgetScales
from instances.generate import generate
from instances.listed_sets import MEDIUM
from instances.set_members import Member
from optmodel.limits.infeasible_reasons import reasons_infeasible
from optmodel.online.algorithm1 import Algorithm1
from optmodel.placement.evaluate import Evaluation, evaluate
from optmodel.placement.named_placement import from_document
from optmodel.placement.solution import read_solution
from optmodel.problem.arrays import IntArray, Problem

BY_NAME = {member.name: member for member in MEDIUM.members}
UNLIMITED = BudgetScales(1e6, 1e6, 1e6)

BINDING = {
    "cifar_cnn-x2-0.6-10-memory": {"8b"},
    "cifar_block3-x8-0.6-8-memory": {"8b"},
    "vgg16_block4-x2-0.4-12-memory": {"8b"},
    "vgg19_block5-x4-0.6-12-memory": {"8b"},
    "cifar_cnn-x4-0.6-12-compute": {"8c"},
    "cifar_cnn-x4-0.6-12-bandwidth": {"8d"},
    "cifar_block1-x4-0.8-8-bandwidth": {"8d"},
    "vgg16_blocks12-0.8-30-bandwidth": {"8d"},
    "cifar_cnn-x2-0.6-12-varied": {"8c", "8d"},
    "lenet6-cifar4-14-varied": {"8b", "8c", "8d"},
    "lenet-x20-15-binding": {"8b", "8c", "8d"},
    "lenet10-cifar10-0.6-20-binding": {"8b", "8c"},
    "lenet-x12-0.6-6-oversubscribed": {"8c"},
    "cifar_cnn-x6-0.6-10-oversubscribed": {"8b"},
    "lenet10-cifar10-0.6-20-oversubscribed": {"8b", "8c"},
}
"""Budgets that Algorithm 1 would exceed if it did not know them."""

OVERSUBSCRIBED = [name for name in BY_NAME if name.endswith("-oversubscribed")]
REJECTING = {"cifar_block1-x4-0.8-8-bandwidth", *OVERSUBSCRIBED}

every_member = pytest.mark.parametrize("member", MEDIUM.members, ids=BY_NAME)


@cache
def problem_of(name: str) -> Problem:
    member = BY_NAME[name]
    return Problem.of(generate(member.recipe, member.name, member.purpose))


@cache
def greedy(name: str) -> PolicyOutcome:
    return place_all(problem_of(name), Algorithm1())


def unlimited_loads(member: Member) -> Evaluation:
    """Return what Algorithm 1 asks of each node if no budget holds it back."""
    free = Problem.of(generate(replace(member.recipe, scales=UNLIMITED), "free"))
    outcome = place_all(free, Algorithm1())
    assert not outcome.rejected
    return evaluate(free, outcome.placement)


@every_member
def test_budgets_bind_where_the_set_says_so_and_nowhere_else(member: Member):
    """Measured by what the greedy would ask for."""
    problem, loads = problem_of(member.name), unlimited_loads(member)
    binds = zip(("8b", "8c", "8d"), (loads.load > problem.budgets).any(axis=1), strict=True)
    exceeded = {equation for equation, found in binds if found}
    assert exceeded == BINDING.get(member.name, set())


def test_budgets_bind_in_half_of_the_set_each_kind_alone_and_all_together():
    assert len(BINDING) * 2 == len(MEDIUM.members)
    for kinds in ({"8b"}, {"8c"}, {"8d"}, {"8b", "8c", "8d"}):
        assert kinds in BINDING.values()


@every_member
def test_the_greedy_serves_all_but_where_the_set_says_so(member: Member):
    """So that every other batch is known to have a placement."""
    assert bool(greedy(member.name).rejected) == (member.name in REJECTING)


@pytest.mark.parametrize("name", OVERSUBSCRIBED)
def test_an_oversubscribed_batch_cannot_be_served_whole_but_in_part(name):
    assert reasons_infeasible(problem_of(name))
    assert greedy(name).placement.requests


def test_sizes_are_between_small_and_paper():
    instances = [problem_of(name).instance for name in BY_NAME]
    assert {len(made.devices) for made in instances} >= {6, 10, 12, 20, 30}
    assert all(6 <= len(made.devices) <= 30 for made in instances)
    assert {len(made.requests) for made in instances} >= {1, 2, 4, 10, 20}
    assert all(1 <= len(made.requests) <= 20 for made in instances)
    assert 20 <= len(instances) <= 30


def test_networks_tolerances_and_fleets_vary():
    instances = [problem_of(name).instance for name in BY_NAME]
    networks = {network.id for made in instances for network in made.networks}
    assert networks >= {"cifar_cnn", "vgg16_block1", "vgg16_blocks12", "vgg16_block4"}
    assert "vgg19_block5" in networks
    tolerances = [{request.tolerated_ssim for request in made.requests} for made in instances]
    assert set().union(*tolerances) >= {0.8, 0.6, 0.4, 0.3}
    assert {0.8, 0.6, 0.4} in tolerances  # in one batch
    families = [{device.family for device in made.devices} for made in instances]
    assert {frozenset(found) for found in families} == {
        frozenset({"rpi3", "nexus", "stm32h7"}),
        frozenset({"rpi3", "nexus"}),
        frozenset({"rpi3", "stm32h7"}),
        frozenset({"stm32h7"}),
        frozenset({"varied"}),
    }


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.endswith("varied")])
def test_in_a_varied_fleet_all_devices_differ_in_speed_rate_and_memory(name):
    devices = problem_of(name).instance.devices
    for field in ("compute_mult_per_s", "rate_bits_per_s", "memory_bytes"):
        assert len({getattr(device, field) for device in devices}) == len(devices)


def test_the_binding_batch_is_ten_and_ten_requests_on_twenty_devices():
    made = problem_of("lenet10-cifar10-0.6-20-binding").instance
    networks = [request.network for request in made.requests]
    assert (networks.count("lenet"), networks.count("cifar_cnn")) == (10, 10)
    assert len(made.devices) == 20


@every_member
def test_the_best_known_solution_serves_all_but_of_an_oversubscribed_batch(member: Member):
    solution = read_solution(MEDIUM.folder / f"{member.name}.solution.json")
    whole = solution.placement is not None and not solution.placement.rejected
    assert whole == (member.name not in OVERSUBSCRIBED)


def shipped_loads(name: str) -> IntArray:
    """Return bytes, multiplications and bits of each helper in the best known placement."""
    problem = problem_of(name)
    solution = read_solution(MEDIUM.folder / f"{name}.solution.json")
    found = evaluate(problem, from_document(problem, solution.placement))
    return found.load[:, : problem.helpers]


def test_what_is_best_for_each_request_alone_is_too_much_for_the_batch():
    """Of each budget: ten times the placements that are best while nothing binds."""
    problem = problem_of("lenet10-cifar10-0.6-20-binding")
    lenet, cifar = (shipped_loads(f"{name}-0.6-20-mixed") for name in ("lenet", "cifar_cnn"))
    for one, other, budget in zip(lenet, cifar, problem.budgets, strict=True):
        assert np.any(10 * one + 10 * other > budget[: problem.helpers])
