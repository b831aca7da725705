"""Steps and the clock: what ends a search, and that no clock does where nobody set a limit."""

import itertools
import math
import time

import pytest

from heuristics.improvement import improve
from heuristics.policies import make_policy
from heuristics.policy import place_all
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import ENTRIES_PER_STEP, MOST_ENTRIES, Allowance
from optmodel.solving import solve


def test_steps_end_it_and_entries_count_as_steps():
    allowance = Allowance(3)
    allowance.spend()
    assert not allowance.over
    allowance.spend(ENTRIES_PER_STEP)
    assert allowance.over
    assert Allowance(0).over
    assert not Allowance().over


def test_a_part_spends_of_the_whole_and_ends_with_it():
    whole = Allowance(5)
    part, other = whole.part(2), whole.part()
    part.spend()
    part.spend()
    assert part.over
    assert not other.over
    assert whole.steps == 3
    whole.spend(2 * ENTRIES_PER_STEP)
    assert other.over


def test_the_clock_ends_it_where_there_is_a_limit(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    allowance, half = Allowance.of_seconds(10), Allowance.of_seconds(10).part(share=0.5)
    now = 105.0
    assert half.over
    assert not allowance.over
    now = 110.0
    assert allowance.over


def test_what_nothing_can_stop_is_not_begun_without_the_time_for_it(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    assert Allowance.of_seconds(1).affords(1e6)
    assert not Allowance.of_seconds(1e-3).affords(1e6)
    assert Allowance(10).affords(10 * ENTRIES_PER_STEP)
    assert not Allowance(10).affords(11 * ENTRIES_PER_STEP)
    assert Allowance().affords(MOST_ENTRIES)
    assert not Allowance().affords(MOST_ENTRIES + 1)


@pytest.fixture
def wild_clock(monkeypatch):
    """A clock that gains a quarter of an hour at every look, as on a very busy machine."""
    monkeypatch.setattr(time, "perf_counter", itertools.count(0.0, 1000.0).__next__)


def tight() -> Instance:
    """Return a batch whose bandwidth is scarce, so that stages are solved on few senders."""
    scales = BudgetScales(bandwidth=0.02)
    return generate(Recipe(("lenet",), "mixed", 6, 0.6, requests=2, scales=scales), "tight")


@pytest.mark.parametrize("method", ["stages", "columns", "auto"])
def test_without_a_time_limit_no_clock_decides(method: str, request: pytest.FixtureRequest):
    calm = solve(tight(), method)
    request.getfixturevalue("wild_clock")
    wild = solve(tight(), method)
    assert wild.placement == calm.placement
    assert wild.termination == calm.termination
    assert (wild.objective_s, wild.bound_s) == (calm.objective_s, calm.bound_s)


@pytest.mark.parametrize("policy", ["lookahead", "algorithm1"])
def test_neither_policies_nor_improvements_depend_on_the_clock(
    policy: str, request: pytest.FixtureRequest
):
    problem = Problem.of(tight())

    def improved() -> tuple[float, float | None]:
        start = place_all(problem, make_policy(policy)).placement
        found = improve(problem, start, rounds=1)
        return found.latency_s, found.bound_s

    calm = improved()
    assert math.isfinite(calm[0])
    request.getfixturevalue("wild_clock")
    assert improved() == calm
