"""Variables of the segment formulation: those of the counts, and one per segment and node.

Indices: r request, l layer, p segment, i and j nodes; all from 0.
"""

import pyomo.environ as pyo

from optmodel.milp.count import variables as counts
from optmodel.milp.count.variables import layers, transitions
from optmodel.problem import Problem


def add_variables(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Add all variables; nodes that may not host a layer (8h) get none."""
    counts.add_variables(model, problem)
    add_assignment(model, problem)
    add_moves(model, problem)


def add_assignment(model: pyo.ConcreteModel, problem: Problem) -> None:
    """A[r, l, p, i] = 1 iff node i computes segment p of layer l (8i)."""
    index = [
        (r, k, p, i)
        for r, k, layer in layers(problem)
        for p in range(layer.segments)
        for i in layer.hosts
    ]
    model.A = pyo.Var(index, domain=pyo.Binary)


def add_moves(model: pyo.ConcreteModel, problem: Problem) -> None:
    """move[r, l, p, i, j] = A[r, l, p, i] · A[r, l+1, p, j] after an act or pool (Eq. 6)."""
    index = [
        (r, k, p, i, j)
        for r, k, layer, following in transitions(problem, "mapwise")
        for p in range(layer.segments)
        for i in layer.hosts
        for j in following.hosts
    ]
    # Not binary: where A is, the flow from its one holder to the next is all of 1 or nothing.
    model.move = pyo.Var(index, domain=pyo.UnitInterval)
