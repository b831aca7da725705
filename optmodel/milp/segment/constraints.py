"""Constraints of the segment formulation, one function per equation.

Those that speak of counts only are shared with the count formulation. Notation as in the variables
module; P is the number of segments of a layer.
"""

import pyomo.environ as pyo

from optmodel.milp.count.constraints import (
    bound_latency_by_computation,
    bound_latency_by_reception,
    broadcast_partial_sums,
    layer_of,
    respect_bandwidth,
    respect_caps,
    respect_compute,
    respect_memory,
)
from optmodel.milp.count.variables import layers, transitions
from optmodel.problem import Problem


def add_constraints(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Add Eq. 5-8; 8h and 8i are in the index sets and domains of the variables."""
    assign_every_segment_once(model, problem)
    count_segments(model, problem)
    respect_caps(model, problem)
    keep_first_fc_whole(model, problem)
    mark_senders(model, problem)
    broadcast_partial_sums(model, problem)
    follow_moved_maps(model, problem)
    count_moved_maps(model, problem)
    bound_latency_by_computation(model, problem)
    bound_latency_by_reception(model, problem)
    respect_memory(model, problem)
    respect_compute(model, problem)
    respect_bandwidth(model, problem)


def assign_every_segment_once(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8e: sum over i of A[r, l, p, i] = served[r]."""
    model.assign_every_segment_once = pyo.Constraint(
        [(r, k, p) for r, k, layer in layers(problem) for p in range(layer.segments)],
        rule=lambda m, r, k, p: (
            pyo.quicksum(m.A[r, k, p, i] for i in layer_of(problem, r, k).hosts) == m.served[r]
        ),
    )


def count_segments(model: pyo.ConcreteModel, problem: Problem) -> None:
    """x[r, l, i] = sum over p of A[r, l, p, i]."""
    model.count_segments = pyo.Constraint(
        list(model.x),
        rule=lambda m, r, k, i: (
            m.x[r, k, i]
            == pyo.quicksum(m.A[r, k, p, i] for p in range(layer_of(problem, r, k).segments))
        ),
    )


def keep_first_fc_whole(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8g: sum over i of whole[r, l, i] >= served[r], whole[r, l, i] <= A[r, l, p, i] for all p."""
    first_fcs = [(r, k, layer) for r, k, layer in layers(problem) if layer.whole]
    model.keep_first_fc_whole = pyo.Constraint(
        [(r, k) for r, k, _ in first_fcs],
        rule=lambda m, r, k: (
            pyo.quicksum(m.whole[r, k, i] for i in layer_of(problem, r, k).hosts) >= m.served[r]
        ),
    )
    model.whole_means_every_segment = pyo.Constraint(
        [
            (r, k, p, i)
            for r, k, layer in first_fcs
            for p in range(layer.segments)
            for i in layer.hosts
        ],
        rule=lambda m, r, k, p, i: m.whole[r, k, i] <= m.A[r, k, p, i],
    )


def mark_senders(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, min(1, .): A[r, l, p, i] <= sender[r, l, i] <= x[r, l, i]."""
    broadcasts = list(transitions(problem, "broadcast"))
    # One row per segment: in fractions that is tighter than their sum, x <= P · sender.
    model.segment_makes_active = pyo.Constraint(
        [
            (r, k, p, i)
            for r, k, layer, _ in broadcasts
            for p in range(layer.segments)
            for i in layer.hosts
        ],
        rule=lambda m, r, k, p, i: m.A[r, k, p, i] <= m.sender[r, k, i],
    )
    model.active_has_segment = pyo.Constraint(
        list(model.sender), rule=lambda m, r, k, i: m.sender[r, k, i] <= m.x[r, k, i]
    )


def follow_moved_maps(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, Ac: move = A[r, l, p, i] · A[r, l+1, p, j], as a unit flow from l to l+1.

    Sum over j of move[r, l, p, i, j] = A[r, l, p, i]; sum over i of it = A[r, l+1, p, j]. With
    8e, these equalities leave only the product, and no weaker linearisation is needed.
    """
    maps = list(transitions(problem, "mapwise"))
    model.map_leaves_its_holder = pyo.Constraint(
        [
            (r, k, p, i)
            for r, k, layer, _ in maps
            for p in range(layer.segments)
            for i in layer.hosts
        ],
        rule=lambda m, r, k, p, i: (
            pyo.quicksum(m.move[r, k, p, i, j] for j in layer_of(problem, r, k + 1).hosts)
            == m.A[r, k, p, i]
        ),
    )
    model.map_reaches_its_segment = pyo.Constraint(
        [
            (r, k, p, j)
            for r, k, layer, following in maps
            for p in range(layer.segments)
            for j in following.hosts
        ],
        rule=lambda m, r, k, p, j: (
            pyo.quicksum(m.move[r, k, p, i, j] for i in layer_of(problem, r, k).hosts)
            == m.A[r, k + 1, p, j]
        ),
    )


def count_moved_maps(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, Ac: sent[r, l, i, j] = sum over p of move[r, l, p, i, j]."""
    model.count_moved_maps = pyo.Constraint(
        [
            (r, k, i, j)
            for r, k, layer, following in transitions(problem, "mapwise")
            for i in layer.hosts
            for j in following.hosts
        ],
        rule=lambda m, r, k, i, j: (
            m.sent[r, k, i, j]
            == pyo.quicksum(m.move[r, k, p, i, j] for p in range(layer_of(problem, r, k).segments))
        ),
    )
