"""On large fleets what was found for a kind of request is dealt to the idlest of equal devices."""

import numpy as np
import pytest

from heuristics.policy import place_all, place_one
from heuristics.scheduler import OnlineScheduler
from instances.generate import Recipe, generate
from optmodel.checker import check
from optmodel.online import lookahead
from optmodel.online.known_paths import KnownPaths
from optmodel.online.lookahead import LookaheadPolicy
from optmodel.online.patterns import PatternDealer, PlacementPattern
from optmodel.placement.evaluate import evaluate_request
from optmodel.placement.named_placement import to_document
from optmodel.problem.arrays import Problem
from optmodel.problem.budget_ledger import BudgetLedger
from optmodel.problem.instance import Request


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """The ids of the requests for which placements were looked for."""
    asked: list[str] = []
    look = LookaheadPolicy._look

    def counted(self, offer):
        asked.append(offer.task.request.id)
        return look(self, offer)

    monkeypatch.setattr(LookaheadPolicy, "_look", counted)
    return asked


def problem_of(networks: str, devices: int, cameras: int | None = None) -> Problem:
    recipe = Recipe((networks,), "mixed", devices, 0.8, cameras=cameras)
    return Problem.of(generate(recipe, "dealt"))


def test_equal_requests_on_a_large_fleet_are_dealt_and_pass_the_checker(looks):
    problem = problem_of("cifar_cnn=20", 200)
    outcome = place_all(problem, LookaheadPolicy())
    assert len(outcome.placement.requests) == 20
    assert len(looks) < 10
    assert check(problem.instance, to_document(problem, outcome.placement)).passed


def test_dealt_placements_are_as_fast_as_those_looked_for_each_time(monkeypatch):
    problem = problem_of("lenet=20,cifar_cnn=20", 200)
    latency = {}
    for most in (lookahead.MOST_NUMBERS, 0):
        monkeypatch.setattr(lookahead, "MOST_NUMBERS", most)
        placed = place_all(problem, LookaheadPolicy()).placement.requests
        costs = [evaluate_request(problem, t, placed[t.request.id]) for t in problem.tasks]
        latency[most] = sum(cost.latency_s for cost in costs)
    dealt, looked = latency.values()
    assert dealt == pytest.approx(looked, rel=0.02)


def test_a_pattern_has_the_latency_and_the_load_of_its_placement_wherever_it_is_dealt():
    problem = problem_of("cifar_cnn", 40)
    (task,) = problem.tasks
    known = KnownPaths().find(problem, task)
    placed = place_one(problem, LookaheadPolicy(), task, BudgetLedger.of(problem))
    pattern = PlacementPattern.of(known, placed)
    draw = np.random.default_rng(0)
    for _ in range(20):
        used = draw.random((3, len(problem.node_ids)))
        nodes = PatternDealer(known, used, task.source).nodes(pattern)
        assert len(set(nodes.tolist())) == len(nodes)
        counts = np.zeros_like(placed.placement.counts)
        counts[:, nodes] = pattern.parts.placement.counts
        flows = pattern.parts.placement.flows
        moved = type(flows)(flows.layer, nodes[flows.sender], nodes[flows.receiver], flows.maps)
        again = evaluate_request(problem, task, type(placed.placement)(counts, moved))
        assert again.latency_s == pytest.approx(placed.latency_s, rel=1e-12)
        assert (again.load[:, nodes] == pattern.parts.load).all()


def test_the_idlest_of_equal_devices_get_the_most():
    problem = problem_of("cifar_cnn", 40)
    (task,) = problem.tasks
    known = KnownPaths().find(problem, task)
    pattern = PlacementPattern.of(
        known, place_one(problem, LookaheadPolicy(), task, BudgetLedger.of(problem))
    )
    used = np.zeros((3, len(problem.node_ids)))
    first = PatternDealer(known, used, task.source).nodes(pattern)
    used[:, first[0]] = 0.5
    assert first[0] < problem.helpers
    second = PatternDealer(known, used, task.source).nodes(pattern)
    group = known.group_of == known.group_of[first[0]]
    takes_part = np.isin(np.flatnonzero(group), second)
    assert first[0] not in second or takes_part.all()


def test_when_usage_comes_back_nothing_is_looked_for_again(looks):
    problem = problem_of("vgg16=12", 60, cameras=1)
    policy, left = LookaheadPolicy(), BudgetLedger.of(problem)

    def place_six() -> float:
        before, total_s = left.copy(), 0.0
        for task in problem.tasks[:6]:
            costs = place_one(problem, policy, task, left)
            left.reserve(costs.load)
            total_s += costs.latency_s
        left.left[:] = before.left
        return total_s

    first_s, first_looks = place_six(), len(looks)
    assert first_looks > 1
    assert place_six() == pytest.approx(first_s, rel=0.01)
    assert len(looks) == first_looks


def test_what_is_remembered_of_usages_does_not_pile_up(monkeypatch, looks):
    problem = problem_of("vgg16=8", 60, cameras=1)
    place_all(problem, policy := LookaheadPolicy())
    one = max(look.numbers for look in policy._looks)
    assert len(policy._looks) == len(looks) > 3
    monkeypatch.setattr(lookahead, "MOST_NUMBERS", 2 * one)
    place_all(problem, policy := LookaheadPolicy())
    assert 0 < len(policy._looks) <= 3
    numbers = [look.numbers for look in policy._looks]
    assert policy._looks.size == sum(numbers) <= 2 * one


def test_when_a_device_goes_or_comes_nothing_is_looked_for_again(looks):
    fleet = generate(Recipe(("cifar_cnn",), "mixed", 300, 0.8, cameras=1), "changing")
    scheduler = OnlineScheduler(fleet)

    def submit(name: str):
        return scheduler.submit(
            Request(id=name, source="camera-1", network="cifar_cnn", tolerated_ssim=0.8)
        )

    first = submit("r1")
    gone = next(device for device in scheduler.devices if device.id == "rpi3-7")
    scheduler.die(gone.id)
    second = submit("r2")
    scheduler.join(gone)
    third = submit("r3")
    assert looks == ["r1"]
    assert first.latency_s == pytest.approx(second.latency_s, rel=0.01)
    assert third.latency_s == pytest.approx(second.latency_s, rel=0.01)
    assert "rpi3-7" not in {node for layer in second.placement.layers for node in layer.segments}
