"""Free a part of one request's placement and solve it exactly; all else stays where it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from ortools.sat.python import cp_model

from optmodel.cpsat import CpsatModel, CpsatTicks, minimise_latency
from optmodel.placement import Flows, Placement, RequestPlacement, evaluate_request
from optmodel.problem import (
    BoolArray,
    BudgetLedger,
    Problem,
    RequestTask,
    remaining_instance,
    stage_cuts,
)

ACCURACY = 1e-6
"""Share of a rough latency that ticks may lose: coarse enough for CP-SAT's 64-bit integers."""
FOUND = (cp_model.OPTIMAL, cp_model.FEASIBLE)


@dataclass(frozen=True)
class WindowEffort:
    """What one window may take."""

    work: float
    """CP-SAT's deterministic time, which is the same on every machine; roughly seconds."""
    seconds: float
    """Wall time."""
    seed: int
    """Of CP-SAT, which runs with one worker."""


def solve_freed(
    problem: Problem,
    task: RequestTask,
    placed: RequestPlacement,
    free: BoolArray,
    left: BudgetLedger,
    effort: WindowEffort,
) -> RequestPlacement | None:
    """Return the fastest placement that differs only in what is freed, None if none is faster.

    The counts of every other layer and node are fixed; the maps that move between freed and fixed
    ones, and all loads and latencies that depend on them, are part of the model.

    Parameters
    ----------
    problem : Problem
        The fleet.
    task : RequestTask
        The request.
    placed : RequestPlacement
        Where it is now.
    free : ndarray of bool, shape (layers, nodes)
        Which counts may change.
    left : BudgetLedger
        What is left of the budgets with the request and all others in place.
    effort : WindowEffort
        When to stop with the best found.
    """
    rows = np.flatnonzero(free.any(axis=1))
    if not rows.size:
        return None
    # The layers beside stay, but what moves to and from them takes another time.
    first, last = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 1, len(task.layers) - 1)
    inside = _inside(placed, first, last)
    part = _part(task, first, last, inside, free[first : last + 1])
    before = evaluate_request(problem, part, inside)
    room = left.copy()
    room.release(before.load)
    window = Problem(remaining_instance(problem, part, room), (part,))
    found = _solved(window, inside, free[first : last + 1], effort)
    if found is None:
        return None
    # The model counts in whole ticks and units: what it found is costed as everything is.
    after = evaluate_request(problem, part, found)
    if after.latency_s >= before.latency_s or not room.has_room(after.load):
        return None
    return _put_back(placed, found, first, last)


def _inside(placed: RequestPlacement, first: int, last: int) -> RequestPlacement:
    """Return layers `first` to `last` of a placement, numbered from 0."""
    flows = [(k - first, i, j, n) for k, i, j, n in placed.flows.entries() if first <= k < last]
    return RequestPlacement(placed.counts[first : last + 1], Flows.from_entries(flows))


def _part(
    task: RequestTask, first: int, last: int, inside: RequestPlacement, free: BoolArray
) -> RequestTask:
    """Return layers `first` to `last` as a request, on those who hold or may hold segments."""
    layers = []
    for layer, counts, freed in zip(
        task.layers[first : last + 1], inside.counts, free, strict=True
    ):
        hosts = tuple(i for i in layer.hosts if counts[i] or freed[i])
        layers.append(replace(layer, hosts=hosts))
    return replace(task, layers=tuple(layers))


def _put_back(
    placed: RequestPlacement, found: RequestPlacement, first: int, last: int
) -> RequestPlacement:
    counts = placed.counts.copy()
    counts[first : last + 1] = found.counts
    flows = [entry for entry in placed.flows.entries() if not first <= entry[0] < last]
    flows += [(k + first, i, j, n) for k, i, j, n in found.flows.entries()]
    return RequestPlacement(counts, Flows.from_entries(flows))


def _solved(
    window: Problem, inside: RequestPlacement, free: BoolArray, effort: WindowEffort
) -> RequestPlacement | None:
    """Return CP-SAT's best placement of a window, None if it finds none in time.

    Numbers beyond its 64-bit integers make it find none.
    """
    built = CpsatModel.build(window, CpsatTicks(window, ACCURACY))
    (task,) = window.tasks
    for k, layer in enumerate(task.layers):
        for i in layer.hosts:
            if not free[k, i]:
                built.model.add(built.variables.x[0, k, i] == int(inside.counts[k, i]))
    minimise_latency(built.model, built.variables)
    built.hint(Placement({task.request.id: inside}))
    solver = cp_model.CpSolver()
    # Else CP-SAT would take Ctrl-C for itself.
    solver.parameters.catch_sigint_signal = False
    # Several workers race each other: equal input would not give equal output.
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = effort.seed
    solver.parameters.max_deterministic_time = effort.work
    solver.parameters.max_time_in_seconds = effort.seconds
    if built.solve(solver) not in FOUND:
        return None
    return built.placement(solver.value).requests[task.request.id]


# What is freed.


def freed_stages(
    task: RequestTask,
    placed: RequestPlacement,
    width: int,
    most_pairs: int,
    random: np.random.Generator,
) -> Iterator[BoolArray]:
    """Yield windows of so many stages, in random order.

    Large fleets are thinned out to so many pairs of nodes between consecutive layers: who holds
    something in the window stays, others are drawn.
    """
    cuts = stage_cuts(task)
    width = min(width, len(cuts))
    for start in random.permutation(len(cuts) - width + 1).tolist():
        first, last = cuts[start].first, cuts[start + width - 1].last
        holders = set(np.flatnonzero(placed.counts[first : last + 1].sum(axis=0)).tolist())
        hosts = {i for layer in task.layers[first : last + 1] for i in layer.hosts}
        # Sorted, so that draws do not depend on the order of a set.
        others = sorted(hosts - holders)
        # A layer has a pair for every two nodes; the window has one more transfer at either end.
        most = int((most_pairs / (last - first + 2)) ** 0.5)
        number = min(max(most - len(holders), 1), len(others))
        drawn = random.choice(others, number, replace=False).tolist() if others else []
        nodes = holders.union(drawn)
        yield _mask(task, placed, range(first, last + 1), nodes)


def freed_devices(
    problem: Problem,
    task: RequestTask,
    placed: RequestPlacement,
    most: int,
    random: np.random.Generator,
) -> BoolArray:
    """Return a mask that frees all that a few helpers hold, at least one of which holds some."""
    holders = np.flatnonzero(placed.counts[:, : problem.helpers].sum(axis=0))
    number = min(int(random.integers(2, most + 1)), problem.helpers)
    drawn = set(random.choice(problem.helpers, number, replace=False).tolist())
    if holders.size:
        drawn.add(int(random.choice(holders)))
    return _mask(task, placed, range(len(task.layers)), drawn)


def _mask(task: RequestTask, placed: RequestPlacement, rows: range, nodes: set[int]) -> BoolArray:
    """Return which counts may change; a layer with a single host leaves no choice."""
    free = np.zeros(placed.counts.shape, dtype=bool)
    for k in rows:
        if len(task.layers[k].hosts) > 1:
            free[k, [i for i in task.layers[k].hosts if i in nodes]] = True
    return free
