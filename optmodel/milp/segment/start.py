"""Give the variables of the segment formulation the values that a placement has."""

import pyomo.environ as pyo

from optmodel.milp.count.start import set_counts
from optmodel.placement import Placement
from optmodel.problem import Problem


def set_segments(model: pyo.ConcreteModel, problem: Problem, placement: Placement) -> None:
    """Label the segments and set A and move beside the variables of the counts."""
    set_counts(model, problem, placement)
    labels = {
        r: placement.requests[task.request.id].labels()
        for r, task in enumerate(problem.tasks)
        if task.request.id in placement.requests
    }
    for (r, k, p, i), assigned in model.A.items():
        if r in labels:
            assigned.set_value(int(labels[r][k][p] == i))
    for (r, k, p, i, j), move in model.move.items():
        if r in labels:
            move.set_value(int(labels[r][k][p] == i and labels[r][k + 1][p] == j))
