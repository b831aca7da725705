"""Any prices give a bound, and prices help where budgets bind."""

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import by_hand, examples, instances, twice

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.bound.cutting_planes import CuttingPlane, CuttingPlanes
from optmodel.batch.bound.price_search import PriceSearch
from optmodel.batch.bound.priced_graph import PricedGraph
from optmodel.batch.options import BoundOptions
from optmodel.placement.request_class import classes_of
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


@examples(75)
@given(instances(requests=2), st.integers(0, 2**32 - 1))
def test_arbitrary_prices_never_bound_above_brute_force(made: Instance, seed: int) -> None:
    optimum = reference.best(made)
    assume(optimum is not None)
    draw = np.random.default_rng(seed)
    search = PriceSearch(classes_of(Problem.of(made)))
    scale = float(optimum.latency_s) * draw.exponential(1.0, search.room.shape)
    prices = search._per_unit(scale * draw.integers(0, 2, search.room.shape))
    for graphs in (search.graphs, [PricedGraph(requests) for requests in search.classes]):
        search.graphs = graphs
        found, _ = search._ask(prices, True)
        assert reference.Fraction(found.bound_s) <= optimum.latency_s


def test_prices_raise_the_bound_where_bandwidth_binds() -> None:
    scales = BudgetScales(bandwidth=0.004)
    made = generate(Recipe(("lenet=6,cifar_cnn=6",), "mixed", 8, 0.8, scales=scales), "tight")
    found = [priced.bound_s for priced in PriceSearch(classes_of(Problem.of(made))).improving()]
    assert max(found) > 1.01 * found[0]


def test_equal_requests_are_one_class() -> None:
    [requests] = classes_of(Problem.of(twice(by_hand())))
    assert [member.request.id for member in requests.members] == ["r1", "r2"]


def test_requests_of_unequal_sources_are_two_classes() -> None:
    made = twice(by_hand())
    slower = made.sources[0].model_copy(update={"id": "other", "compute_mult_per_s": 1.0})
    second = made.requests[1].model_copy(update={"source": "other"})
    changed = made.model_copy(
        update={"sources": (*made.sources, slower), "requests": (made.requests[0], second)}
    )
    assert len(classes_of(Problem.of(changed))) == 2


def test_reply_is_latency_plus_priced_load() -> None:
    [requests] = classes_of(Problem.of(twice(by_hand())))
    prices = np.full((3, len(requests.fleet.groups)), 1e-6)
    prices[:, -1] = 0.0
    reply = PricedGraph(requests).cheapest(prices)
    assert reply.value_s == pytest.approx(reply.latency_s + float((prices * reply.load).sum()))


def test_prices_stay_near_those_that_are_known() -> None:
    planes = CuttingPlanes(
        np.ones(1), np.ones(2), 10.0, [set()], BoundOptions(reach=3.0, margin=0.1)
    )
    planes.planes.append(CuttingPlane(0, 10.0, np.array([2.0, 0.5])))
    _, far = planes.highest()
    _, near = planes.highest(np.array([2.0, 8.0]))
    assert far.tolist() == [200.0, 0.0]
    assert near == pytest.approx([3 * 2.0 + 0.1 * 10.0, 8.0 / 3])


def test_planes_that_rest_on_what_is_known_better_are_dropped() -> None:
    outdated: set[object] = set()
    planes = CuttingPlanes(np.ones(1), np.ones(1), 1.0, [outdated], BoundOptions())
    planes.planes.append(CuttingPlane(0, 1.0, np.zeros(1), frozenset({"arc"})))
    planes.planes.append(CuttingPlane(0, 3.0, np.zeros(1)))
    assert planes.highest()[0] == pytest.approx(1.0)
    outdated.add("arc")
    assert planes.highest()[0] == pytest.approx(3.0)
