"""Why an instance has no placement, as far as arithmetic on single layers shows it.

Every sentence returned is a proof of infeasibility. An empty answer proves nothing: budgets may
still clash between layers, which only a solver can tell.
"""

import math
from collections.abc import Iterator

from optmodel.network import FcLayer
from optmodel.problem import LayerTask, Problem, RequestTask


def reasons_infeasible(problem: Problem) -> tuple[str, ...]:
    """Return sentences, each of which proves that not all requests can be served."""
    reasons: list[str] = []
    for task in problem.tasks:
        reasons += _unattainable(task)
        for k, layer in enumerate(task.layers):
            if layer.hosts and layer.hosts != (task.source,):
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


def _layer_without_room(problem: Problem, task: RequestTask, k: int) -> Iterator[str]:
    """Name what is missing if the helpers cannot hold a layer, even alone."""
    layer = task.layers[k]
    name = f"request '{task.request.id}': layer '{layer.name}'"
    needed = math.ceil(layer.segments / layer.cap)
    if needed > len(layer.hosts):
        yield (
            f"{name} needs {needed} helpers ({layer.segments} maps, at most {layer.cap} on each), "
            f"the fleet has {len(layer.hosts)} (8f)"
        )
        return
    if layer.whole or layer.segments == 1:
        yield from _no_single_host(problem, task, k, name)
        return
    room = sum(room_on_helper(problem, task, k, i) for i in layer.hosts)
    if room < layer.segments:
        yield (
            f"{name} has {layer.segments} segments, the helpers have room for {room} "
            "(8b-8d, 8f, each helper on its own)"
        )


def _no_single_host(problem: Problem, task: RequestTask, k: int, name: str) -> Iterator[str]:
    """Name what is missing if a layer must be whole on one helper and fits on none."""
    layer = task.layers[k]
    needs = [
        (layer.weight_bytes * layer.segments, problem.memory, "bytes of memory", "8b"),
        (layer.multiplications * layer.segments, problem.compute_budget, "multiplications", "8c"),
        (_least_sent_bits(task, k), problem.bandwidth_budget, "bits of bandwidth", "8d"),
    ]
    for need, budget, unit, equation in needs:
        largest = max(budget[i] for i in layer.hosts)
        if need > largest:
            yield (
                f"{name} needs {need:,} {unit} on one device, the largest budget is "
                f"{largest:,.15g} ({equation})"
            )


def _least_sent_bits(task: RequestTask, k: int) -> int:
    """Return the bits that a helper with all of layer `k` must send, at least."""
    layer, following = task.layers[k], task.layers[k + 1]
    kept = 0 if following.hosts == (task.source,) else following.cap
    return layer.output_bits * (following.segments - kept)


def room_on_helper(problem: Problem, task: RequestTask, k: int, i: int) -> int:
    """Return how many segments of layer `k` helper `i` can hold if it holds nothing else."""
    layer = task.layers[k]
    room = layer.cap
    if layer.weight_bytes:
        room = min(room, int(problem.memory[i] // layer.weight_bytes))
    if layer.multiplications:
        room = min(room, int(problem.compute_budget[i] // layer.multiplications))
    if layer.transfer == "broadcast":
        return room if _least_sent_bits(task, k) <= problem.bandwidth_budget[i] else 0
    following = task.layers[k + 1]
    kept = 0 if following.hosts == (task.source,) else following.cap
    return min(room, kept + int(problem.bandwidth_budget[i] // layer.output_bits))


def _overloaded_sources(problem: Problem) -> Iterator[str]:
    """Name the sources that cannot carry the layers that must be on them."""
    for s in range(problem.helpers, len(problem.node_ids)):
        held = [
            (task, k, layer)
            for task in problem.tasks
            for k, layer in enumerate(task.layers)
            if layer.hosts == (s,)
        ]
        loads = [
            (sum(x.segments * x.weight_bytes for _, _, x in held), problem.memory, "bytes", "8b"),
            (
                sum(x.segments * x.multiplications for _, _, x in held),
                problem.compute_budget,
                "multiplications",
                "8c",
            ),
            (
                sum(_bits_to_helpers(task, k) for task, k, _ in held),
                problem.bandwidth_budget,
                "bits to send",
                "8d",
            ),
        ]
        for load, budget, unit, equation in loads:
            if load > budget[s]:
                yield (
                    f"source '{problem.node_ids[s]}' must carry {load:,} {unit}, its budget is "
                    f"{budget[s]:,.15g} ({equation})"
                )


def _bits_to_helpers(task: RequestTask, k: int) -> int:
    """Return the bits that the source sends after layer `k`, which it holds whole."""
    if k + 1 == len(task.layers) or task.layers[k + 1].hosts == (task.source,):
        return 0
    return task.layers[k].output_bits * task.layers[k + 1].segments


def _overloaded_fleet(problem: Problem) -> Iterator[str]:
    """Name the budgets that exceed what all helpers together have."""
    held = [
        (task, k, layer)
        for task in problem.tasks
        for k, layer in enumerate(task.layers)
        if layer.hosts and layer.hosts != (task.source,)
    ]
    helpers = slice(0, problem.helpers)
    totals = [
        (sum(x.segments * x.weight_bytes for _, _, x in held), problem.memory, "bytes", "8b"),
        (
            sum(x.segments * x.multiplications for _, _, x in held),
            problem.compute_budget,
            "multiplications",
            "8c",
        ),
        (
            sum(_least_traffic(task, k, layer) for task, k, layer in held),
            problem.bandwidth_budget,
            "bits to send",
            "8d",
        ),
    ]
    for load, budget, unit, equation in totals:
        available = budget[helpers].sum()
        if load > available:
            yield (
                f"the requests need {load:,} {unit} on helpers, all helpers together have "
                f"{available:,.15g} ({equation})"
            )


def _least_traffic(task: RequestTask, k: int, layer: LayerTask) -> int:
    """Return the bits that helpers must send after layer `k`, at least."""
    if layer.transfer == "broadcast":
        senders = 1 if layer.whole else math.ceil(layer.segments / layer.cap)
        return senders * _least_sent_bits(task, k)
    to_source = task.layers[k + 1].hosts == (task.source,)
    return layer.output_bits * layer.segments if to_source else 0
