"""Constraints of the segment formulation, one function per equation.

Notation as in the variables module. P is the number of segments of a layer, cap its largest
admissible count on one node.
"""

import math
from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from optmodel.problem import FloatArray, Problem
from optmodel.segment.variables import layers, transitions


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
    """8e: sum over i of A[r, l, p, i] = 1."""
    model.assign_every_segment_once = pyo.Constraint(
        [(r, k, p) for r, k, layer in layers(problem) for p in range(layer.segments)],
        rule=lambda m, r, k, p: (
            pyo.quicksum(m.A[r, k, p, i] for i in problem.tasks[r].layers[k].hosts) == 1
        ),
    )


def count_segments(model: pyo.ConcreteModel, problem: Problem) -> None:
    """x[r, l, i] = sum over p of A[r, l, p, i]."""
    model.count_segments = pyo.Constraint(
        list(model.x),
        rule=lambda m, r, k, i: (
            m.x[r, k, i]
            == pyo.quicksum(m.A[r, k, p, i] for p in range(problem.tasks[r].layers[k].segments))
        ),
    )


def respect_caps(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8f: x[r, l, i] <= Nf[l] for helpers i, stated as bounds."""
    for (r, k, _), count in model.x.items():
        count.setub(problem.tasks[r].layers[k].cap)


def keep_first_fc_whole(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8g: sum over i of whole[r, l, i] >= 1, whole[r, l, i] <= A[r, l, p, i] for every p."""
    first_fcs = [(r, k, layer) for r, k, layer in layers(problem) if layer.whole]
    model.keep_first_fc_whole = pyo.Constraint(
        [(r, k) for r, k, _ in first_fcs],
        rule=lambda m, r, k: (
            pyo.quicksum(m.whole[r, k, i] for i in problem.tasks[r].layers[k].hosts) >= 1
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


def broadcast_partial_sums(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, C and F: sent[r, l, i, j] = sender[r, l, i] · x[r, l+1, j].

    The product is linearised by its four bounds with 0 <= x <= cap; the sum over j, which is
    P · sender[r, l, i] by 8e, makes the relaxation tight.
    """
    broadcasts = list(transitions(problem, "broadcast"))
    pairs = [
        (r, k, i, j)
        for r, k, layer, following in broadcasts
        for i in layer.hosts
        for j in following.hosts
    ]

    def cap(r: int, k: int) -> int:
        return problem.tasks[r].layers[k + 1].cap

    model.active_sends_every_map = pyo.Constraint(
        pairs,
        rule=lambda m, r, k, i, j: (
            m.sent[r, k, i, j] >= m.x[r, k + 1, j] - cap(r, k) * (1 - m.sender[r, k, i])
        ),
    )
    model.idle_sends_nothing = pyo.Constraint(
        pairs,
        rule=lambda m, r, k, i, j: m.sent[r, k, i, j] <= cap(r, k) * m.sender[r, k, i],
    )
    model.no_more_than_computed_there = pyo.Constraint(
        pairs, rule=lambda m, r, k, i, j: m.sent[r, k, i, j] <= m.x[r, k + 1, j]
    )
    model.active_sends_to_every_segment = pyo.Constraint(
        list(model.sender),
        rule=lambda m, r, k, i: (
            pyo.quicksum(m.sent[r, k, i, j] for j in problem.tasks[r].layers[k + 1].hosts)
            == problem.tasks[r].layers[k + 1].segments * m.sender[r, k, i]
        ),
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
            pyo.quicksum(m.move[r, k, p, i, j] for j in problem.tasks[r].layers[k + 1].hosts)
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
            pyo.quicksum(m.move[r, k, p, i, j] for i in problem.tasks[r].layers[k].hosts)
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
            == pyo.quicksum(
                m.move[r, k, p, i, j] for p in range(problem.tasks[r].layers[k].segments)
            )
        ),
    )


def _computation(model: pyo.ConcreteModel, problem: Problem, r: int, k: int, j: int) -> Any:
    """Return t_c of Eq. 7, x[r, l, j] · c_l / e_j, in the model's time unit."""
    seconds = problem.tasks[r].layers[k].multiplications / float(problem.speed[j])
    return seconds / problem.time_unit_s * model.x[r, k, j]


def bound_latency_by_computation(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 5 for pairs without a transfer: T[r, l] >= x[r, l, j] · c_l / e_j."""
    model.bound_latency_by_computation = pyo.Constraint(
        list(model.x), rule=lambda m, r, k, j: m.T[r, k] >= _computation(m, problem, r, k, j)
    )


def bound_latency_by_reception(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 5 for i != j: T[r, l] >= O[i, j, l-1] / rho_i + x[r, l, j] · c_l / e_j."""

    def rule(m: pyo.ConcreteModel, r: int, k: int, i: int, j: int) -> object:
        seconds = problem.tasks[r].layers[k].output_bits / float(problem.rate[i])
        reception = seconds / problem.time_unit_s * m.sent[r, k, i, j]
        return m.T[r, k + 1] >= reception + _computation(m, problem, r, k + 1, j)

    model.bound_latency_by_reception = pyo.Constraint(
        [(r, k, i, j) for r, k, i, j in model.sent if i != j], rule=rule
    )


def respect_memory(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8b: sum over r, l of m_l · x[r, l, i] <= memory of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in model.x.items():
        loads[i].append((problem.tasks[r].layers[k].weight_bytes, count))
    model.respect_memory = _within(loads, problem.memory)


def respect_compute(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8c: sum over r, l of c_l · x[r, l, i] <= compute budget of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in model.x.items():
        loads[i].append((problem.tasks[r].layers[k].multiplications, count))
    model.respect_compute = _within(loads, problem.compute_budget)


def respect_bandwidth(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8d: sum over r, l and j != i of O[i, j, l] <= bandwidth budget of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i, j), maps in model.sent.items():
        if i != j:
            loads[i].append((problem.tasks[r].layers[k].output_bits, maps))
    model.respect_bandwidth = _within(loads, problem.bandwidth_budget)


Loads = defaultdict[int, list[tuple[int, Any]]]


def _within(loads: Loads, budgets: FloatArray) -> pyo.Constraint:
    """Return sum of amount · variable <= budget per node, over the amounts' common divisor.

    All variables are whole numbers, so the divided row keeps whole coefficients, its right-hand
    side can be rounded down, and an excess of one unit is far beyond a solver's tolerance.
    """
    terms = {i: [(a, v) for a, v in entries if a > 0] for i, entries in loads.items()}

    def rule(_: pyo.Block, i: int) -> object:
        divisor = math.gcd(*(amount for amount, _ in terms[i]))
        budget = math.floor(budgets[i]) // divisor
        return pyo.quicksum(amount // divisor * v for amount, v in terms[i]) <= budget

    return pyo.Constraint([i for i in sorted(terms) if terms[i]], rule=rule)
