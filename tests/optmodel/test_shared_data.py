"""Fronts of latency against shared data on small fleets, against brute force."""

from fractions import Fraction
from itertools import pairwise

import pytest
import reference
from fronts import costs_of, with_four_points
from hypothesis import given
from strategies import by_hand, examples, instances, with_budget

from optmodel.ground.rule_errors import ResultError
from optmodel.milp.solvers import SolverRun
from optmodel.pareto import NothingFound, shared_data_front
from optmodel.pareto import front_by_count as seeking
from optmodel.pareto.shared_point import SharedPoint
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions


def pareto_by_brute_force(made: Instance) -> list[tuple[Fraction, int]]:
    """All (latency, bits) that no other placement beats, the fastest first."""
    (request,) = made.requests
    senders = slice(2, None, 3)  # A load holds bytes, multiplications and bits of each node.
    costs = sorted(
        (cost, sum(load[senders])) for load, (cost, _) in reference.plans(made, request).items()
    )
    kept: list[tuple[Fraction, int]] = []
    for cost, bits in costs:
        if not kept or bits < kept[-1][1]:
            kept.append((cost, bits))
    return kept


def assert_front(points: list[SharedPoint], expected: list[tuple[Fraction, int]]) -> None:
    """Compare, up to latencies that differ by less than the accuracy of a proof."""
    merged = [expected[0]]
    for latency, bits in expected[1:]:
        if float(latency) <= float(merged[-1][0]) * (1 + 2e-6):
            merged.pop()
        merged.append((latency, bits))
    assert [point.shared_bits for point in points] == [bits for _, bits in merged]
    for point, (latency, _) in zip(points, merged, strict=True):
        assert point.latency_s == pytest.approx(float(latency), rel=5e-6)


def test_all_four_points_are_found_and_proven():
    points = list(shared_data_front(with_four_points()))
    assert [point.shared_bits for point in points] == [1184, 1120, 1056, 864]
    assert_front(points, pareto_by_brute_force(with_four_points()))
    assert all(point.proven for point in points)
    assert [point.limit_bits for point in points] == [None, 1152, 1088, 1024]


@examples(25)
@given(instances(requests=1))
def test_the_front_of_shared_data_is_that_of_brute_force(made):
    best = reference.best(made)
    points = list(shared_data_front(made))
    if best is None:
        assert points == []
        return
    assert_front(points, pareto_by_brute_force(made))
    assert all(point.proven for point in points)
    for earlier, later in pairwise(costs_of(points)):
        assert earlier[0] < later[0]
        assert earlier[1] > later[1]


def test_budgets_hold_along_the_front():
    free = list(shared_data_front(with_four_points()))
    made = with_budget(with_four_points(), "c", bandwidth_budget_bits=100.0)
    assert_front(list(shared_data_front(made)), pareto_by_brute_force(made))
    assert costs_of(list(shared_data_front(made))) != costs_of(free)


def test_few_points_are_points_of_the_whole_front_with_both_ends():
    whole = costs_of(list(shared_data_front(with_four_points())))
    some = costs_of(list(shared_data_front(with_four_points(), points=3)))
    assert some == [whole[0], whole[2], whole[3]]


def test_known_points_are_taken_over_and_the_others_sought(monkeypatch):
    whole = list(shared_data_front(with_four_points()))
    sought = []
    within = seeking.CountedSeeker.within

    def counted(self: seeking.CountedSeeker, limit: int) -> SharedPoint:
        sought.append(limit)
        return within(self, limit)

    monkeypatch.setattr(seeking.CountedSeeker, "within", counted)
    known = {point.limit_bits: point for point in whole if point is not whole[2]}
    again = list(shared_data_front(with_four_points(), known=known))
    assert sought == [whole[2].limit_bits]
    assert again == whole


def test_a_request_that_is_served_on_the_camera_alone_shares_nothing():
    """Two layers, first and last: both stay on the source (8h)."""
    made = by_hand()
    (net,) = made.networks
    fc1 = net.layers[4].model_copy(update={"input_maps": 3, "input_neurons": 12})
    layers = (net.layers[0], fc1)
    two = net.model_copy(update={"layers": layers})
    made = made.model_copy(update={"networks": (two,)})
    (point,) = shared_data_front(made)
    assert (point.shared_bits, point.bound_bits, point.proven) == (0, 0, True)


def test_runs_cut_short_leave_intervals_between_what_prices_know(monkeypatch):
    """Every run of the count model stops at once, with neither a placement nor a bound."""
    nothing = SolverRun(Termination.TIME_LIMIT, SolutionStatus.NONE, None, None)
    monkeypatch.setattr(seeking, "run_solver", lambda *_, **__: nothing)
    points = list(shared_data_front(with_four_points()))
    front = pareto_by_brute_force(with_four_points())
    assert not all(point.proven for point in points)
    for point in points:
        best = min(cost for cost, bits in front if bits <= point.shared_bits)
        least = min(bits for cost, bits in front if cost <= point.latency_s * (1 + 1e-9))
        assert point.bound_s <= best <= point.latency_s * (1 + 1e-9)
        assert point.bound_bits <= least <= point.shared_bits
    assert points[-1].shared_bits < points[0].shared_bits


def test_no_time_for_a_first_placement_is_not_taken_for_a_proof_that_there_is_none():
    with pytest.raises(NothingFound):
        list(shared_data_front(with_four_points(), SolverOptions(time_limit_s=1e-9)))


def test_a_solver_that_calls_a_known_placement_infeasible_is_found_out(monkeypatch):
    wrong = SolverRun(Termination.CONVERGED, SolutionStatus.INFEASIBLE, None, None)
    monkeypatch.setattr(seeking, "run_solver", lambda *_, **__: wrong)
    with pytest.raises(ResultError, match="no placement keeps limits which a known one keeps"):
        list(shared_data_front(by_hand()))


def test_a_solver_that_claims_too_high_a_bound_is_found_out(monkeypatch):
    wrong = SolverRun(Termination.TIME_LIMIT, SolutionStatus.NONE, 1e9, None)
    monkeypatch.setattr(seeking, "run_solver", lambda *_, **__: wrong)
    with pytest.raises(ResultError, match="claims the bound"):
        list(shared_data_front(by_hand()))


def test_ctrl_c_ends_a_front_instead_of_leaving_a_point_cut_short(monkeypatch):
    stopped = SolverRun(Termination.INTERRUPTED, SolutionStatus.NONE, None, None)
    monkeypatch.setattr(seeking, "run_solver", lambda *_, **__: stopped)
    with pytest.raises(KeyboardInterrupt):
        list(shared_data_front(by_hand()))
