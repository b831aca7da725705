"""Assignments of segments to nodes, written as solution files and as placements."""

import numpy as np
import reference

from optmodel.placement.named_placement import to_document
from optmodel.placement.placement import Placement, RequestPlacement
from optmodel.placement.solution import (
    Flow,
    PlacedLayer,
    PlacedRequest,
    PlacementDocument,
    Rejection,
)
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


def document_of(made: Instance, assignment: reference.Assignment) -> PlacementDocument:
    """Write an assignment down as a solution file would."""
    placed = []
    for request in made.requests:
        layers = reference.layers_of(made, request)
        plan = assignment[request.id]
        written = tuple(
            PlacedLayer(
                layer=layer.name,
                segments={name: plan[k].count(name) for name in dict.fromkeys(plan[k])},
                flows=_flows(plan[k], plan[k + 1])
                if layer.kind in ("act", "pool") and k + 1 < len(layers)
                else None,
            )
            for k, layer in enumerate(layers)
        )
        placed.append(PlacedRequest(request=request.id, layers=written))
    return PlacementDocument(requests=tuple(placed))


def _flows(here: reference.Vector, there: reference.Vector) -> tuple[Flow, ...]:
    pairs = list(zip(here, there, strict=True))
    return tuple(
        Flow(sender=i, receiver=j, maps=pairs.count((i, j))) for i, j in dict.fromkeys(pairs)
    )


def place(problem: Problem, assignment: reference.Assignment) -> Placement:
    """Return an assignment as counts and flows, for the evaluator."""
    index = {name: i for i, name in enumerate(problem.node_ids)}
    labels = {
        name: [np.array([index[at] for at in vector]) for vector in plan]
        for name, plan in assignment.items()
    }
    return counted(problem, labels)


def counted(problem: Problem, labels: dict[str, list[np.ndarray]]) -> Placement:
    """Return counts and flows of segments labelled with the numbers of their nodes."""
    placed = {}
    for task in problem.tasks:
        mapwise = [layer.transfer == "mapwise" for layer in task.layers]
        placed[task.request.id] = RequestPlacement.from_labels(
            labels[task.request.id], mapwise, len(problem.node_ids)
        )
    return Placement(placed)


def written(problem: Problem, placement: Placement) -> PlacementDocument:
    """Write a placement down, with a rejection of each request that it leaves out."""
    left_out = [
        Rejection(request=task.request.id, condition="left out")
        for task in problem.tasks
        if task.request.id not in placement.requests
    ]
    return to_document(problem, placement, left_out)
