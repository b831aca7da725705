"""Insertion: requests that were left out are served, others moved for them, nobody dropped."""

import time

import pytest
from improving import at_random, holds, tight_around
from places import SMALL

from heuristics.baselines import AtRandom
from heuristics.improvement import ImprovedPlacement, improve
from heuristics.insertion import insertions
from heuristics.policies import make_policy
from heuristics.policy import place_all
from instances.generate import Recipe, generate
from optmodel.batch.moves.batch_construction import constructions
from optmodel.limits.served_bound import most_served
from optmodel.placement.placement import Placement
from optmodel.placement.solution import Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import read_instance

MEDIUM = SMALL.parent / "medium"


def test_requests_that_fit_are_inserted_only_when_asked():
    problem = Problem.of(generate(Recipe(("lenet=3",), "mixed", 6, 0.6), "some"))
    start = Placement({"r2": at_random(problem).requests["r2"]})
    more = improve(problem, start, rounds=1, insert=True)
    holds(problem, start, more)
    assert more.placement.requests.keys() == {"r1", "r2", "r3"}
    same = improve(problem, start, rounds=1)
    holds(problem, start, same)
    assert same.placement.requests.keys() == {"r2"}
    assert same.bound_s < more.bound_s


def test_others_are_moved_for_a_request_without_room():
    """Budgets exactly those of a placement of both: the one alone sits where the other has to."""
    moved = without_room = 0
    for seed in range(12):
        made = generate(Recipe(("lenet=2",), "mixed", 5, 0.6, seed=seed), "moved")
        both = at_random(Problem.of(made), seed)
        problem = Problem.of(tight_around(made, both))
        alone = place_all(problem, AtRandom(seed=seed + 1)).placement
        if len(alone.requests) == 1:
            without_room += 1
            for more in insertions(problem, alone, 0, time.perf_counter() + 60):
                holds(problem, alone, improve(problem, more, rounds=0))
                (name,) = alone.requests
                here, there = alone.requests[name].counts, more.requests[name].counts
                moved += not (here == there).all()
    assert without_room >= 6
    assert moved >= 3


@pytest.mark.parametrize("policy", ["layerwise", "random", "source"])
@pytest.mark.parametrize(
    "name", ["medium/cifar_block1-x4-0.8-8-bandwidth", "small/lenet-0.6-x2-bandwidth-gateway"]
)
def test_all_are_inserted_where_only_the_best_paths_leave_room_for_all(name, policy):
    """Little bandwidth: constructions serve fewer than all, whoever goes first."""
    problem = Problem.of(read_instance(SMALL.parent / f"{name}.json"))
    start = place_all(problem, make_policy(policy)).placement
    (*_, most) = insertions(problem, start, 0, time.perf_counter() + 60)
    holds(problem, start, improve(problem, most, rounds=0))
    assert len(most.requests) == len(problem.tasks)
    constructed = [len(c.requests) for c in constructions(problem, "most")]
    assert max(constructed) < len(problem.tasks)


def test_no_try_begins_after_the_deadline(monkeypatch):
    problem = Problem.of(generate(Recipe(("lenet=3",), "mixed", 6, 0.6), "late"))
    monkeypatch.delattr("heuristics.insertion.RequestInsertion.insert")
    assert list(insertions(problem, Placement({}), 0, time.perf_counter())) == []


def test_where_more_cannot_be_served_nothing_is_tried(monkeypatch):
    """Counting shows that the budgets allow 10 of the 12 requests at most."""
    problem = Problem.of(read_instance(MEDIUM / "lenet-x12-0.6-6-oversubscribed.json"))
    start = place_all(problem, make_policy("lookahead")).placement
    assert len(start.requests) == most_served(problem) == 10
    monkeypatch.delattr("heuristics.insertion.RequestInsertion")
    assert list(insertions(problem, start, 0, time.perf_counter() + 60)) == []


def test_nobody_served_and_nobody_insertable_is_no_improvement():
    problem = Problem.of(read_instance(SMALL / "infeasible-privacy.json"))
    found = improve(problem, Placement({}), time_limit_s=5.0, insert=True)
    assert found == ImprovedPlacement(found.placement, 0.0, None, (), Termination.HEURISTIC_END)
    assert found.placement.requests == {}
