"""Constraints of the CP-SAT model, one function per equation.

Notation as in the variables module. P is the number of segments of a layer, cap its largest
admissible count on one node; an arrow means that a row is enforced by a literal.
"""

import math
from collections import defaultdict

from ortools.sat.python.cp_model import CpModel, IntVar, LinearExpr

from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.cpsat.variables import CpsatVariables
from optmodel.milp import LARGEST_ACTIVITY, groups, layers, transitions
from optmodel.problem import BANDWIDTH, COMPUTE, MEMORY, IntArray, Problem

Loads = defaultdict[int, list[tuple[int, IntVar]]]


def add_constraints(model: CpModel, v: CpsatVariables, problem: Problem, ticks: CpsatTicks) -> None:
    """Add Eq. 5-8; 8f, 8h and 8i are in the domains of the variables."""
    place_every_segment(model, v, problem)
    keep_first_fc_whole(model, v, problem)
    mark_senders(model, v, problem)
    broadcast_partial_sums(model, v, problem)
    hand_on_every_map(model, v, problem)
    bound_latency_by_computation(model, v, problem, ticks)
    bound_latency_by_broadcast(model, v, problem, ticks)
    bound_latency_by_moved_maps(model, v, problem, ticks)
    bound_latency_by_largest_count(model, v, problem, ticks)
    respect_memory(model, v, problem)
    respect_compute(model, v, problem)
    respect_bandwidth(model, v, problem)


def place_every_segment(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """8e: sum over i of x[r, l, i] = P · served[r]."""
    for r, k, layer in layers(problem):
        placed = LinearExpr.sum([v.x[r, k, i] for i in layer.hosts])
        model.add(placed == layer.segments * v.served[r])


def keep_first_fc_whole(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """8g: x[r, l, i] = P · whole[r, l, i]."""
    for (r, k, i), whole in v.whole.items():
        model.add(v.x[r, k, i] == problem.tasks[r].layers[k].segments * whole)


def mark_senders(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """Eq. 6, min(1, .): sender[r, l, i] <= x[r, l, i] <= cap · sender[r, l, i]."""
    for (r, k, i), sender in v.sender.items():
        model.add(v.x[r, k, i] >= sender)
        model.add(v.x[r, k, i] <= problem.tasks[r].layers[k].cap * sender)


def broadcast_partial_sums(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """Eq. 6, C and F: copies[r, l, i] = sender[r, l, i] · (P - x[r, l+1, i]).

    Every map goes to whoever computes its next segment, so all but those that i keeps are sent.
    """
    for r, k, layer, following in transitions(problem, "broadcast"):
        for i in layer.hosts:
            kept = v.x[r, k + 1, i] if i in following.hosts else 0
            sender, copies = v.sender[r, k, i], v.copies[r, k, i]
            model.add(copies + kept == following.segments).only_enforce_if(sender)
            model.add(copies == 0).only_enforce_if(~sender)


def hand_on_every_map(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """Eq. 6, Ac: moved[r, l, i, j] is a transportation plan between the counts of l and l+1.

    Sum over j of moved[r, l, i, j] = x[r, l, i]; sum over i of it = x[r, l+1, j].
    """
    for r, k, layer, following in transitions(problem, "mapwise"):
        for i in layer.hosts:
            left = LinearExpr.sum([v.moved[r, k, i, j] for j in following.hosts])
            model.add(left == v.x[r, k, i])
        for j in following.hosts:
            arrived = LinearExpr.sum([v.moved[r, k, i, j] for i in layer.hosts])
            model.add(arrived == v.x[r, k + 1, j])


def bound_latency_by_computation(
    model: CpModel, v: CpsatVariables, problem: Problem, ticks: CpsatTicks
) -> None:
    """Eq. 5 for pairs without a transfer: T[r, l] >= x[r, l, j] · c_l / e_j."""
    for r, k, layer in layers(problem):
        for j in layer.hosts:
            model.add(v.T[r, k] >= ticks.of(ticks.compute_s(r, k, j)) * v.x[r, k, j])


def bound_latency_by_broadcast(
    model: CpModel, v: CpsatVariables, problem: Problem, ticks: CpsatTicks
) -> None:
    """Eq. 5 for i != j, C and F: sender[r, l, i] -> T >= (bits / rho_i + c / e_j) · x[r, l+1, j].

    Rounded down once for both durations.
    """
    for r, k, layer, following in transitions(problem, "broadcast"):
        for i in layer.hosts:
            for j in following.hosts:
                # A node does not wait for what it sends itself.
                if i != j:
                    both_s = ticks.transfer_s(r, k, i) + ticks.compute_s(r, k + 1, j)
                    row = model.add(v.T[r, k + 1] >= ticks.of(both_s) * v.x[r, k + 1, j])
                    row.only_enforce_if(v.sender[r, k, i])


def bound_latency_by_moved_maps(
    model: CpModel, v: CpsatVariables, problem: Problem, ticks: CpsatTicks
) -> None:
    """Eq. 5 for i != j, Ac: T >= bits / rho_i · moved[r, l, i, j] + c / e_j · x[r, l+1, j]."""
    for (r, k, i, j), maps in v.moved.items():
        if i != j:
            # Each rounded by itself: maps and segments are counted apart.
            reception = ticks.of(ticks.transfer_s(r, k, i)) * maps
            computation = ticks.of(ticks.compute_s(r, k + 1, j)) * v.x[r, k + 1, j]
            model.add(v.T[r, k + 1] >= reception + computation)


def bound_latency_by_largest_count(
    model: CpModel, v: CpsatVariables, problem: Problem, ticks: CpsatTicks
) -> None:
    """Strengthen: T >= (least unavoidable transfer + c / e) · largest, largest >= x.

    Sum over g of |g| · largest[r, l, g] >= P · served[r]. Implied by Eq. 5 and 8e.
    """
    room: defaultdict[tuple[int, int], list[LinearExpr]] = defaultdict(list)
    for g in groups(problem):
        largest = v.largest[g.r, g.k, g.number]
        room[g.r, g.k].append(len(g.nodes) * largest)
        for i in g.nodes:
            model.add(largest >= v.x[g.r, g.k, i])
        segment_s = ticks.compute_s(g.r, g.k, g.nodes[0])
        if g.sender is not None:
            segment_s += ticks.transfer_s(g.r, g.k - 1, g.sender)
        model.add(v.T[g.r, g.k] >= ticks.of(segment_s) * largest)
    for (r, k), terms in room.items():
        segments = problem.tasks[r].layers[k].segments
        model.add(LinearExpr.sum(terms) >= segments * v.served[r])


def respect_memory(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """8b: sum over r, l of m_l · x[r, l, i] <= memory of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in v.x.items():
        loads[i].append((problem.tasks[r].layers[k].weight_bytes, count))
    _keep_within(model, loads, problem.whole_budgets[MEMORY])


def respect_compute(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """8c: sum over r, l of c_l · x[r, l, i] <= compute budget of i."""
    loads: Loads = defaultdict(list)
    for (r, k, i), count in v.x.items():
        loads[i].append((problem.tasks[r].layers[k].multiplications, count))
    _keep_within(model, loads, problem.whole_budgets[COMPUTE])


def respect_bandwidth(model: CpModel, v: CpsatVariables, problem: Problem) -> None:
    """8d: sum over r, l of bits · (copies[r, l, i] or moved[r, l, i, j] to j != i) <= budget."""
    loads: Loads = defaultdict(list)
    for (r, k, i), copies in v.copies.items():
        loads[i].append((problem.tasks[r].layers[k].output_bits, copies))
    for (r, k, i, j), maps in v.moved.items():
        if i != j:
            loads[i].append((problem.tasks[r].layers[k].output_bits, maps))
    _keep_within(model, loads, problem.whole_budgets[BANDWIDTH])


def _keep_within(model: CpModel, loads: Loads, budgets: IntArray) -> None:
    """Add sum of amount · variable <= budget per node, over the amounts' common divisor."""
    for i, entries in loads.items():
        terms = [(amount, variable) for amount, variable in entries if amount > 0]
        # Nothing at all has the divisor 0.
        divisor = math.gcd(*(amount for amount, _ in terms)) or 1
        scaled = [(amount // divisor, variable) for amount, variable in terms]
        _add_row(model, scaled, int(budgets[i]) // divisor)


def _add_row(model: CpModel, terms: list[tuple[int, IntVar]], budget: int) -> None:
    """Add sum of amount · variable <= budget, digit by digit where the sum may be too large.

    With amount = h · base + l and budget = H · base + L, the row holds iff some whole carry >= 0
    fulfils sum of l · variable <= L + base · carry and sum of h · variable + carry <= H: the least
    carry that the first row allows is the one that the second needs.
    """
    # More than the whole budget is as much too much as one unit beyond it.
    terms = [(min(amount, budget + 1), variable) for amount, variable in terms if amount]
    most = [variable.domain.max() for _, variable in terms]
    largest = sum(amount * n for (amount, _), n in zip(terms, most, strict=True))
    # No values of the variables break it.
    if largest <= budget:
        return
    if largest <= LARGEST_ACTIVITY:
        model.add(_weighted(terms) <= budget)
        return
    # Low digits and carries have opposite signs: half of the activity for each.
    base = max(LARGEST_ACTIVITY // (2 * sum(most)), 2)
    low = [(amount % base, variable) for amount, variable in terms]
    # As much as the low digits can come to, in units of the base.
    carried = sum(amount * n for (amount, _), n in zip(low, most, strict=True)) // base + 1
    carry = model.new_int_var(0, carried, "")
    model.add(_weighted(low) - base * carry <= budget % base)
    high = [(amount // base, variable) for amount, variable in terms]
    _add_row(model, [*high, (1, carry)], budget // base)


def _weighted(terms: list[tuple[int, IntVar]]) -> LinearExpr:
    return LinearExpr.weighted_sum([v for _, v in terms], [amount for amount, _ in terms])
