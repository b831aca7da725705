"""Is there a placement at all? The count formulation without latency and without pairs of nodes.

Feasibility asks for 8b-8i only. Of the transfers, only 8d speaks, and it needs what each node sends
in all, not to whom. The bits that node i sends after layer l are

- after a conv or fc: bits · (P · sender[i] - kept[i]) with kept[i] = sender[i] · x[i, l+1], since
  a node sends nothing to itself;
- after an act or pool: bits · (x[i, l] - kept[i]), where i holds kept[i] maps before and after.

So `sent[r, l, i, j]` with its square of nodes gives way to `kept[r, l, i]`, bounded above by
x[i, l+1] and by cap · sender[i] or x[i, l]. Nothing rewards a small `kept` or a `sender` without
segments, so that the model is feasible iff it is with `kept` at its bounds, which are whole, and
`sender` = min(1, x). Those bounds are attained: after a conv or fc by definition; after an act or
pool, keep min(x[i, l], x[i, l+1]) maps on every node; what is left over before and after has the
same sum and no node on both sides, so that handing it on in any order is a transportation plan.
With it, (x, flows) is a feasible point of the count formulation, and each feasible point of that
gives one here: the two are feasible together.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyomo.environ as pyo

from optmodel.milp.budget_loads import BUDGETS, BudgetKind, most_loads
from optmodel.milp.budget_rows import add_budget_rows
from optmodel.milp.count.constraints import (
    keep_first_fc_whole,
    layer_of,
    place_every_segment,
    respect_caps,
)
from optmodel.milp.count.variables import add_counts, add_served, add_whole, transitions
from optmodel.placement import Flows, Placement, RequestPlacement, read_counts
from optmodel.problem import TRANSFERS, IntArray, Problem

Terms = list[tuple[int, Any]]


@dataclass(frozen=True)
class FeasibilityModel:
    """The constraints 8b-8i in counts, for problems whose layers all have a host."""

    problem: Problem
    pyomo_model: pyo.ConcreteModel

    @classmethod
    def build(cls, problem: Problem, serving: int | None = None) -> Self:
        """State variables and constraints; budgets that no placement can exceed get no row.

        Of so many requests at least, if `serving` says so; else of all.
        """
        model = pyo.ConcreteModel(name=problem.instance.name)
        tight = _tight(problem)
        add_served(model, problem)
        if serving is None:
            model.served.fix(1)
        else:
            model.serve_enough = pyo.Constraint(expr=pyo.quicksum(model.served.values()) >= serving)
        add_counts(model, problem)
        add_whole(model, problem)
        place_every_segment(model, problem)
        respect_caps(model, problem)
        keep_first_fc_whole(model, problem)
        keep_maps(model, problem, {i for kind, i in tight if kind == "bandwidth"})
        respect_budgets(model, problem, tight)
        # Solvers ask for an objective, and this one is met by any placement.
        model.any_placement = pyo.Objective(expr=0.0)
        return cls(problem, model)

    def minimise_load(self, kind: BudgetKind, node: int) -> None:
        """Lift a budget that has a row, and ask for the least load of that node instead."""
        model = self.pyomo_model
        terms = load_terms(model, self.problem, kind, node)
        # Over the common divisor one unit is far beyond a solver's tolerance.
        divisor = math.gcd(*(amount for amount, _ in terms))
        model.respect_budgets[kind, node].deactivate()
        # A lifted budget must not be held against what is found.
        del model.budget_rows["respect_budgets", (kind, node)]
        model.any_placement.deactivate()
        model.least_load = pyo.Objective(expr=_total(terms, divisor), sense=pyo.minimize)

    def keeps_budgets(self) -> bool:
        """Tell whether the model's values keep every budget that has a row, in whole numbers."""
        return all(row.load <= row.budget for row in self.pyomo_model.budget_rows.values())

    def placement(self) -> Placement:
        """Return the placement whose counts the Pyomo model holds, as many maps kept as can be."""
        return Placement(
            {
                task.request.id: self._request(r)
                for r, task in enumerate(self.problem.tasks)
                if round(pyo.value(self.pyomo_model.served[r]))
            }
        )

    def _request(self, r: int) -> RequestPlacement:
        task, x = self.problem.tasks[r], self.pyomo_model.x
        nodes = len(self.problem.node_ids)
        counts = read_counts(task, nodes, lambda k, i: round(pyo.value(x[r, k, i])))
        entries = [
            (k, i, j, maps)
            for k, layer in enumerate(task.layers[:-1])
            if layer.transfer == "mapwise"
            for i, j, maps in hand_on(counts[k], counts[k + 1])
        ]
        return RequestPlacement(counts, Flows.from_entries(entries))


def _tight(problem: Problem) -> list[tuple[BudgetKind, int]]:
    """Return the budgets that a placement within the caps could exceed."""
    most = most_loads(problem)
    return [
        (kind, i)
        for kind, budget in BUDGETS.items()
        for i, node in enumerate(problem.instance.nodes)
        # Strictly: a load of just the budget keeps it.
        if most[kind][i] > budget.of(node)
    ]


def keep_maps(model: pyo.ConcreteModel, problem: Problem, nodes: set[int]) -> None:
    """Add `sender` and `kept` of the nodes whose bandwidth may run out, as the module states."""
    sending = [
        (transfer, r, k, i)
        for transfer in TRANSFERS
        for r, k, layer, _ in transitions(problem, transfer)
        for i in layer.hosts
        if i in nodes
    ]
    broadcast = [(r, k, i) for transfer, r, k, i in sending if transfer == "broadcast"]
    mapwise = [(r, k, i) for transfer, r, k, i in sending if transfer == "mapwise"]
    both = [(r, k, i) for _, r, k, i in sending if (r, k + 1, i) in model.x]
    model.sender = pyo.Var(broadcast, domain=pyo.Binary)
    model.kept = pyo.Var(
        both,
        domain=pyo.NonNegativeIntegers,
        # CP-SAT, which gives the second opinion, takes no variable without bounds.
        bounds=lambda _, r, k, i: (0, layer_of(problem, r, k + 1).cap),
    )
    model.segment_makes_sender = pyo.Constraint(
        broadcast,
        rule=lambda m, r, k, i: m.x[r, k, i] <= layer_of(problem, r, k).cap * m.sender[r, k, i],
    )
    model.kept_is_used_here = pyo.Constraint(
        both, rule=lambda m, r, k, i: m.kept[r, k, i] <= m.x[r, k + 1, i]
    )
    model.kept_was_sent_here = pyo.Constraint(
        [index for index in broadcast if index in model.kept],
        rule=lambda m, r, k, i: (
            m.kept[r, k, i] <= layer_of(problem, r, k + 1).cap * m.sender[r, k, i]
        ),
    )
    model.kept_was_held_here = pyo.Constraint(
        [index for index in mapwise if index in model.kept],
        rule=lambda m, r, k, i: m.kept[r, k, i] <= m.x[r, k, i],
    )


def respect_budgets(
    model: pyo.ConcreteModel, problem: Problem, tight: list[tuple[BudgetKind, int]]
) -> None:
    """8b-8d, so that one unit too much is no rounding error."""
    nodes = problem.instance.nodes
    rows = {
        (kind, i): (load_terms(model, problem, kind, i), BUDGETS[kind].of(nodes[i]))
        for kind, i in tight
    }
    add_budget_rows(model, "respect_budgets", rows)


def load_terms(model: pyo.ConcreteModel, problem: Problem, kind: BudgetKind, i: int) -> Terms:
    """Return (amount, variable) pairs whose products sum to the load of node `i`."""
    if kind == "bandwidth":
        return list(_sent_terms(model, problem, i))
    amount = {"memory": "weight_bytes", "compute": "multiplications"}[kind]
    terms = [
        (getattr(layer, amount), model.x[r, k, i])
        for r, task in enumerate(problem.tasks)
        for k, layer in enumerate(task.layers)
        if i in layer.hosts
    ]
    return [(amount, variable) for amount, variable in terms if amount]


def _sent_terms(model: pyo.ConcreteModel, problem: Problem, i: int) -> Iterator[tuple[int, Any]]:
    for transfer in TRANSFERS:
        for r, k, layer, following in transitions(problem, transfer):
            if i not in layer.hosts:
                continue
            if transfer == "broadcast":
                yield layer.output_bits * following.segments, model.sender[r, k, i]
            else:
                yield layer.output_bits, model.x[r, k, i]
            # What it keeps for itself it does not send.
            if (r, k, i) in model.kept:
                yield -layer.output_bits, model.kept[r, k, i]


def _total(terms: Terms, divisor: int) -> Any:
    return pyo.quicksum(amount // divisor * variable for amount, variable in terms)


def hand_on(before: IntArray, after: IntArray) -> Iterator[tuple[int, int, int]]:
    """Yield (sender, receiver, maps) between two layers, as many maps kept as can be."""
    # What is left over has no node on both sides, so that any order of it serves.
    kept = np.minimum(before, after)
    yield from ((int(i), int(i), int(kept[i])) for i in np.flatnonzero(kept))
    senders = np.repeat(np.arange(len(before)), before - kept)
    receivers = np.repeat(np.arange(len(after)), after - kept)
    pairs, maps = np.unique(np.stack([senders, receivers]), axis=1, return_counts=True)
    yield from ((int(i), int(j), int(n)) for (i, j), n in zip(pairs.T, maps, strict=True))
