"""Place requests that a batch leaves out, moving a few others where that makes room."""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from optmodel.batch import MOST_OUT, SCALES, NoRoom, PlacedBatch, constructions, scarcity
from optmodel.limits import most_served
from optmodel.online import LookaheadPolicy
from optmodel.placement import CostedPlacement, Placement, Rejection, classes_of
from optmodel.problem import BudgetLedger, Problem, RequestTask

Find = Callable[[RequestTask], CostedPlacement | None]
TRIES = 30
"""Random sets of requests that are moved for one that has no room."""


def insertions(
    problem: Problem, placement: Placement, seed: int, deadline: float
) -> Iterator[Placement]:
    """Yield placements of more and more requests; none that is served is dropped.

    Parameters
    ----------
    problem : Problem
        The batch.
    placement : Placement
        Where the served requests are.
    seed : int
        Of the requests that are moved.
    deadline : float
        `time.perf_counter()` after which no further try begins.
    """
    waiting = [t for t in problem.tasks if t.request.id not in placement.requests]
    waiting = [task for task in waiting if not task.unattainable]
    most = most_served(problem) if waiting else 0
    if len(placement.requests) >= most:
        return
    insertion = _Insertion(problem, placement, seed, deadline)
    for task in waiting:
        if insertion.insert(task):
            placement = insertion.batch.placement()
            yield placement
        if len(placement.requests) >= most:
            return
    for construction in constructions(problem, "most"):
        if construction.placement.requests.keys() > placement.requests.keys():
            placement = construction.placement
            yield placement
        if time.perf_counter() >= deadline:
            return


class _Insertion:
    def __init__(self, problem: Problem, placement: Placement, seed: int, deadline: float) -> None:
        self.deadline = deadline
        self.batch = PlacedBatch(problem, classes_of(problem))
        self.batch.adopt(placement)
        self.policy = LookaheadPolicy()
        self.prices = [scarcity(problem, scale) for scale in sorted(SCALES)]
        self.random = np.random.default_rng(seed)

    def insert(self, task: RequestTask) -> bool:
        """Place one more request where it fits, or in the place of others that fit elsewhere."""
        if self._place([task]):
            return True
        members = [m for _, m in self.batch.order if m.request.id in self.batch.placed]
        for _ in range(TRIES if members else 0):
            if time.perf_counter() >= self.deadline:
                return False
            number = int(self.random.integers(1, min(len(members), MOST_OUT) + 1))
            drawn = self.random.choice(len(members), number, replace=False)
            if self._move([members[i] for i in drawn], task):
                return True
        return False

    def _move(self, members: Sequence[RequestTask], task: RequestTask) -> bool:
        """Place a request, then these ones anew; undo it if one of them has no room."""
        old = [(member, self.batch.take_back(member)) for member in members]
        if self._place([task, *members]):
            return True
        for member, placed in old:
            self.batch.put(member, placed)
        return False

    def _place(self, members: Sequence[RequestTask]) -> bool:
        """Place requests in one of two ways; False, with none placed, if one has no room."""
        return any(self._placed(members, find) for find in (self._constructed, self._decided))

    def _placed(self, members: Sequence[RequestTask], find: Find) -> bool:
        """Place requests one after another; False, with none placed, if one has no room."""
        done: list[RequestTask] = []
        for member in members:
            found = find(member)
            if found is None:
                for placed in done:
                    self.batch.take_back(placed)
                return False
            self.batch.put(member, found)
            done.append(member)
        return True

    def _constructed(self, member: RequestTask) -> CostedPlacement | None:
        """Return the placement at the lowest prices at which there is room."""
        requests = self.batch.class_of(member)
        for prices in self.prices:
            found = self.batch.find(requests, member, prices)
            if not isinstance(found, NoRoom):
                return found
        return None

    def _decided(self, member: RequestTask) -> CostedPlacement | None:
        """Return what the look ahead decides, which also knows the best paths over stages."""
        left = BudgetLedger(self.batch.left.astype(np.int64))
        answer = self.policy.place(self.batch.problem, member, left)
        if isinstance(answer, Rejection):
            return None
        requests = self.batch.class_of(member)
        return requests.costed(requests.from_member(member, answer))
