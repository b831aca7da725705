"""Why an instance has no placement, as far as arithmetic on single layers shows it.

Every sentence returned is a proof of infeasibility. An empty answer proves nothing: budgets may
still clash between layers, which only a solver can tell.
"""

import math
from collections.abc import Iterator

import numpy as np

from optmodel.problem import (
    BANDWIDTH,
    FcLayer,
    FloatArray,
    LayerTask,
    Problem,
    RequestTask,
    how_many_fit,
)


def reasons_infeasible(problem: Problem) -> tuple[str, ...]:
    """Return sentences, each of which proves that not all requests can be served."""
    reasons: list[str] = []
    for task in problem.tasks:
        reasons += _unattainable(task)
        reasons += _too_few_helpers(task)
        for k, layer in enumerate(task.layers):
            if on_helpers(task, layer) and _helpers_needed(layer) <= len(layer.hosts):
                reasons += _layer_without_room(problem, task, k)
    reasons += _overloaded_sources(problem)
    reasons += _overloaded_fleet(problem)
    return tuple(reasons)


def _unattainable(task: RequestTask) -> Iterator[str]:
    """Name maps of which no share is safe, under the policy "reject"."""
    for k in task.unattainable[:1]:
        share = task.protection.outputs[k - 1]
        before = task.network.layers[k - 1]
        if share is None or isinstance(before, FcLayer):
            continue
        yield (
            f"request '{task.request.id}': the maps of '{before.name}' (row {before.ssim_row}) "
            f"have no admissible share at {task.request.tolerated_ssim:g}, lowest measured SSIM "
            f"{float(share.lowest_ssim):g} (8f)"
        )


def _helpers_needed(layer: LayerTask) -> int:
    return math.ceil(layer.segments / layer.cap)


def _too_few_helpers(task: RequestTask) -> Iterator[str]:
    """Name the first layer of each shape whose caps ask for more helpers than there are."""
    shapes = set()
    for layer in task.layers:
        shape = (layer.segments, layer.cap)
        short = on_helpers(task, layer) and _helpers_needed(layer) > len(layer.hosts)
        if short and shape not in shapes:
            shapes.add(shape)
            yield (
                f"request '{task.request.id}': layer '{layer.name}' needs "
                f"{_helpers_needed(layer)} helpers ({layer.segments} maps, at most {layer.cap} on "
                f"each), the fleet has {len(layer.hosts)} (8f)"
            )


def _layer_without_room(problem: Problem, task: RequestTask, k: int) -> Iterator[str]:
    """Name what is missing if the helpers cannot hold a layer, even alone."""
    layer = task.layers[k]
    name = f"request '{task.request.id}': layer '{layer.name}'"
    if layer.whole or layer.segments == 1:
        yield from _no_single_host(problem, task, k, name)
        return
    room = _room_on_helpers(problem, task, k)
    if room < layer.segments:
        yield (
            f"{name} has {layer.segments} segments, the helpers have room for {room} "
            "(8b-8d, 8f, each helper on its own)"
        )


def _no_single_host(problem: Problem, task: RequestTask, k: int, name: str) -> Iterator[str]:
    """Name what is missing if a layer must be whole on one helper and fits on none."""
    layer = task.layers[k]
    needs = [
        (layer.weight_bytes * layer.segments, "bytes of memory", "8b"),
        (layer.multiplications * layer.segments, "multiplications", "8c"),
        (_least_sent_bits(task, k), "bits of bandwidth", "8d"),
    ]
    largest_of = problem.budgets[:, list(layer.hosts)].max(axis=1).tolist()
    for (need, unit, equation), largest in zip(needs, largest_of, strict=True):
        if need > largest:
            yield (
                f"{name} needs {need:,} {unit} on one device, the largest budget is "
                f"{largest:,.15g} ({equation})"
            )


def _least_sent_bits(task: RequestTask, k: int) -> int:
    """Return the bits that a helper with all of layer `k` must send, at least."""
    return task.layers[k].output_bits * (task.layers[k + 1].segments - _most_kept(task, k))


def _most_kept(task: RequestTask, k: int) -> int:
    """Return how many maps that layer `k` puts out a helper can keep for itself, at most."""
    following = task.layers[k + 1]
    return following.cap if on_helpers(task, following) else 0


def _room_on_helpers(problem: Problem, task: RequestTask, k: int) -> int:
    """Return how many segments of layer `k` the helpers have room for, each of them on its own."""
    layer = task.layers[k]
    left = problem.whole_budgets[:, list(layer.hosts)]
    room, bits = how_many_fit(left, layer), left[BANDWIDTH]
    if layer.transfer == "broadcast":
        return int(room[_least_sent_bits(task, k) <= bits].sum())
    return int(np.minimum(room, _most_kept(task, k) + bits // layer.output_bits).sum())


Held = list[tuple[RequestTask, int]]


def _overloaded_sources(problem: Problem) -> Iterator[str]:
    """Name the sources that cannot carry the layers that must be on them."""
    for s in range(problem.helpers, len(problem.node_ids)):
        held = [(task, k) for task, k in _layers(problem) if task.layers[k].hosts == (s,)]
        bits = sum(bits_to_helpers(task, k) for task, k in held)
        for load, budget, unit, equation in _loads(problem, held, bits):
            if load > budget[s]:
                yield (
                    f"source '{problem.node_ids[s]}' must carry {load:,} {unit}, its budget is "
                    f"{budget[s]:,.15g} ({equation})"
                )


def _overloaded_fleet(problem: Problem) -> Iterator[str]:
    """Name the budgets that exceed what all helpers together have."""
    held = [(task, k) for task, k in _layers(problem) if on_helpers(task, task.layers[k])]
    bits = sum(least_traffic(task, k) for task, k in held)
    for load, budget, unit, equation in _loads(problem, held, bits):
        available = budget[: problem.helpers].sum()
        if load > available:
            yield (
                f"the requests need {load:,} {unit} on helpers, all helpers together have "
                f"{available:,.15g} ({equation})"
            )


def _layers(problem: Problem) -> Held:
    return [(task, k) for task in problem.tasks for k in range(len(task.layers))]


def on_helpers(task: RequestTask, layer: LayerTask) -> bool:
    """Tell whether helpers compute a layer."""
    return bool(layer.hosts) and layer.hosts != (task.source,)


def _loads(problem: Problem, held: Held, bits: int) -> list[tuple[int, FloatArray, str, str]]:
    """Return load, budget of each node, unit and equation for layers held in one place."""
    layers = [task.layers[k] for task, k in held]
    weights = sum(layer.segments * layer.weight_bytes for layer in layers)
    work = sum(layer.segments * layer.multiplications for layer in layers)
    memory, compute, bandwidth = problem.budgets
    return [
        (weights, memory, "bytes", "8b"),
        (work, compute, "multiplications", "8c"),
        (bits, bandwidth, "bits to send", "8d"),
    ]


def bits_to_helpers(task: RequestTask, k: int) -> int:
    """Return the bits that the source sends after layer `k`, which it holds whole."""
    if k + 1 == len(task.layers) or not on_helpers(task, task.layers[k + 1]):
        return 0
    return task.layers[k].output_bits * task.layers[k + 1].segments


def least_traffic(task: RequestTask, k: int) -> int:
    """Return the bits that helpers must send after layer `k`, at least."""
    layer = task.layers[k]
    if layer.transfer == "broadcast":
        senders = 1 if layer.whole else _helpers_needed(layer)
        return senders * _least_sent_bits(task, k)
    to_source = task.layers[k + 1].hosts == (task.source,)
    return layer.output_bits * layer.segments if to_source else 0
