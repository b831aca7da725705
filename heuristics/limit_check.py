"""Whether a placement keeps 8e-8i, in whole numbers: asked before anything is reserved for it.

The exact checker (`optmodel.checker`) works everything out again from names; this one takes caps
and hosts as the task states them, and costs a fraction of a decision.
"""

import numpy as np

from optmodel.placement import RequestPlacement
from optmodel.problem import BoolArray, IntArray, Problem, RequestTask


def broken_limit(problem: Problem, task: RequestTask, placed: RequestPlacement) -> str | None:
    """Return which of 8e-8i a placement breaks and where, or None if it keeps them all."""
    # In this order: what comes later indexes by numbers that are in range by then.
    return (
        _malformed(problem, task, placed)
        or _misplaced(problem, task, placed.counts)
        or _misled(problem, task, placed)
    )


def _malformed(problem: Problem, task: RequestTask, placed: RequestPlacement) -> str | None:
    """8i: whole numbers, none below zero, of nodes and layers that there are."""
    layers, nodes, flows = len(task.layers), len(problem.node_ids), placed.flows
    columns = (flows.layer, flows.sender, flows.receiver, flows.maps)
    if not all(_are_whole(numbers) for numbers in (placed.counts, *columns)):
        return "8i: counts and flows must be whole numbers that 64 bits hold with a sign"
    if placed.counts.shape != (layers, nodes):
        return f"8i: counts must have the shape {(layers, nodes)}, not {placed.counts.shape}"
    if len({column.shape for column in columns}) > 1 or flows.maps.ndim != 1:
        return "8i: the columns of flows must be equally long"
    if placed.counts.min(initial=0) < 0 or any(column.min(initial=0) < 0 for column in columns):
        return "8i: counts and flows must not be negative"
    ends = max(flows.sender.max(initial=0), flows.receiver.max(initial=0))
    if ends >= nodes or flows.layer.max(initial=0) >= layers:
        return "8i: flows must be between nodes and layers that there are"
    return None


def _are_whole(numbers: IntArray) -> bool:
    # With signed numbers numpy adds 64 unsigned bits as floats.
    return np.issubdtype(numbers.dtype, np.integer) and np.can_cast(numbers.dtype, np.int64)


def _misplaced(problem: Problem, task: RequestTask, counts: IntArray) -> str | None:
    """8e-8h: each segment once, within the caps, the first fc whole, on nodes that may host it."""
    helpers, segments = problem.helpers, np.array([layer.segments for layer in task.layers])
    totals = counts.sum(axis=1)
    for k in np.flatnonzero(totals != segments)[:1].tolist():
        return f"8e: layer '{task.layers[k].name}' has {totals[k]} of {segments[k]} segments"
    # Hosts are the source alone, or all helpers, or nobody: so one number tells what a helper may.
    on_source = np.array([layer.hosts == (task.source,) for layer in task.layers])
    caps = np.array([layer.cap if layer.hosts else 0 for layer in task.layers])
    allowed = np.where(on_source, 0, caps)[:, np.newaxis]
    for k, node in np.argwhere(counts[:, :helpers] > allowed)[:1].tolist():
        where = f"layer '{task.layers[k].name}' on '{problem.node_ids[node]}'"
        rule = "8h: " if on_source[k] else "8f: "
        return f"{rule}{where} has {counts[k, node]} segments, at most {allowed[k, 0]} are allowed"
    # What its own camera may compute is taken out: whatever is left must not be there.
    sources = counts[:, helpers:].copy()
    sources[on_source, task.source - helpers] = 0
    for k, node in np.argwhere(sources)[:1].tolist():
        where = f"layer '{task.layers[k].name}' on '{problem.node_ids[helpers + node]}'"
        return f"8h: {where}, which must not compute it"
    for k, layer in enumerate(task.layers):
        if layer.whole and np.count_nonzero(counts[k]) > 1:
            return f"8g: layer '{layer.name}' is on more than one node"
    return None


def _misled(problem: Problem, task: RequestTask, placed: RequestPlacement) -> str | None:
    """8e between layers: each map leaves its holder and reaches the node of its next segment."""
    flows, counts = placed.flows, placed.counts
    mapwise: BoolArray = np.array([layer.transfer == "mapwise" for layer in task.layers])
    # Behind the last layer nothing moves.
    mapwise[-1] = False
    # Of 64 bits, however few the counts have: sums of flows must not wrap around to them.
    left, reached, following = np.zeros((3, *counts.shape), dtype=np.int64)
    np.add.at(left, (flows.layer, flows.sender), flows.maps)
    np.add.at(reached, (flows.layer, flows.receiver), flows.maps)
    following[:-1] = counts[1:]
    # No flows behind a broadcast: who sends what is known from the counts alone.
    for moved, held in ((left, counts), (reached, following)):
        for k, node in np.argwhere(moved != held * mapwise[:, np.newaxis])[:1].tolist():
            where = f"layer '{task.layers[k].name}' at '{problem.node_ids[node]}'"
            return f"8e: flows of {where} are not those of its segments"
    return None
