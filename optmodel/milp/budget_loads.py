"""What a node carries of each budget (8b-8d): of a placement, and at most."""

import math
from dataclasses import dataclass
from typing import Literal

from optmodel.milp.count.variables import layers, transitions
from optmodel.placement import Placement, evaluate
from optmodel.problem import TRANSFERS, Node, Problem

BudgetKind = Literal["memory", "compute", "bandwidth"]


@dataclass(frozen=True)
class BudgetMeaning:
    """One kind of budget."""

    equation: str
    """Its number in the paper."""
    field: str
    """Field of `Node` that holds it."""
    unit: str
    """Of its amounts."""

    def of(self, node: Node) -> int:
        """Return the budget of a node in whole units, as loads are whole."""
        budget: float = getattr(node, self.field)
        return math.floor(budget)


BUDGETS: dict[BudgetKind, BudgetMeaning] = {
    "memory": BudgetMeaning("8b", "memory_bytes", "bytes"),
    "compute": BudgetMeaning("8c", "compute_budget_mult", "multiplications"),
    "bandwidth": BudgetMeaning("8d", "bandwidth_budget_bits", "bits"),
}

Loads = dict[BudgetKind, list[int]]


def most_loads(problem: Problem) -> Loads:
    """Return the load of each node if it held as much of every layer as the caps allow."""
    loads: Loads = {kind: [0] * len(problem.node_ids) for kind in BUDGETS}
    for _, _, layer in layers(problem):
        for i in layer.hosts:
            loads["memory"][i] += layer.weight_bytes * layer.cap
            loads["compute"][i] += layer.multiplications * layer.cap
    for transfer in TRANSFERS:
        for _, _, layer, following in transitions(problem, transfer):
            # Who holds anything of a layer that broadcasts sends sums for every map.
            maps = following.segments if transfer == "broadcast" else layer.cap
            for i in layer.hosts:
                # A node that alone computes what follows sends nothing.
                if following.hosts != (i,):
                    loads["bandwidth"][i] += layer.output_bits * maps
    return loads


def placed_loads(problem: Problem, placement: Placement) -> Loads:
    """Return the load of each node under a placement, exactly."""
    load: list[list[int]] = evaluate(problem, placement).load.tolist()
    return dict(zip(BUDGETS, load, strict=True))
