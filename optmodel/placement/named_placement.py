"""A placement in arrays, and the same placement in names as a solution file holds it."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from optmodel.ground.rule_errors import InputError
from optmodel.placement.placement import Flows, Placement, RequestPlacement
from optmodel.placement.solution import PlacedRequest, PlacementDocument, Rejection
from optmodel.problem import IntArray, Problem, RequestTask

NamedT = TypeVar("NamedT")


def to_document(
    problem: Problem, placement: Placement, rejected: Sequence[Rejection] = ()
) -> PlacementDocument:
    """Write a placement in names."""
    placed = [
        write_request(problem, task, placement.requests[task.request.id])
        for task in problem.tasks
        if task.request.id in placement.requests
    ]
    return PlacementDocument(requests=tuple(placed), rejected=tuple(rejected))


def write_request(
    problem: Problem,
    task: RequestTask,
    placed: RequestPlacement,
    nodes: IntArray | None = None,
) -> PlacedRequest:
    """Write the placement of one request in names; on some nodes of the problem, if given."""
    everyone = problem.node_ids
    names = everyone if nodes is None else [everyone[i] for i in nodes.tolist()]
    flows: dict[int, list[dict[str, object]]] = {}
    for layer, sender, receiver, maps in placed.flows.entries():
        flow = {"sender": names[sender], "receiver": names[receiver], "maps": maps}
        flows.setdefault(layer, []).append(flow)
    layers = []
    for k, layer_task in enumerate(task.layers):
        on = np.flatnonzero(placed.counts[k])
        numbers = placed.counts[k, on].tolist()
        segments = {names[i]: n for i, n in zip(on.tolist(), numbers, strict=True)}
        moved = tuple(flows[k]) if k in flows else None
        layers.append({"layer": layer_task.name, "segments": segments, "flows": moved})
    # In one piece: a validation of its own for each of a thousand flows takes as long as deciding.
    return PlacedRequest.model_validate({"request": task.request.id, "layers": tuple(layers)})


def from_document(problem: Problem, document: PlacementDocument) -> Placement:
    """Read a placement that has passed the checker.

    Raises
    ------
    InputError
        If it names a request, layer or node that the instance lacks.
    """
    tasks = {task.request.id: task for task in problem.tasks}
    index = {name: i for i, name in enumerate(problem.node_ids)}
    return Placement(
        {
            placed.request: read_request(_named(tasks, placed.request, "request"), placed, index)
            for placed in document.requests
        }
    )


def read_request(
    task: RequestTask, placed: PlacedRequest, index: Mapping[str, int]
) -> RequestPlacement:
    """Read the placement of one request; `index` tells the nodes by name.

    Raises
    ------
    InputError
        If it names a layer or node that the instance lacks.
    """
    layer_index = {layer.name: k for k, layer in enumerate(task.layers)}
    counts = np.zeros((len(task.layers), len(index)), dtype=np.int64)
    entries = []
    for layer in placed.layers:
        k = _named(layer_index, layer.layer, "layer")
        for node, segments in layer.segments.items():
            counts[k, _named(index, node, "node")] = segments
        entries += [
            (k, _named(index, f.sender, "node"), _named(index, f.receiver, "node"), int(f.maps))
            for f in layer.flows or ()
        ]
    return RequestPlacement(counts, Flows.from_entries(entries))


def _named(known: Mapping[str, NamedT], name: str, kind: str) -> NamedT:
    if name not in known:
        raise InputError(
            f"placement: expected a {kind} of the instance, got '{name}'; "
            "name the instance that the placement was made for"
        )
    return known[name]
