"""Fronts of one request against brute force: tolerance, shared data, and the price of privacy."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import reference
from hypothesis import given
from strategies import (
    EARLY,
    LATE,
    act,
    by_hand,
    conv,
    examples,
    fc,
    instances,
    network,
    node,
    ssim_row,
    twice,
    with_budget,
)

from instances.generate import Recipe, generate
from optmodel.files import InputError
from optmodel.instance import Instance
from optmodel.pareto import (
    breakpoints,
    data_prices,
    front,
    price_of_privacy,
    shared_data_front,
    tolerance_steps,
    without_caps,
)
from optmodel.pareto import shared_data as seeking
from optmodel.pareto.data_prices import DataBounds
from optmodel.pareto.placed import checked
from optmodel.pareto.priced_data import PricedSeeker
from optmodel.pareto.request import at_tolerance
from optmodel.pareto.shared_data import SharedPoint
from optmodel.pareto.tolerance import ToleranceStep
from optmodel.problem import Problem
from optmodel.solution import ResultError, SolutionStatus, Termination
from optmodel.solvers import SolverOptions, SolverRun
from optmodel.ssim import SsimTable


def with_four_points() -> Instance:
    """A request on three slow helpers: to share less, fewer of them have to compute more."""
    layers = [
        conv("conv1", (1, 4), (2, 2), "early"),
        act("act1", 4, (2, 2), "early"),
        conv("conv2", (4, 3), (1, 2), "late", kernel=3),
        act("act2", 3, (1, 2), "late"),
        fc("fc1", 3, (6, 5)),
        fc("fc2", 1, (5, 2)),
    ]
    rows = (ssim_row("early", {2: 0.5, 4: 0.9}), ssim_row("late", {4: 0.1}))
    return by_hand(
        devices=(node("a", 100.0, 1000.0), node("b", 150.0, 2000.0), node("c", 200.0, 4000.0)),
        networks=(network("net", (1, 2, 2), layers),),
        ssim_table=SsimTable(source="made up", slack=0.0, rows=rows),
    )


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


def costs_of(points: list[SharedPoint]) -> list[tuple[float, int]]:
    return [(point.latency_s, point.shared_bits) for point in points]


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


# Latency against tolerance.


def test_the_optimum_changes_where_a_share_becomes_safe_and_nowhere_else():
    """conv1's maps have 0.3, 0.5, 0.9; conv2's two maps 0.2, 0.4."""
    made = by_hand()
    measured = sorted({*EARLY.values(), *LATE.values()})
    assert breakpoints(made) == [-1.0, *measured]


def test_the_slack_moves_every_breakpoint_exactly():
    made = by_hand()
    table = made.ssim_table.model_copy(update={"slack": 0.01})
    slack = breakpoints(made.model_copy(update={"ssim_table": table}))
    assert slack == [-1.0, 0.19, 0.29, 0.39, 0.49, 0.89]


def test_a_breakpoint_between_two_floats_is_rounded_to_the_safe_side():
    """0.3 - 1e-17 is no float: the nearest one, 0.3, is above it and its predecessor below."""
    made = by_hand()
    table = made.ssim_table.model_copy(update={"slack": 1e-17})
    exactly = Fraction("0.3") - Fraction("1e-17")
    found = breakpoints(made.model_copy(update={"ssim_table": table}))
    at = next(t for t in found if t >= 0.29)
    assert Fraction(repr(at)) >= exactly > Fraction(repr(math.nextafter(at, 0)))


def test_rows_of_other_networks_make_no_breakpoints():
    made = by_hand()
    other = made.ssim_table.rows[0].model_copy(update={"row": "unused"})
    measured = tuple(
        m.model_copy(update={"ssim": round(m.ssim / 7, 3)}) for m in other.measurements
    )
    rows = (*made.ssim_table.rows, other.model_copy(update={"measurements": measured}))
    table = made.ssim_table.model_copy(update={"rows": rows})
    assert breakpoints(made.model_copy(update={"ssim_table": table})) == breakpoints(made)


@examples(25)
@given(instances(requests=1))
def test_every_step_is_the_optimum_at_both_ends_and_in_between(made):
    steps = list(tolerance_steps(made))
    assert steps[0].from_ssim == -1.0
    assert steps[-1].below_ssim is None
    assert all(one.below_ssim == other.from_ssim for one, other in pairwise(steps))
    for step in steps:
        end = 1.0 if step.below_ssim is None else math.nextafter(step.below_ssim, -1)
        for tolerance in (step.from_ssim, (step.from_ssim + end) / 2, end):
            best = reference.best(at_tolerance(made, tolerance))
            assert step.proven
            if best is None:
                assert step.solution_status is SolutionStatus.INFEASIBLE
                assert step.latency_s is None
            else:
                assert step.latency_s == pytest.approx(float(best.latency_s), rel=2e-6)


@examples(25)
@given(instances(requests=1))
def test_the_front_of_tolerances_has_every_undominated_step_and_no_other(made):
    steps = list(tolerance_steps(made))
    kept = front(steps)
    assert all(later.latency_s < earlier.latency_s for earlier, later in pairwise(kept))
    for step in steps:
        stricter = [s.latency_s for s in steps if s.from_ssim < step.from_ssim and s.latency_s]
        if step.latency_s is None or step in kept:
            continue
        assert min(stricter) <= step.latency_s * (1 + 1e-5)


def step_of(tolerance: float, latency: float | None, bound: float | None) -> ToleranceStep:
    status = SolutionStatus.NONE if latency is None else SolutionStatus.FEASIBLE
    return ToleranceStep(
        from_ssim=tolerance,
        below_ssim=None,
        solution_status=status,
        latency_s=latency,
        bound_s=bound,
    )


def test_a_step_is_dropped_only_when_its_bound_says_that_it_cannot_be_faster():
    strict = step_of(0.1, 2.0, 1.0)
    maybe, surely, unknown = (
        step_of(0.2, 2.0, 1.9),
        step_of(0.2, 2.0, 2.0),
        step_of(0.2, 2.0, None),
    )
    assert front([strict, maybe]) == [strict, maybe]
    assert front([strict, surely]) == [strict]
    assert front([strict, unknown]) == [strict, unknown]
    assert front([step_of(0.0, None, None), strict]) == [strict]


def test_a_looser_promise_that_moves_the_first_fc_off_a_fast_camera_is_dominated():
    """At 0.4 fc1 leaves the camera (8h), which here is far faster than every helper."""
    made = by_hand()
    (camera,) = made.sources
    fast = camera.model_copy(update={"compute_mult_per_s": 1e9, "rate_bits_per_s": 1e9})
    made = made.model_copy(update={"sources": (fast,)})
    steps = {step.from_ssim: step for step in tolerance_steps(made)}
    assert steps[0.3].latency_s < steps[0.4].latency_s
    kept = [step.from_ssim for step in front(list(steps.values()))]
    assert 0.3 in kept
    assert 0.4 not in kept


def test_a_time_limit_leaves_an_interval_and_never_a_made_up_bound():
    steps = list(tolerance_steps(by_hand(), SolverOptions(time_limit_s=1e-9)))
    assert any(step.latency_s is None and step.bound_s is None for step in steps)
    open_steps = [step for step in steps if step.solution_status is SolutionStatus.NONE]
    assert open_steps
    assert not any(step.proven for step in open_steps)


# Latency against shared data.


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
    within = seeking._Seeker.within

    def counted(self: seeking._Seeker, limit: int) -> SharedPoint:
        sought.append(limit)
        return within(self, limit)

    monkeypatch.setattr(seeking._Seeker, "within", counted)
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


def test_runs_cut_short_leave_intervals_around_what_was_known(monkeypatch):
    """Every run but the first stops at once, with neither a placement nor a bound."""
    nothing = SolverRun(Termination.TIME_LIMIT, SolutionStatus.NONE, None, None)
    monkeypatch.setattr(seeking, "run_solver", lambda *_, **__: nothing)
    (point,) = shared_data_front(by_hand())
    best = reference.best(by_hand())
    assert point.latency_s == pytest.approx(float(best.latency_s))
    assert point.bound_bits is None
    assert not point.proven


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


# On larger fleets: prices on shared data.


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
    _, bounds = PricedSeeker(Problem.of(made), fastest, 10.0).seek()
    return bounds


@examples(25)
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
    made = generate(Recipe(("cifar_cnn",), "mixed", 20, 0.8), "large")
    points = list(shared_data_front(made, points=8))
    assert 5 <= len(points) <= 10
    assert points[0].latency_s == pytest.approx(points[0].bound_s, rel=5e-6)
    assert points[-1].shared_bits < points[0].shared_bits / 5
    assert all(point.latency_s <= 1.2 * point.bound_s for point in points)
    assert points == list(shared_data_front(made, points=8))


def test_where_all_devices_differ_bounds_stay_valid(monkeypatch):
    """Kinds of devices are too many to count senders of each."""
    monkeypatch.setattr(data_prices, "MOST_SENDERS", 1)
    made = with_four_points()
    bounds = bounds_of(made)
    assert all(one.plan is None for one in bounds.priced)
    for latency, bits in costs_by_brute_force(made):
        assert bounds.latency_s(bits) <= latency


# The price of privacy.


@examples(25)
@given(instances(requests=1))
def test_the_price_is_the_difference_of_two_optima_by_brute_force(made):
    price = price_of_privacy(made)
    free, private = reference.best(without_caps(made)), reference.best(made)
    if private is None or free is None:
        assert price.added_s is None
        assert price.share is None
        return
    added = float(private.latency_s - free.latency_s)
    assert price.added_s == pytest.approx(added, abs=4e-6 * float(free.latency_s))
    assert price.share == pytest.approx(added / float(free.latency_s), abs=4e-6)


@examples(25)
@given(instances(requests=1))
def test_without_caps_nothing_is_capped_and_8h_keeps_its_ends(made):
    (task,) = Problem.of(without_caps(made)).tasks
    assert task.protection.split_point == 0
    helpers, last = tuple(range(len(made.devices))), len(task.layers) - 1
    for k, layer in enumerate(task.layers):
        assert layer.cap == layer.segments
        assert layer.hosts == ((task.source,) if k in (0, last) else helpers)


# Bad input.


@pytest.mark.parametrize(
    "asked",
    [
        breakpoints,
        lambda made: list(tolerance_steps(made)),
        lambda made: list(shared_data_front(made)),
        price_of_privacy,
    ],
)
def test_a_batch_is_refused_with_the_number_of_its_requests(asked):
    with pytest.raises(InputError, match=r"requests: expected one.*got 2; keep one"):
        asked(twice(by_hand()))
