"""What tests of improvement share: placements to start from, and all that is promised."""

from itertools import pairwise

import pytest
from assigned import written
from strategies import with_budget

from heuristics.baselines import AtRandom
from heuristics.improvement import ImprovedPlacement
from heuristics.policy import place_all
from optmodel.checker import check
from optmodel.placement.evaluate import evaluate
from optmodel.placement.placement import Placement
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance

ROUNDING = 1e-9


def at_random(problem: Problem, seed: int = 1) -> Placement:
    return place_all(problem, AtRandom(seed=seed)).placement


def tight_around(made: Instance, placement: Placement) -> Instance:
    """Return the instance with every budget of every helper at what the placement loads it with."""
    found = evaluate(Problem.of(made), placement)
    for i, device in enumerate(made.devices):
        made = with_budget(
            made,
            device.id,
            memory_bytes=float(found.load[0][i]),
            compute_budget_mult=float(found.load[1][i]),
            bandwidth_budget_bits=float(found.load[2][i]),
        )
    return made


def holds(problem: Problem, start: Placement, found: ImprovedPlacement) -> None:
    """Assert all that every improvement promises."""
    assert start.requests.keys() <= found.placement.requests.keys()
    report = check(problem.instance, written(problem, found.placement))
    assert report.violations == ()
    assert found.latency_s == pytest.approx(float(report.objective_s), rel=ROUNDING)
    if start.requests.keys() == found.placement.requests.keys():
        assert found.latency_s <= evaluate(problem, start).latency_s
    for before, after in pairwise(found.trace):
        assert before.time_s <= after.time_s
        assert before.incumbent_s >= after.incumbent_s
        assert (before.bound_s or 0.0) <= (after.bound_s or 0.0)
    if found.trace:
        assert found.trace[-1].incumbent_s == found.latency_s
    assert found.bound_s is None or found.bound_s <= found.latency_s
