"""A placement of one request together with what it costs."""

from dataclasses import dataclass

import numpy as np

from optmodel.placement.evaluate import evaluate_request
from optmodel.placement.placement import RequestPlacement, restricted
from optmodel.problem import IntArray, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class CostedPlacement:
    """One request's placement on some nodes, and what it costs there."""

    placement: RequestPlacement
    """Who computes what."""
    latency_s: float
    """Its latency (Eq. 5), in seconds."""
    load: IntArray
    """Bytes, multiplications and bits sent of each node; shape (3, nodes)."""

    @classmethod
    def of(
        cls, problem: Problem, task: RequestTask, placement: RequestPlacement
    ) -> "CostedPlacement":
        """Evaluate a placement of one request."""
        found = evaluate_request(problem, task, placement)
        return cls(placement, found.latency_s, found.load)

    def on_its_nodes(self) -> tuple[IntArray, "CostedPlacement"]:
        """Return the nodes that hold segments, in ascending order, and the same on these alone."""
        nodes = np.flatnonzero(self.placement.counts.any(axis=0))
        parts = restricted(self.placement, nodes)
        return nodes, CostedPlacement(parts, self.latency_s, self.load[:, nodes])
