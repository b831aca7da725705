"""What every node still has to give: memory, computation and bandwidth, in whole units."""

from dataclasses import dataclass

import numpy as np

from optmodel.problem import FloatArray, IntArray, Problem


@dataclass(eq=False)
class Ledger:
    """Remaining budgets of all nodes; loads are whole numbers, so budgets are rounded down.

    Attributes
    ----------
    memory_bytes, compute_mult, bandwidth_bits : ndarray of int, shape (nodes,)
        What is left of 8b, 8c and 8d.
    """

    memory_bytes: IntArray
    compute_mult: IntArray
    bandwidth_bits: IntArray

    @classmethod
    def of(cls, problem: Problem) -> "Ledger":
        """Return the full budgets of a problem."""
        return cls(
            _whole(problem.memory),
            _whole(problem.compute_budget),
            _whole(problem.bandwidth_budget),
        )

    def copy(self) -> "Ledger":
        """Return an independent copy, to go back to when a request is rejected."""
        return Ledger(
            self.memory_bytes.copy(), self.compute_mult.copy(), self.bandwidth_bits.copy()
        )


def _whole(budget: FloatArray) -> IntArray:
    return np.floor(budget).astype(np.int64)
