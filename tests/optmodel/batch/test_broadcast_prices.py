"""Prices on broadcasts: any give a bound, and they see that a node fits whole broadcasts only."""

from itertools import product

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, instances
from test_bound import squeezed

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.bound.broadcast_packs import BroadcastKinds, BroadcastPacker
from optmodel.batch.bound.broadcast_prices import BroadcastPrices, BroadcastSearch
from optmodel.batch.bound.cutting_planes import CuttingPlanes
from optmodel.batch.bound.price_search import PriceSearch
from optmodel.batch.bound.sender_graph import SenderGraph
from optmodel.batch.options import BoundOptions
from optmodel.placement.request_class import classes_of
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


def search_of(made: Instance) -> tuple[PriceSearch, BroadcastSearch]:
    classes = classes_of(Problem.of(made))
    budgets = PriceSearch(classes)
    graphs = [graph for graph in budgets.graphs if isinstance(graph, SenderGraph)]
    broadcasts = BroadcastKinds.of_batch(classes, graphs)
    return budgets, BroadcastSearch(classes, graphs, broadcasts, budgets.each, BoundOptions())


def no_planes(search: BroadcastSearch) -> CuttingPlanes:
    return CuttingPlanes(np.ones(1), np.ones(1), 1.0, [], BoundOptions())


@pytest.mark.parametrize("requests", [1, 2])
def test_arbitrary_prices_never_bound_above_brute_force(requests: int) -> None:
    @examples(30)
    @given(instances(requests=requests), st.integers(0, 2**32 - 1))
    def holds(made: Instance, seed: int) -> None:
        optimum = reference.best(made)
        assume(optimum is not None)
        _, search = search_of(made)
        draw = np.random.default_rng(seed)
        number = (3 + 2 * len(search.maps)) * len(search.sizes)
        drawn = draw.exponential(1.0, number) * draw.integers(0, 2, number)
        prices = float(optimum.latency_s) * drawn
        found = search._ask(prices, no_planes(search), closely=bool(seed % 2))
        assert reference.Fraction(found) <= optimum.latency_s

    holds()


@examples(40)
@given(squeezed(("8d",)))
def test_best_prices_never_bound_above_brute_force(made: Instance) -> None:
    optimum = reference.best(made)
    assume(optimum is not None)
    budgets, search = search_of(made)
    prices = np.full(budgets.each.shape, 0.0)
    np.divide(float(optimum.latency_s), budgets.room, out=prices, where=budgets.room > 0)
    for n, bound_s in enumerate(search.improving(prices, float(optimum.latency_s))):
        assert reference.Fraction(bound_s) <= optimum.latency_s
        if n == 12:
            break


@examples(30)
@given(instances(requests=2), st.integers(0, 2**32 - 1))
def test_prices_on_broadcasts_can_say_the_same_as_prices_on_budgets(
    made: Instance, seed: int
) -> None:
    optimum = reference.best(made)
    assume(optimum is not None)
    budgets, search = search_of(made)
    drawn = np.random.default_rng(seed).exponential(1.0, budgets.room.shape)
    prices = budgets._per_unit(float(optimum.latency_s) * drawn)
    bound = budgets._ask(prices, True)[0].bound_s
    vector = search._of_budgets(prices).vector
    found = search._ask(vector, no_planes(search), closely=True)
    assert found >= bound - 1e-6 * abs(bound)


def test_a_node_that_fits_two_of_three_broadcasts_raises_the_bound() -> None:
    scales = BudgetScales(bandwidth=0.0008)
    made = generate(Recipe(("cifar_cnn",), "power", 8, 0.6, scales=scales), "lumps")
    budgets, _ = search_of(made)
    on_budgets = max(priced.bound_s for priced in budgets._on_budgets())
    assert max(priced.bound_s for priced in budgets.improving()) > 1.01 * on_budgets


def test_a_node_earns_by_what_fits_and_keeps_maps_where_that_makes_room() -> None:
    broadcasts = BroadcastKinds(
        class_and_stage=((0, 0), (0, 1)),
        bits=np.array([6.0, 5.0]),
        own=np.array([1.0, 2.0]),
        keeps=np.array([[3.0], [1.0]]),
        members=np.array([1, 1]),
    )
    active = np.array([4.0, 3.0])
    assert (
        BroadcastPacker(broadcasts, 0, 6.0).best(active, np.array([9.0, 9.0]), 0.0).value_s == 4.0
    )
    # Room for both only if the node keeps 3 bits: all of the first, at 1/2 a map.
    both = BroadcastPacker(broadcasts, 0, 8.0).best(active, np.array([0.5, 9.0]), 0.0)
    assert both.sent.tolist() == [1.0, 1.0]
    assert both.kept.tolist() == [3.0, 0.0]
    assert both.value_s == 5.5
    assert BroadcastPacker(broadcasts, 0, 1.0).best(active, np.zeros(2), 0.5).value_s == 0.5


@pytest.mark.parametrize("room", [0.0, 4.0, 7.0, 9.0, 20.0])
def test_no_choice_in_whole_maps_earns_a_node_more(room: float) -> None:
    draw = np.random.default_rng(int(room))
    broadcasts = BroadcastKinds(
        class_and_stage=((0, 0), (0, 1)),
        bits=np.array([6.0, 5.0]),
        own=np.array([1.0, 2.0]),
        keeps=np.array([[3.0], [2.0]]),
        members=np.array([2, 1]),
    )
    packer = BroadcastPacker(broadcasts, 0, room)
    for _ in range(50):
        active, kept = draw.exponential(2.0, (2, 2))
        bit = float(draw.exponential(0.5))
        most = max(
            sent @ active - maps @ kept + bit * left
            for sent in map(np.array, product(range(3), range(2)))
            for maps in map(np.array, product(range(7), range(3)))
            if (maps <= sent * broadcasts.keeps[:, 0]).all()
            and (left := room - sent @ broadcasts.bits + maps @ broadcasts.own) >= 0
        )
        assert packer.best(active, kept, bit).value_s >= most - 1e-9


def test_a_vector_of_prices_is_read_as_it_was_written() -> None:
    rows = np.arange(14.0).reshape(7, 2)
    prices = BroadcastPrices.of(rows.ravel(), 2)
    assert prices.kept.tolist() == rows[5:].tolist()
    assert prices.vector.tolist() == rows.ravel().tolist()
