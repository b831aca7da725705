"""All placements of a batch together: what they load, what is left, what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.columns.request_class import RequestClass
from optmodel.columns.spread import Spreader
from optmodel.evaluate import evaluate
from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import FloatArray, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class Placed:
    """One request's placement on the problem of its class.

    Attributes
    ----------
    placement : RequestPlacement
        The placement.
    latency_s : float
        Its latency.
    load : ndarray, shape (3, helpers + 1)
        Bytes, multiplications and bits sent.
    """

    placement: RequestPlacement
    latency_s: float
    load: FloatArray


def measured(requests: RequestClass, placement: RequestPlacement) -> Placed:
    """Evaluate a placement of a class's request."""
    found = evaluate(requests.problem, Placement({requests.task.request.id: placement}))
    load = np.stack([found.memory_bytes, found.compute_mult, found.bandwidth_bits])
    return Placed(placement, found.latency_s, load)


class Batch:
    """The requests of a problem, some of them placed, and what is left of the budgets.

    Parameters
    ----------
    problem : Problem
        The whole problem.
    classes : sequence of RequestClass
        Its classes.
    """

    def __init__(self, problem: Problem, classes: Sequence[RequestClass]) -> None:
        self.problem = problem
        self.order = _interleaved(classes)
        self.spreaders = {id(requests): Spreader(requests.problem) for requests in classes}
        self.left = np.floor(
            np.stack([problem.memory, problem.compute_budget, problem.bandwidth_budget])
        )
        self.placed: dict[str, Placed] = {}

    def where(self, member: RequestTask) -> list[int]:
        """Return the nodes of a member's class problem in the whole problem."""
        return [*range(self.problem.helpers), member.source]

    def put(self, member: RequestTask, placed: Placed) -> None:
        """Add a placement."""
        self.placed[member.request.id] = placed
        self.left[:, self.where(member)] -= placed.load

    def take_back(self, member: RequestTask) -> Placed:
        """Remove a placement and return it."""
        placed = self.placed.pop(member.request.id)
        self.left[:, self.where(member)] += placed.load
        return placed

    def fits(self, member: RequestTask, placed: Placed) -> bool:
        """Tell whether a placement keeps within what is left."""
        return bool((placed.load <= self.left[:, self.where(member)]).all())

    def find(
        self, requests: RequestClass, member: RequestTask, prices: FloatArray
    ) -> Placed | None:
        """Construct a placement within what is left; None if none was found.

        `prices` are those of the helpers, shape (3, helpers).
        """
        left = self.left[:, self.where(member)]
        priced = np.hstack([prices, np.zeros((3, 1))])
        placement = self.spreaders[id(requests)].place(left, priced)
        if placement is None:
            return None
        placed = measured(requests, placement)
        return placed if self.fits(member, placed) else None

    @property
    def complete(self) -> bool:
        """Whether every request is placed."""
        return len(self.placed) == len(self.order)

    @property
    def latency_s(self) -> float:
        """Latency of all placed requests."""
        return sum(placed.latency_s for placed in self.placed.values())

    def placement(self) -> Placement:
        """Return the placed requests as a placement of the whole problem."""
        nodes = len(self.problem.node_ids)
        return Placement(
            {
                member.request.id: requests.for_member(
                    member, self.placed[member.request.id].placement, nodes
                )
                for requests, member in self.order
                if member.request.id in self.placed
            }
        )


def _interleaved(classes: Sequence[RequestClass]) -> list[tuple[RequestClass, RequestTask]]:
    """Return all requests so that at any point each class has had its share."""
    ranked = [
        ((n + 0.5) / len(requests.members), c, n)
        for c, requests in enumerate(classes)
        for n in range(len(requests.members))
    ]
    return [(classes[c], classes[c].members[n]) for _, c, n in sorted(ranked)]
