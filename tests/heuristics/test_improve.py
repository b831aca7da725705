"""Improvement of any placement: never worse, within budgets, optimal, in time, repeatable."""

import json
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
import reference
from commands import run
from hypothesis import given
from strategies import by_hand, examples, instances, with_budget

from heuristics import improve as improvement
from heuristics import rounds
from heuristics.baselines import AtRandom
from heuristics.improve import Improvement, improve, improve_solution
from heuristics.insertion import insertions
from heuristics.policies import make_policy, place
from heuristics.policy import place_all
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.checker import check
from optmodel.evaluate import evaluate
from optmodel.instance import Instance, read_instance
from optmodel.placement import Placement
from optmodel.problem import Problem
from optmodel.served import most_served
from optmodel.solution import Rejection, ResultError, Termination
from optmodel.translate import to_document

SMALL = Path(__file__).parents[2] / "instances" / "small"
MEDIUM = SMALL.parent / "medium"
ROUNDING = 1e-9
TIGHT = BudgetScales(memory=0.008, compute=0.0018, bandwidth=0.01)


def at_random(problem: Problem, seed: int = 1) -> Placement:
    return place_all(problem, AtRandom(seed=seed)).placement


def tight_around(made: Instance, placement: Placement) -> Instance:
    """Return the instance with every budget of every helper at what the placement loads it with."""
    found = evaluate(Problem.of(made), placement)
    for i, device in enumerate(made.devices):
        made = with_budget(
            made,
            device.id,
            memory_bytes=float(found.memory_bytes[i]),
            compute_budget_mult=float(found.compute_mult[i]),
            bandwidth_budget_bits=float(found.bandwidth_bits[i]),
        )
    return made


def holds(problem: Problem, start: Placement, found: Improvement) -> None:
    """Assert all that every improvement promises."""
    assert start.requests.keys() <= found.placement.requests.keys()
    left_out = [
        Rejection(request=task.request.id, condition="left out")
        for task in problem.tasks
        if task.request.id not in found.placement.requests
    ]
    report = check(problem.instance, to_document(problem, found.placement, left_out))
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


# What it promises.


def test_never_worse_and_within_budgets_that_all_bind():
    """Every budget of every helper is what the start uses of it, to the last unit."""
    placed = faster = 0

    @examples(60)
    @given(instances())
    def promise(made) -> None:
        nonlocal placed, faster
        start = at_random(Problem.of(made))
        if not start.requests:
            return
        placed += 1
        problem = Problem.of(tight_around(made, start))
        found = improve(problem, start, rounds=1, insert=True)
        holds(problem, start, found)
        faster += found.latency_s < evaluate(problem, start).latency_s * (1 - ROUNDING)

    promise()
    assert placed >= 30
    assert faster >= 3


def test_from_random_placements_to_the_optimum():
    """Against brute force; budgets bind as drawn, so that the bound need not prove it.

    At the time of writing 41 of 41 reach the optimum, 29 of them proven.
    """
    served = optimal = proven = 0

    @examples(60)
    @given(instances())
    def reach(made) -> None:
        nonlocal served, optimal, proven
        problem = Problem.of(made)
        start = at_random(problem)
        if len(start.requests) < len(problem.tasks):
            return
        served += 1
        found = improve(problem, start, rounds=2)
        least = float(reference.best(made).latency_s)
        holds(problem, start, found)
        assert found.bound_s is None or found.bound_s <= least * (1 + ROUNDING)
        optimal += found.latency_s <= least * (1 + 2e-6)
        proven += found.termination is Termination.CONVERGED

    reach()
    assert served >= 30
    assert optimal >= 0.95 * served
    assert proven >= 0.5 * served


def test_small_problems_are_proven_optimal_where_budgets_bind():
    """The count model takes over when the neighbourhoods are done: the prices leave a gap here."""
    problem = Problem.of(read_instance(SMALL / "lenet-0.6-x2-bandwidth.json"))
    known = json.loads((SMALL / "lenet-0.6-x2-bandwidth.solution.json").read_text())
    start = place_all(problem, make_policy("lookahead")).placement
    found = improve(problem, start, time_limit_s=120)
    holds(problem, start, found)
    assert found.termination is Termination.CONVERGED
    assert found.latency_s == pytest.approx(known["objective_s"], rel=2e-6)
    assert found.gap <= 2e-6


@pytest.mark.parametrize("networks", ["cifar_block3=2", "lenet=4"])
def test_same_seed_same_placement_bound_and_steps(networks):
    problem = Problem.of(generate(Recipe((networks,), "mixed", 8, 0.8, scales=TIGHT), "again"))
    start = at_random(problem)
    first, second = (improve(problem, start, rounds=1, seed=3) for _ in range(2))
    holds(problem, start, first)
    assert to_document(problem, first.placement) == to_document(problem, second.placement)
    steps = [[(t.incumbent_s, t.bound_s) for t in found.trace] for found in (first, second)]
    assert steps[0] == steps[1]
    assert len(first.trace) >= 2


@pytest.mark.parametrize("limit_s", [0.001, 2.0])
def test_a_time_limit_is_kept(limit_s):
    problem = Problem.of(read_instance(MEDIUM / "cifar_cnn-x4-0.6-12-compute.json"))
    start = place_all(problem, make_policy("lookahead")).placement
    began = time.perf_counter()
    found = improve(problem, start, time_limit_s=limit_s)
    took = time.perf_counter() - began
    holds(problem, start, found)
    assert found.termination is Termination.TIME_LIMIT
    assert took <= limit_s + 8.0  # One window or stage may begin just before the limit.


def test_a_gap_that_is_reached_ends_it():
    problem = Problem.of(read_instance(SMALL / "lenet-0.6-4-mixed.json"))
    start = at_random(problem)
    found = improve(problem, start, gap=0.9)
    assert found.termination is Termination.CONVERGED
    assert found.gap <= 0.9 / (1 - 0.9)
    known = improve(problem, start, bound_s=evaluate(problem, start).latency_s)
    assert known.termination is Termination.CONVERGED
    assert known.placement is start


def test_a_bound_above_the_latency_is_an_error():
    problem = Problem.of(by_hand())
    start = at_random(problem)
    with pytest.raises(
        ResultError, match=r"the bound 1000000\.0 s is above a placement that takes"
    ):
        improve(problem, start, bound_s=1e6)


def test_budgets_that_the_start_breaks_are_no_proof():
    """The stages find no placement at all on a fleet without memory; the start claims one."""
    made = by_hand()
    start = at_random(Problem.of(made))
    for device in made.devices:
        made = with_budget(made, device.id, memory_bytes=0.0)
    with pytest.raises(ResultError, match="claims that there is no placement, but was given one"):
        improve(Problem.of(made), start)


# Ctrl-C.


def test_ctrl_c_keeps_the_best_so_far(monkeypatch):
    """It comes with the first window, after requests were placed anew."""
    problem = Problem.of(read_instance(MEDIUM / "cifar_cnn-x4-0.6-12-compute.json"))
    start = at_random(problem)

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(rounds, "solve_freed", interrupted)
    found = improve(problem, start, time_limit_s=10.0)
    holds(problem, start, found)
    assert found.termination is Termination.INTERRUPTED
    assert found.latency_s < evaluate(problem, start).latency_s


def test_ctrl_c_while_inserting_keeps_what_was_inserted(monkeypatch):
    problem = Problem.of(generate(Recipe(("lenet=3",), "mixed", 6, 0.6), "some"))
    full = at_random(problem)
    start = Placement({"r1": full.requests["r1"]})

    def interrupted(*arguments: object):
        yield next(insertions(*arguments))
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(improvement, "insertions", interrupted)
    found = improve(problem, start, insert=True)
    holds(problem, start, found)
    assert found.termination is Termination.INTERRUPTED
    assert found.placement.requests.keys() == {"r1", "r2"}


# Requests that are left out.


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


def test_where_more_cannot_be_served_nothing_is_tried(monkeypatch):
    """Counting shows that the budgets allow 10 of the 12 requests at most."""
    problem = Problem.of(read_instance(MEDIUM / "lenet-x12-0.6-6-oversubscribed.json"))
    start = place_all(problem, make_policy("lookahead")).placement
    assert len(start.requests) == most_served(problem) == 10
    monkeypatch.delattr("heuristics.insertion._Insertion")
    assert list(insertions(problem, start, 0, time.perf_counter() + 60)) == []


def test_nobody_served_and_nobody_insertable_is_no_improvement():
    problem = Problem.of(read_instance(SMALL / "infeasible-privacy.json"))
    found = improve(problem, Placement({}), time_limit_s=5.0, insert=True)
    assert found == Improvement(found.placement, 0.0, None, None, (), Termination.HEURISTIC_END)
    assert found.placement.requests == {}


# As a solution, and from the command line.


def test_an_improved_solution_is_checked_and_says_what_was_gained():
    instance = read_instance(SMALL / "lenet-0.8-4-mixed.json")
    before = place(instance, "algorithm1")
    better = improve_solution(instance, before, 30.0)
    assert better.method == "algorithm1"
    assert better.objective_s == pytest.approx(1.217059e-3, rel=1e-6)
    assert better.bound_s == pytest.approx(better.objective_s, rel=2e-6)
    assert better.trace[0].incumbent_s == pytest.approx(before.objective_s)
    assert better.notes == ("improvement: 25.3058 % less than 1.629390 ms",)
    assert better.options == {"seed": 0, "improve_s": 30.0}


def test_rejected_requests_are_served_and_no_longer_listed():
    instance = read_instance(SMALL / "lenet-0.6-x2-bandwidth-tight.json")
    before = place(instance, "algorithm1")
    assert len(before.placement.rejected) == 1
    better = improve_solution(instance, before, 10.0)
    assert better.placement.rejected == ()
    assert better.notes[0].startswith("improvement: serves 1 more; before, ")


def test_the_command_improves_prints_and_writes(tmp_path):
    out, instance = tmp_path / "better.json", SMALL / "lenet-0.8-4-mixed.json"
    done = run("heuristics", instance, "--policy", "algorithm1", "--improve", 30, "--out", out)
    assert done.returncode == 0
    assert "optimum      1.217059 ms" in done.stdout
    assert "improvement: 25.3058 % less than 1.629390 ms" in done.stdout
    assert run("optmodel.check", instance, out).returncode == 0
    refused = run("heuristics", instance, "--improve", 0)
    assert refused.returncode == 2
