"""Fronts of shared data on larger fleets: prices on bits, against brute force."""

import math
from fractions import Fraction
from functools import partial
from itertools import pairwise

import pytest
import reference
from fronts import costs_of, with_four_points
from hypothesis import given
from strategies import examples, instances

from instances.generate import Recipe, generate
from optmodel.batch import BoundOptions
from optmodel.ground.rule_errors import ResultError
from optmodel.pareto import shared_data as seeking
from optmodel.pareto import shared_data_front, shared_data_prices
from optmodel.pareto.checked_placement import CheckedPlacement, checked
from optmodel.pareto.front_by_prices import PricedSeeker, coarse_to_fine
from optmodel.pareto.shared_data_prices import DataBounds, PricedBit
from optmodel.pareto.shared_point import SharedPoint
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import Allowance


def costs_by_brute_force(made: Instance) -> list[tuple[Fraction, int]]:
    """All (latency, bits) of any placement within its budgets."""
    (request,) = made.requests
    senders = slice(2, None, 3)
    plans = reference.plans(made, request).items()
    return [(cost, sum(load[senders])) for load, (cost, _) in plans]


def bounds_of(made: Instance) -> DataBounds:
    """What prices say of all placements of a request that has one."""
    (point, *_) = shared_data_front(made)
    fastest = checked(made, point.placement, "a front")
    _, bounds = PricedSeeker(Problem.of(made), fastest).seek(Allowance())
    return bounds


@examples(15)
@given(instances(requests=1))
def test_no_placement_beats_the_bounds_of_any_price(made):
    costs = costs_by_brute_force(made)
    if not costs:
        return
    bounds = bounds_of(made)
    for latency, bits in costs:
        assert bounds.latency_s(bits) <= latency
        assert bounds.shared_bits(float(latency)) <= bits


@examples(25)
@given(instances(requests=1))
def test_prices_leave_intervals_around_the_front_of_brute_force(made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeking, "MOST_COUNTED", 0)
        points = list(shared_data_front(made))
    costs = costs_by_brute_force(made)
    if not costs:
        assert points == []
        return
    assert points[0].proven or points[0].bound_s == pytest.approx(points[0].latency_s, rel=5e-6)
    for earlier, later in pairwise(costs_of(points)):
        assert earlier[0] < later[0]
        assert earlier[1] > later[1]
    for point in points:
        best = min(cost for cost, bits in costs if bits <= point.shared_bits)
        least = min(bits for cost, bits in costs if cost <= point.latency_s * (1 + 1e-9))
        assert point.bound_s <= best * (1 + 1e-9)
        assert best <= point.latency_s * (1 + 1e-9)
        assert point.bound_bits <= least <= point.shared_bits


def test_on_a_large_fleet_a_front_is_known_to_a_few_percent():
    made = generate(Recipe(("cifar_cnn",), "mixed", 12, 0.8), "large")
    points = list(shared_data_front(made, points=6))
    assert 4 <= len(points) <= 8
    assert points[0].latency_s == pytest.approx(points[0].bound_s, rel=5e-6)
    assert points[-1].shared_bits < points[0].shared_bits / 5
    assert all(point.latency_s <= 1.2 * point.bound_s for point in points)
    assert points == list(shared_data_front(made, points=6))


def test_where_all_devices_differ_bounds_stay_valid(monkeypatch):
    """Kinds of devices are too many to count senders of each."""
    few = partial(BoundOptions, most_ranges=1)
    monkeypatch.setattr(shared_data_prices, "BoundOptions", few)
    made = with_four_points()
    bounds = bounds_of(made)
    assert all(one.plan is None for one in bounds.priced)
    for latency, bits in costs_by_brute_force(made):
        assert bounds.latency_s(bits) <= latency


def test_prices_are_tried_from_coarse_to_fine():
    order = coarse_to_fine()
    assert order[:3] == pytest.approx([1.0, 1 / 64, 64.0])
    assert sorted(order[3:5]) == pytest.approx([1 / 8, 8.0])
    assert len(order) == len(set(order)) == 33


def test_at_the_time_limit_no_further_price_is_tried_and_bounds_stay_valid():
    made = with_four_points()
    (point, *_) = shared_data_front(made)
    fastest = checked(made, point.placement, "a front")
    found, bounds = PricedSeeker(Problem.of(made), fastest).seek(Allowance(0))
    assert [one.price_s for one in bounds.priced] == [0.0]
    assert [placed.bits for placed in found] == [fastest.bits]
    for latency, bits in costs_by_brute_force(made):
        assert bounds.latency_s(bits) <= latency
        assert bounds.shared_bits(float(latency)) <= bits


def test_the_time_limit_holds_for_all_prices_together(monkeypatch):
    """It is looked at before every price: five fit in, and the free one."""
    made = with_four_points()
    (point, *_) = shared_data_front(made)
    fastest = checked(made, point.placement, "a front")
    looks = iter(range(1000))

    class OverAtTheSixth(Allowance):
        @property
        def over(self) -> bool:
            return next(looks) >= 5

    monkeypatch.setattr(PricedSeeker, "_placements", lambda *_: [])
    _, bounds = PricedSeeker(Problem.of(made), fastest).seek(OverAtTheSixth())
    assert len(bounds.priced) == 6


def test_a_price_that_claims_that_there_is_no_placement_is_found_out(monkeypatch):
    never = PricedBit(0.0, math.inf, None)
    monkeypatch.setattr(shared_data_prices.BitPricer, "at", lambda *_: never)
    with pytest.raises(ResultError, match="claims the bound inf s, but there is a placement"):
        bounds_of(with_four_points())


def with_bounds(monkeypatch, bounds: DataBounds) -> list[SharedPoint]:
    """The front of a request as if prices had found nothing but the fastest placement."""

    class Seeker:
        def __init__(self, problem: Problem, fastest: CheckedPlacement) -> None:
            self.fastest = fastest

        def seek(self, allowance: Allowance) -> tuple[list[CheckedPlacement], DataBounds]:
            return [self.fastest], bounds

    monkeypatch.setattr(seeking, "MOST_COUNTED", 0)
    monkeypatch.setattr(seeking, "PricedSeeker", Seeker)
    made, search = with_four_points(), seeking.solve
    # A solver that proves nothing.
    unproven = {"bound_s": None, "solution_status": SolutionStatus.FEASIBLE}
    monkeypatch.setattr(seeking, "solve", lambda *asked: search(*asked).model_copy(update=unproven))
    return list(shared_data_front(made))


def test_the_bound_without_a_limit_holds_for_placements_that_share_more(monkeypatch):
    """Up to 1.5 s below the fastest for what shares as little, up to 2 s below for all others."""
    (fastest, *_) = shared_data_front(with_four_points())
    free = PricedBit(0.0, fastest.latency_s - 2, None)
    price = 1 / fastest.shared_bits
    priced = PricedBit(price, fastest.latency_s - 0.5, None)
    bounds = DataBounds((free, priced), 0)
    (point,) = with_bounds(monkeypatch, bounds)
    assert bounds.latency_s(point.shared_bits) == pytest.approx(point.latency_s - 1.5)
    assert point.limit_bits is None
    assert point.bound_s == pytest.approx(point.latency_s - 2)


def test_prices_that_claim_more_bits_than_a_placement_shares_are_found_out(monkeypatch):
    (fastest, *_) = shared_data_front(with_four_points())
    price = 1e-3
    too_high = fastest.latency_s + price * (fastest.shared_bits + 1)
    bounds = DataBounds((PricedBit(0.0, 0.0, None), PricedBit(price, too_high, None)), 0)
    with pytest.raises(ResultError, match=f"but a placement shares {fastest.shared_bits}"):
        with_bounds(monkeypatch, bounds)
