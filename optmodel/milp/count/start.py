"""Give the variables of the counts the values that a placement has."""

import numpy as np
import pyomo.environ as pyo

from optmodel.milp.budget_rows import set_carries
from optmodel.placement import Placement, RequestPlacement, evaluate
from optmodel.problem import IntArray, Problem


def set_counts(model: pyo.ConcreteModel, problem: Problem, placement: Placement) -> None:
    """Set served, x, sender, sent, whole, T and carries; a request without a place gets zeros."""
    latency = evaluate(problem, placement).layer_latency_s
    for variable in model.component_data_objects(pyo.Var):
        variable.set_value(0)
    for r, task in enumerate(problem.tasks):
        placed = placement.requests.get(task.request.id)
        if placed is None:
            continue
        model.served[r].set_value(1)
        for k, layer in enumerate(task.layers):
            model.T[r, k].set_value(float(latency[task.request.id][k]) / problem.time_unit_s)
            for i in layer.hosts:
                model.x[r, k, i].set_value(int(placed.counts[k, i]))
                for mark in (model.sender, model.whole):
                    if (r, k, i) in mark:
                        mark[r, k, i].set_value(int(placed.counts[k, i] > 0))
        for k, layer in enumerate(task.layers[:-1]):
            sent = units_sent(placed, k, layer.transfer == "mapwise")
            for i in layer.hosts:
                for j in task.layers[k + 1].hosts:
                    model.sent[r, k, i, j].set_value(int(sent[i, j]))
    set_carries(model)


def units_sent(placed: RequestPlacement, layer: int, mapwise: bool) -> IntArray:
    """Return the maps each node hands to each after a layer, own ones (i = j) included."""
    if mapwise:
        return placed.flows.matrix(layer, placed.counts.shape[1])
    return np.outer(placed.counts[layer] > 0, placed.counts[layer + 1])
