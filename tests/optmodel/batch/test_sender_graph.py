"""Paths over numbers of senders: never dearer than the cheapest placement of brute force."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, instances, unlimited

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.bound.priced_graph import PricedGraph
from optmodel.batch.bound.sender_graph import SenderGraph
from optmodel.batch.bound.sender_ranges import SenderRange, all_senders
from optmodel.placement.request_class import RequestClass, classes_of
from optmodel.problem.arrays import FloatArray, Problem
from optmodel.problem.instance import Instance
from optmodel.stages.arcs.cheapest_first import cheapest_first
from optmodel.stages.sender_signature import SenderSignature
from optmodel.stages.stage_graph import ArcBook

FINE = 1e-9


def least_cost(made: Instance, requests: RequestClass, prices: FloatArray) -> Fraction | None:
    """Return the least latency plus priced load of all placements, by brute force."""
    [request] = made.requests
    costs = np.zeros((3, len(made.nodes)))
    for g, group in enumerate(requests.fleet.groups):
        costs[:, list(group.nodes)] = prices[:, [g]]
    each = [Fraction(cost) for cost in costs.T.ravel().tolist()]
    return min(
        (
            latency + sum(map(Fraction.__mul__, each, map(Fraction, load)))
            for load, (latency, _) in reference.plans(made, request).items()
        ),
        default=None,
    )


def drawn_prices(requests: RequestClass, made: Instance, seed: int) -> FloatArray:
    """Draw prices at which what a placement uses costs about as much as it takes; some are 0."""
    [request] = made.requests
    latency, plan = min(reference.plans(made, request).values())
    draw = np.random.default_rng(seed)
    carried = reference.loads(made, {request.id: plan})
    total = np.array([[max(sum(carried[eq].values()), 1)] for eq in reference.BUDGETS])
    shape = (3, len(requests.fleet.groups))
    prices = draw.exponential(1.0, shape) * draw.integers(0, 2, shape) * float(latency) / total
    prices[:, -1] = 0.0
    found: FloatArray = prices
    return found


@examples(75)
@given(instances(requests=1), st.integers(0, 2**32 - 1), st.booleans())
def test_no_placement_is_cheaper_than_the_path(made: Instance, seed: int, closely: bool) -> None:
    problem = Problem.of(made)
    assume(not problem.tasks[0].unattainable and reference.plans(made, made.requests[0]))
    [requests] = classes_of(problem)
    graph = SenderGraph(requests, ArcBook(FINE))
    for n in range(3):
        prices = drawn_prices(requests, made, seed + n)
        least = least_cost(made, requests, prices)
        assert least is not None
        assert graph.cheapest(prices, closely).value_s <= float(least) * (1 + FINE)


@examples(30)
@given(instances(requests=1))
def test_without_prices_the_path_ends_at_the_optimum(made: Instance) -> None:
    made = unlimited(made)
    problem, optimum = Problem.of(made), reference.best(made)
    assume(not problem.tasks[0].unattainable and optimum is not None)
    [requests] = classes_of(problem)
    graph = SenderGraph(requests, ArcBook(FINE))
    nothing = np.zeros((3, len(requests.fleet.groups)))
    known = -1
    while known != len(graph.outdated):
        known = len(graph.outdated)
        reply = graph.cheapest(nothing)
    assert reply.value_s == pytest.approx(float(optimum.latency_s), rel=1e-6)


def test_reply_is_latency_plus_priced_load() -> None:
    scales = BudgetScales(bandwidth=0.004)
    made = generate(Recipe(("lenet=6",), "mixed", 8, 0.8, scales=scales), "tight")
    [requests] = classes_of(Problem.of(made))
    prices = np.full((3, len(requests.fleet.groups)), 1e-10)
    prices[:, -1] = 0.0
    reply = SenderGraph(requests, ArcBook(FINE)).cheapest(prices)
    assert reply.value_s == pytest.approx(reply.latency_s + float((prices * reply.load).sum()))


def test_numbers_of_senders_price_bandwidth_higher_than_fractions_of_them() -> None:
    made = generate(Recipe(("cifar_cnn",), "mixed", 6, 0.6), "one")
    [requests] = classes_of(Problem.of(made))
    prices = np.zeros((3, len(requests.fleet.groups)))
    prices[2, :-1] = 1e-9
    numbers = SenderGraph(requests, ArcBook(FINE)).cheapest(prices)
    assert numbers.value_s > 1.05 * PricedGraph(requests).cheapest(prices).value_s


def test_a_reply_rests_on_nothing_outdated_until_its_graph_learns() -> None:
    made = generate(Recipe(("lenet",), "mixed", 8, 0.8), "one")
    [requests] = classes_of(Problem.of(made))
    graph = SenderGraph(requests, ArcBook(FINE))
    nothing = np.zeros((3, len(requests.fleet.groups)))
    roughly = graph.cheapest(nothing, closely=False)
    assert roughly.rests_on.isdisjoint(graph.outdated)
    closely = graph.cheapest(nothing)
    assert not roughly.rests_on.isdisjoint(graph.outdated)
    assert closely.value_s >= roughly.value_s


@pytest.mark.parametrize("whole", [False, True])
def test_ranges_of_senders_hold_every_set_that_has_room_once(whole: bool) -> None:
    sizes, caps, segments = (5, 1, 3), (2, 4, 0), 4
    ranges = list(all_senders(sizes, caps, segments, whole))
    for counts in product(*(range(size + 1) for size in sizes)):
        room = sum(n * cap for n, cap in zip(counts, caps, strict=True))
        alone = sum(counts) == 1 and room >= segments
        useful = alone if whole else room >= segments and not counts[2] and sum(counts) <= segments
        assert useful <= sum(holds(senders, counts) for senders in ranges) <= 1


def holds(senders: SenderRange, counts: tuple[int, ...]) -> bool:
    return all(map(range.__contains__, map(range, senders.low, plus_one(senders.high)), counts))


def plus_one(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n + 1 for n in numbers)


def test_halves_hold_each_set_once_and_share_the_signature() -> None:
    senders, rates = SenderRange((2, 0, 1), (17, 0, 1)), (3.0, 1.0, 2.0)
    one, other = senders.halves()
    for n in range(2, 18):
        assert holds(one, (n, 0, 1)) + holds(other, (n, 0, 1)) == 1
    expected = SenderSignature(2.0, 2, 3.0)
    assert {s.signature(rates) for s in (senders, one, other)} == {expected}


def test_a_slowest_rate_that_two_groups_share_singles_nobody_out() -> None:
    assert SenderRange((1, 1), (1, 1)).signature((2.0, 2.0)) == SenderSignature(2.0)
    assert SenderRange((1, 0), (1, 0)).signature((2.0, 2.0)) == SenderSignature(2.0, 0, None)


def test_the_cheapest_are_dealt_first() -> None:
    room = np.array([[3, 2, 9], [1, 1, 1]])
    taken = cheapest_first(4, room, np.array([2.0, 1.0, 3.0]))
    assert taken.tolist() == [[2, 2, 0], [1, 1, 1]]
    prices_per_row = np.array([[2.0, 1.0, 1.0], [3.0, 2.0, 1.0]])
    assert cheapest_first(2, room, prices_per_row).tolist() == [[0, 2, 0], [0, 1, 1]]
