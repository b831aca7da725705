"""Fronts of one request against brute force: tolerance, and the price of privacy."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import reference
from hypothesis import given
from strategies import EARLY, LATE, by_hand, examples, instances, twice

from optmodel.ground.rule_errors import InputError
from optmodel.pareto import (
    breakpoints,
    front,
    price_of_privacy,
    shared_data_front,
    tolerance_steps,
    without_caps,
)
from optmodel.pareto.one_request import at_tolerance
from optmodel.pareto.tolerance_front import ToleranceStep
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.search.options import SolverOptions


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
