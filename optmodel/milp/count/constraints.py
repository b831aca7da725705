"""Constraints of the count formulation, one function per equation.

Notation as in the variables module. P is the number of segments of a layer, cap its largest
admissible count on one node.
"""

from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from optmodel.milp.budget_rows import add_budget_rows
from optmodel.milp.count.variables import layers, transitions
from optmodel.problem import BANDWIDTH, COMPUTE, MEMORY, IntArray, LayerTask, Problem

Loads = defaultdict[int, list[tuple[int, Any]]]


def add_constraints(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Add Eq. 5-8; 8h and 8i are in the index sets and domains of the variables."""
    place_every_segment(model, problem)
    respect_caps(model, problem)
    keep_first_fc_whole(model, problem)
    mark_senders(model, problem)
    broadcast_partial_sums(model, problem)
    hand_on_every_map(model, problem)
    bound_latency_by_computation(model, problem)
    bound_latency_by_reception(model, problem)
    respect_memory(model, problem)
    respect_compute(model, problem)
    respect_bandwidth(model, problem)


def layer_of(problem: Problem, r: int, k: int) -> LayerTask:
    """Return layer `k` of request `r`."""
    return problem.tasks[r].layers[k]


def place_every_segment(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8e: sum over i of x[r, l, i] = P · served[r]."""
    model.place_every_segment = pyo.Constraint(
        [(r, k) for r, k, _ in layers(problem)],
        rule=lambda m, r, k: (
            pyo.quicksum(m.x[r, k, i] for i in layer_of(problem, r, k).hosts)
            == layer_of(problem, r, k).segments * m.served[r]
        ),
    )


def respect_caps(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8f: x[r, l, i] <= Nf[l] for helpers i, stated as bounds."""
    for (r, k, _), count in model.x.items():
        count.setub(layer_of(problem, r, k).cap)


def keep_first_fc_whole(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8g: x[r, l, i] = P · whole[r, l, i]."""
    model.keep_first_fc_whole = pyo.Constraint(
        list(model.whole),
        rule=lambda m, r, k, i: m.x[r, k, i] == layer_of(problem, r, k).segments * m.whole[r, k, i],
    )


def mark_senders(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, min(1, .): sender[r, l, i] <= x[r, l, i] <= cap · sender[r, l, i]."""
    model.sender_has_segment = pyo.Constraint(
        list(model.sender), rule=lambda m, r, k, i: m.sender[r, k, i] <= m.x[r, k, i]
    )
    model.segment_makes_sender = pyo.Constraint(
        list(model.sender),
        rule=lambda m, r, k, i: m.x[r, k, i] <= layer_of(problem, r, k).cap * m.sender[r, k, i],
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
    model.active_sends_every_map = pyo.Constraint(
        pairs,
        rule=lambda m, r, k, i, j: (
            m.sent[r, k, i, j]
            >= m.x[r, k + 1, j] - layer_of(problem, r, k + 1).cap * (1 - m.sender[r, k, i])
        ),
    )
    model.idle_sends_nothing = pyo.Constraint(
        pairs,
        rule=lambda m, r, k, i, j: (
            m.sent[r, k, i, j] <= layer_of(problem, r, k + 1).cap * m.sender[r, k, i]
        ),
    )
    model.no_more_than_computed_there = pyo.Constraint(
        pairs, rule=lambda m, r, k, i, j: m.sent[r, k, i, j] <= m.x[r, k + 1, j]
    )
    model.active_sends_to_every_segment = pyo.Constraint(
        list(model.sender),
        rule=lambda m, r, k, i: (
            pyo.quicksum(m.sent[r, k, i, j] for j in layer_of(problem, r, k + 1).hosts)
            == layer_of(problem, r, k + 1).segments * m.sender[r, k, i]
        ),
    )


def hand_on_every_map(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 6, Ac: sent[r, l, i, j] is a transportation plan between the counts of l and l+1.

    Sum over j of sent[r, l, i, j] = x[r, l, i]; sum over i of it = x[r, l+1, j].
    """
    maps = list(transitions(problem, "mapwise"))
    model.map_leaves_its_holder = pyo.Constraint(
        [(r, k, i) for r, k, layer, _ in maps for i in layer.hosts],
        rule=lambda m, r, k, i: (
            pyo.quicksum(m.sent[r, k, i, j] for j in layer_of(problem, r, k + 1).hosts)
            == m.x[r, k, i]
        ),
    )
    model.map_reaches_its_segment = pyo.Constraint(
        [(r, k, j) for r, k, _, following in maps for j in following.hosts],
        rule=lambda m, r, k, j: (
            pyo.quicksum(m.sent[r, k, i, j] for i in layer_of(problem, r, k).hosts)
            == m.x[r, k + 1, j]
        ),
    )


def _computation(model: pyo.ConcreteModel, problem: Problem, r: int, k: int, j: int) -> Any:
    """Return t_c of Eq. 7, x[r, l, j] · c_l / e_j, in the model's time unit."""
    seconds = layer_of(problem, r, k).multiplications / float(problem.speed[j])
    return seconds / problem.time_unit_s * model.x[r, k, j]


def bound_latency_by_computation(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 5 for pairs without a transfer: T[r, l] >= x[r, l, j] · c_l / e_j."""
    model.bound_latency_by_computation = pyo.Constraint(
        list(model.x), rule=lambda m, r, k, j: m.T[r, k] >= _computation(m, problem, r, k, j)
    )


def bound_latency_by_reception(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. 5 for i != j: T[r, l] >= O[i, j, l-1] / rho_i + x[r, l, j] · c_l / e_j."""

    def rule(m: pyo.ConcreteModel, r: int, k: int, i: int, j: int) -> object:
        """Return the row of one sender and one receiver."""
        seconds = layer_of(problem, r, k).output_bits / float(problem.rate[i])
        reception = seconds / problem.time_unit_s * m.sent[r, k, i, j]
        return m.T[r, k + 1] >= reception + _computation(m, problem, r, k + 1, j)

    model.bound_latency_by_reception = pyo.Constraint(
        [(r, k, i, j) for r, k, i, j in model.sent if i != j], rule=rule
    )


def respect_memory(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8b: sum over r, l of m_l · x[r, l, i] <= memory of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in model.x.items():
        loads[i].append((layer_of(problem, r, k).weight_bytes, count))
    _keep_within(model, "respect_memory", loads, problem.whole_budgets[MEMORY])


def respect_compute(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8c: sum over r, l of c_l · x[r, l, i] <= compute budget of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in model.x.items():
        loads[i].append((layer_of(problem, r, k).multiplications, count))
    _keep_within(model, "respect_compute", loads, problem.whole_budgets[COMPUTE])


def respect_bandwidth(model: pyo.ConcreteModel, problem: Problem) -> None:
    """8d: sum over r, l and j != i of O[i, j, l] <= bandwidth budget of i."""
    loads = sent_by_node(model, problem)
    _keep_within(model, "respect_bandwidth", loads, problem.whole_budgets[BANDWIDTH])


def sent_by_node(model: pyo.ConcreteModel, problem: Problem) -> Loads:
    """Return for each node i the terms of its sum over r, l and j != i of O[i, j, l] (Eq. 6)."""
    loads: Loads = defaultdict(list)
    for (r, k, i, j), maps in model.sent.items():
        # What a node hands to itself is not sent.
        if i != j:
            loads[i].append((layer_of(problem, r, k).output_bits, maps))
    return loads


def _keep_within(model: pyo.ConcreteModel, name: str, loads: Loads, budgets: IntArray) -> None:
    """State sum of amount · variable <= budget per node."""
    rows = {i: (loads[i], int(budgets[i])) for i in sorted(loads)}
    add_budget_rows(model, name, rows)
