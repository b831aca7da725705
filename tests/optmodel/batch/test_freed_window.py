"""Windows: what is freed is solved exactly, what is not stays, within what is left of budgets."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
import reference
from assigned import place
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import admissible_assignments, examples, instances, unlimited

from instances.generate import Recipe, generate
from optmodel.batch.moves.batch_construction import constructions
from optmodel.batch.moves.freed_window import WindowEffort, freed_devices, freed_stages, solve_freed
from optmodel.placement.evaluate import evaluate_request
from optmodel.placement.placement import RequestPlacement
from optmodel.problem.arrays import BoolArray, FloatArray, Problem
from optmodel.problem.budget_ledger import BudgetLedger
from optmodel.problem.instance import Instance
from optmodel.problem.stage_cut import stage_cuts

MOSTLY = st.sampled_from((True, True, True, False))
MOST_PAIRS, MOST_DEVICES = 2_000, 4
EFFORT = WindowEffort(work=10.0, seconds=60.0, seed=0)


def plans_beside(made, placed: RequestPlacement, free: BoolArray) -> Iterator[RequestPlacement]:
    """Yield every plan within budgets, with all flows, that keeps the counts that are not freed."""
    problem = Problem.of(made)
    (request,), (task,) = made.requests, problem.tasks
    budgets, index = BudgetLedger.of(problem), {name: i for i, name in enumerate(problem.node_ids)}
    choices = []
    for k in range(len(task.layers)):
        vectors = []
        for vector in reference.admissible(made, request, k):
            counts = np.bincount([index[at] for at in vector], minlength=len(index))
            if (counts == placed.counts[k])[~free[k]].all():
                vectors.append(vector)
        choices.append(vectors)
    for plan in product(*choices):
        found = place(problem, {request.id: plan}).requests[request.id]
        if budgets.has_room(evaluate_request(problem, task, found).load):
            yield found


@st.composite
def starts(draw: DrawFn, slack: bool) -> tuple[Instance, RequestPlacement] | None:
    """Draw an instance of one request, and a placement within its budgets."""
    made = draw(instances(requests=1))
    if slack:
        made = unlimited(made)
    plans = draw(admissible_assignments(made))
    if plans is None or reference.broken(made, plans):
        return None
    return made, place(Problem.of(made), plans).requests[made.requests[0].id]


def solved(made: Instance, placed: RequestPlacement, free: BoolArray) -> RequestPlacement:
    """Return what a window becomes, after checking that it got faster or is as it was."""
    problem = Problem.of(made)
    (task,) = problem.tasks
    costs, left = evaluate_request(problem, task, placed), BudgetLedger.of(problem)
    left.reserve(costs.load)
    found = solve_freed(problem, task, placed, free, left, EFFORT)
    if found is None:
        return placed
    after = evaluate_request(problem, task, found)
    assert after.latency_s < costs.latency_s
    assert BudgetLedger.of(problem).has_room(after.load)
    assert (found.counts == placed.counts)[~free].all()
    return found


def test_what_is_freed_is_solved_to_the_optimum_within_budgets():
    """Against every plan that keeps the other counts; the window reaches over all layers."""
    outcomes = Counter()

    @examples(250)
    @given(st.data())
    def agree(data) -> None:
        start = data.draw(starts(slack=False))
        if start is None:
            return
        made, placed = start
        cells = st.lists(MOSTLY, min_size=placed.counts.size, max_size=placed.counts.size)
        free = np.array(data.draw(cells)).reshape(placed.counts.shape)
        free[[0, -1], -1] = True  # The source alone holds the ends; freeing them changes nothing.
        problem = Problem.of(made)
        (task,) = problem.tasks

        def latency_s(plan: RequestPlacement) -> float:
            return evaluate_request(problem, task, plan).latency_s

        found = solved(made, placed, free)
        least = min(map(latency_s, plans_beside(made, placed, free)))
        assert latency_s(found) == pytest.approx(least, rel=1e-5)
        outcomes[found is placed] += 1

    agree()
    assert min(outcomes[True], outcomes[False]) >= 15


def test_a_window_of_few_layers_is_solved_to_the_optimum_of_these_layers():
    """Flows beyond the layers next to what is freed stay; so do the latencies that rest on them."""
    outcomes = Counter()

    @examples(200)
    @given(st.data())
    def agree(data) -> None:
        start = data.draw(starts(slack=True))
        if start is None:
            return
        made, placed = start
        problem = Problem.of(made)
        (task,) = problem.tasks
        first = data.draw(st.integers(0, len(task.layers) - 1))
        last = data.draw(st.integers(first, min(first + 1, len(task.layers) - 1)))
        free = np.zeros(placed.counts.shape, dtype=bool)
        free[first : last + 1] = True
        inside = slice(first, last + 2)

        def latency_s(plan: RequestPlacement) -> FloatArray:
            return evaluate_request(problem, task, plan).layer_latency_s

        found = solved(made, placed, free)
        least = min(latency_s(plan)[inside].sum() for plan in plans_beside(made, placed, free))
        assert latency_s(found)[inside].sum() == pytest.approx(least, rel=1e-5)
        outside = np.delete(latency_s(placed), inside)
        assert np.delete(latency_s(found), inside) == pytest.approx(outside)
        outcomes[found is placed] += 1

    agree()
    assert min(outcomes[True], outcomes[False]) >= 15


def test_nothing_freed_is_nothing_found():
    problem, task, placed = lenet()
    free = np.zeros(placed.counts.shape, dtype=bool)
    assert solve_freed(problem, task, placed, free, BudgetLedger.of(problem), EFFORT) is None


def lenet(devices: int = 6):
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", devices, 0.6), "windows"))
    (task,) = problem.tasks
    return problem, task, next(constructions(problem, "most")).requests[task.request.id]


@pytest.mark.parametrize("width", [1, 2, 100])
def test_windows_of_stages_cover_all_layers_with_a_choice(width):
    _, task, placed = lenet()
    covered = np.zeros(placed.counts.shape, dtype=bool)
    masks = list(freed_stages(task, placed, width, MOST_PAIRS, np.random.default_rng(0)))
    for mask in masks:
        covered |= mask
    assert len(masks) == max(len(stage_cuts(task)) - width + 1, 1)
    for k, layer in enumerate(task.layers):
        hosts = layer.hosts if len(layer.hosts) > 1 else ()
        assert np.flatnonzero(covered[k]).tolist() == list(hosts)


def test_windows_of_large_fleets_keep_the_holders_and_stay_small():
    _, task, placed = lenet(80)
    for mask in freed_stages(task, placed, 2, MOST_PAIRS, np.random.default_rng(0)):
        rows = np.flatnonzero(mask.any(axis=1))
        holders = placed.counts[rows].any(axis=0)
        several = [k for k in rows.tolist() if len(task.layers[k].hosts) > 1]
        assert mask[several][:, holders & mask.any(axis=0)].any()
        drawn = int(mask.any(axis=0).sum() - (holders & mask.any(axis=0)).sum())
        assert 1 <= drawn <= (MOST_PAIRS / len(rows)) ** 0.5


def test_freed_devices_are_few_helpers_and_one_of_them_holds_something():
    problem, task, placed = lenet()
    random = np.random.default_rng(3)
    for _ in range(30):
        freed = np.flatnonzero(
            freed_devices(problem, task, placed, MOST_DEVICES, random).any(axis=0)
        )
        assert 1 <= len(freed) <= MOST_DEVICES + 1
        assert freed.max() < problem.helpers
        assert placed.counts[:, freed].any()
