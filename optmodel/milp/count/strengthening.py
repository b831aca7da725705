"""Valid inequalities of the count formulation: they cut off no placement, only relaxations."""

from collections import defaultdict

import pyomo.environ as pyo

from optmodel.milp.count.host_groups import HostGroup, groups
from optmodel.problem import Problem


def strengthen(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Add the largest count of every group of equally fast nodes, and what follows from it."""
    by_index = {(group.r, group.k, group.number): group for group in groups(problem)}
    model.largest = pyo.Var(
        list(by_index),
        domain=pyo.NonNegativeIntegers,
        bounds=lambda _, *index: (0, by_index[index].layer.cap),
    )
    exceed_every_count(model, by_index)
    make_room_for_every_segment(model, by_index)
    bound_latency_by_largest_count(model, problem, by_index)


ByIndex = dict[tuple[int, int, int], HostGroup]


def exceed_every_count(model: pyo.ConcreteModel, by_index: ByIndex) -> None:
    """largest[r, l, g] >= x[r, l, i] for every i of group g."""
    model.exceed_every_count = pyo.Constraint(
        [(*index, i) for index, group in by_index.items() for i in group.nodes],
        rule=lambda m, r, k, g, i: m.largest[r, k, g] >= m.x[r, k, i],
    )


def make_room_for_every_segment(model: pyo.ConcreteModel, by_index: ByIndex) -> None:
    """Sum over g of |g| · largest[r, l, g] >= P · served[r], from 8e."""
    of_layer = defaultdict(list)
    for (r, k, _), group in by_index.items():
        of_layer[r, k].append(group)
    model.make_room_for_every_segment = pyo.Constraint(
        list(of_layer),
        rule=lambda m, r, k: (
            pyo.quicksum(len(g.nodes) * m.largest[r, k, g.number] for g in of_layer[r, k])
            >= of_layer[r, k][0].layer.segments * m.served[r]
        ),
    )


def bound_latency_by_largest_count(
    model: pyo.ConcreteModel, problem: Problem, by_index: ByIndex
) -> None:
    """T[r, l] >= (c_l / e + least unavoidable transfer) · largest[r, l, g], from Eq. 5."""
    seconds = {index: _seconds_per_segment(problem, group) for index, group in by_index.items()}
    model.bound_latency_by_largest_count = pyo.Constraint(
        # A segment that neither computes nor must receive waits for nothing.
        [index for index in by_index if seconds[index] > 0],
        rule=lambda m, r, k, g: (
            m.T[r, k] >= seconds[r, k, g] / problem.time_unit_s * m.largest[r, k, g]
        ),
    )


def _seconds_per_segment(problem: Problem, group: HostGroup) -> float:
    compute = group.layer.multiplications / float(problem.speed[group.nodes[0]])
    if group.sender is None:
        return compute
    before = problem.tasks[group.r].layers[group.k - 1]
    return compute + before.output_bits / float(problem.rate[group.sender])


def set_largest(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Set the largest counts to those of the values that x has."""
    for group in groups(problem):
        most = max(model.x[group.r, group.k, i].value for i in group.nodes)
        model.largest[group.r, group.k, group.number].set_value(most)
