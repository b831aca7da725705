"""What every node still has to give: memory, computation and bandwidth, in whole units."""

from dataclasses import dataclass

import numpy as np

from optmodel.problem.arrays import BUDGET_FIELDS, IntArray, LayerTask, Problem, RequestTask
from optmodel.problem.instance import Instance

UNITS = ("bytes of memory (8b)", "multiplications (8c)", "bits of bandwidth (8d)")


@dataclass(eq=False)
class BudgetLedger:
    """Remaining budgets of all nodes; loads are whole numbers, so budgets are rounded down."""

    left: IntArray
    """What is left of 8b, 8c and 8d; shape (3, nodes)."""

    @classmethod
    def of(cls, problem: Problem) -> "BudgetLedger":
        """Return the full budgets of a problem."""
        return cls(problem.whole_budgets.copy())

    @property
    def memory_bytes(self) -> IntArray:
        """What is left of 8b, shape (nodes,), a view."""
        units: IntArray = self.left[0]
        return units

    @property
    def compute_mult(self) -> IntArray:
        """What is left of 8c, shape (nodes,), a view."""
        units: IntArray = self.left[1]
        return units

    @property
    def bandwidth_bits(self) -> IntArray:
        """What is left of 8d, shape (nodes,), a view."""
        units: IntArray = self.left[2]
        return units

    def copy(self) -> "BudgetLedger":
        """Return an independent copy, to go back to when a request is rejected."""
        return BudgetLedger(self.left.copy())

    def has_room(self, load: IntArray) -> bool:
        """Tell whether a load of shape (3, nodes) fits."""
        return bool((load <= self.left).all())

    def reserve(self, load: IntArray) -> None:
        """Take a load off what is left."""
        self.left -= load

    def release(self, load: IntArray) -> None:
        """Give a load back."""
        self.left += load

    def describe_shortage(self, problem: Problem, load: IntArray) -> str:
        """Say where a load does not fit."""
        kind, node = np.argwhere(load > self.left)[0].tolist()
        return (
            f"'{problem.node_ids[node]}' has {self.left[kind, node]:,} {UNITS[kind]}, "
            f"the placement takes {load[kind, node]:,}"
        )


def how_many_fit(left: IntArray, layer: LayerTask) -> IntArray:
    """Return how many segments of a layer each node can hold by 8b, 8c and 8f, shape (nodes,).

    Parameters
    ----------
    left : ndarray of int, shape (3, nodes)
        What each node has left, none of it negative.
    layer : LayerTask
        Held by any of these nodes.
    """
    most = np.full(left.shape[1], layer.cap)
    # An act or pool takes nothing of either budget.
    for need, budget in zip((layer.weight_bytes, layer.multiplications), left[:2], strict=True):
        if need:
            most = np.minimum(most, budget // need)
    return most


def remaining_instance(problem: Problem, task: RequestTask, left: BudgetLedger) -> Instance:
    """Return the instance of one request on what is left of the budgets."""
    helpers = problem.helpers
    nodes = [
        node.model_copy(update=dict(zip(BUDGET_FIELDS, map(float, budgets), strict=True)))
        for node, budgets in zip(problem.instance.nodes, left.left.T.tolist(), strict=True)
    ]
    changes = {
        "devices": tuple(nodes[:helpers]),
        "sources": tuple(nodes[helpers:]),
        "requests": (task.request,),
    }
    return problem.instance.model_copy(update=changes)
