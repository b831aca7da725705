"""All placements of a batch together: what they load, what is left, what they cost."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.request_spreader import RequestSpreader
from optmodel.batch.options import ConstructOptions
from optmodel.placement import CostedPlacement, Placement, RequestClass
from optmodel.problem import FloatArray, Problem, RequestTask

FindPlace = Callable[[RequestTask], CostedPlacement | None]
"""Finds a place for a request on what is left."""


class PlacedBatch:
    """The requests of a problem, some of them placed, and what is left of the budgets.

    Parameters
    ----------
    problem : Problem
        The whole problem.
    classes : sequence of RequestClass
        Its classes.
    options : ConstructOptions, optional
        Numbers of constructions.
    spreaders : dict of int to RequestSpreader, optional
        Who constructs placements of each class, by its `id`; what they have learnt is shared.

    Attributes
    ----------
    expected : int
        Requests that are to be placed in the end: all of them, unless told otherwise.
    """

    def __init__(
        self,
        problem: Problem,
        classes: Sequence[RequestClass],
        options: ConstructOptions | None = None,
        spreaders: dict[int, RequestSpreader] | None = None,
    ) -> None:
        self.problem = problem
        self.order = _interleaved(classes)
        self._classes = {member.request.id: requests for requests, member in self.order}
        self.options = options or ConstructOptions()
        self.spreaders = spreaders or {
            id(c): RequestSpreader(c.problem, LatencyLadders(self.options)) for c in classes
        }
        self.budgets = problem.whole_budgets.astype(float)
        self.left = self.budgets.copy()
        self.placed: dict[str, CostedPlacement] = {}
        self.expected = len(self.order)

    def where(self, member: RequestTask) -> list[int]:
        """Return the nodes of a member's class problem in the whole problem."""
        return [*range(self.problem.helpers), member.source]

    def class_of(self, member: RequestTask) -> RequestClass:
        """Return the class of a request."""
        return self._classes[member.request.id]

    def put(self, member: RequestTask, placed: CostedPlacement) -> None:
        """Add a placement."""
        self.placed[member.request.id] = placed
        self.left[:, self.where(member)] -= placed.load

    def take_back(self, member: RequestTask) -> CostedPlacement:
        """Remove a placement and return it."""
        placed = self.placed.pop(member.request.id)
        self.left[:, self.where(member)] += placed.load
        return placed

    def adopt(self, placement: Placement) -> None:
        """Add every request of a placement of the whole problem."""
        for requests, member in self.order:
            placed = placement.requests.get(member.request.id)
            if placed is not None:
                self.put(member, requests.costed(requests.from_member(member, placed)))

    def fits(self, member: RequestTask, placed: CostedPlacement) -> bool:
        """Tell whether a placement keeps within what is left."""
        return bool((placed.load <= self.left[:, self.where(member)]).all())

    def find(
        self,
        requests: RequestClass,
        member: RequestTask,
        prices: FloatArray,
        usual_prices: FloatArray | None = None,
    ) -> CostedPlacement | None:
        """Construct a placement within what is left, None where there is no room.

        Each price is raised where more of the budget is used than of the batch is placed, and
        lowered where less is.

        Parameters
        ----------
        requests : RequestClass
            The class.
        member : RequestTask
            One of its members.
        prices : ndarray, shape (3, helpers)
            Seconds per byte, multiplication and bit sent.
        usual_prices : ndarray, shape (3, helpers), optional
            Prices from which the costs of later stages are estimated, once for all requests.
        """
        left = self.left[:, self.where(member)]
        usual = prices if usual_prices is None else usual_prices
        base = np.hstack([usual, np.zeros((3, 1))])
        pace = np.minimum(self._pace(), self.options.most_pace)
        paced = np.hstack([prices * pace**2, np.zeros((3, 1))])
        placement = self.spreaders[id(requests)].place(left, paced, base)
        if placement is None:
            return None
        placed = requests.costed(placement)
        # Stages see to memory and compute; what broadcasts take together is known at the end only.
        return placed if self.fits(member, placed) else None

    def place_all(self, members: Iterable[RequestTask], find: FindPlace) -> bool:
        """Place requests one after another; False, with none placed, if one has no room."""
        done: list[RequestTask] = []
        for member in members:
            found = find(member)
            if found is None:
                for placed in done:
                    self.take_back(placed)
                return False
            self.put(member, found)
            done.append(member)
        return True

    def _pace(self) -> FloatArray:
        """Return the used part of each helper's budgets over the placed part of the batch."""
        # Half a request more in both, so that the first one finds a pace of 1 and no division by 0.
        helpers = self.problem.helpers
        used = 1 - self.left[:, :helpers] / np.maximum(self.budgets[:, :helpers], 1.0)
        pace: FloatArray = (used + 0.5 / self.expected) * self.expected / (len(self.placed) + 0.5)
        return pace

    @property
    def served(self) -> list[RequestTask]:
        """The placed requests; classes take turns."""
        return [member for _, member in self.order if member.request.id in self.placed]

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
    # Member n of m stands in the middle of its m-th part of the order.
    ranked = [
        ((n + 0.5) / len(requests.members), c, n)
        for c, requests in enumerate(classes)
        for n in range(len(requests.members))
    ]
    return [(classes[c], classes[c].members[n]) for _, c, n in sorted(ranked)]
