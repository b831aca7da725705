"""The move `insert`: place a request that was left out, moving a few others to make room."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import numpy as np

from optmodel.batch.moves.batch_construction import scarcity
from optmodel.batch.placed_batch import FindPlace, PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import CostedPlacement, Placement
from optmodel.problem import RequestTask
from optmodel.search import Allowance


class RequestInsertion:
    """Inserts requests into a batch; none that is served is dropped.

    Parameters
    ----------
    batch : PlacedBatch
        With the served requests.
    random : Generator
        Draws who is moved.
    most_out : int
        Requests that are moved at a time, at most.
    find_place : callable, optional
        Is asked where constructions find no place.
    """

    def __init__(
        self,
        batch: PlacedBatch,
        random: np.random.Generator,
        most_out: int,
        find_place: FindPlace | None = None,
    ) -> None:
        self.batch, self.random, self.most_out = batch, random, most_out
        # The lowest first: the lower the prices, the faster the request.
        self.prices = [scarcity(batch.problem, scale) for scale in sorted(batch.options.scales)]
        self._find = [self._constructed] if find_place is None else [self._constructed, find_place]

    def insert(self, task: RequestTask, tries: int, may_go_on: Callable[[], bool]) -> bool:
        """Place one more request where it fits, or in the place of others that fit elsewhere."""
        if self._place([task]):
            return True
        members = self.batch.served
        for _ in range(tries if members else 0):
            if not may_go_on():
                return False
            number = int(self.random.integers(1, min(len(members), self.most_out) + 1))
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
        return any(self.batch.place_all(members, find) for find in self._find)

    def _constructed(self, member: RequestTask) -> CostedPlacement | None:
        """Return the placement at the lowest prices at which there is room."""
        requests = self.batch.class_of(member)
        found = (self.batch.find(requests, member, prices) for prices in self.prices)
        return next((placed for placed in found if placed is not None), None)


class InsertedRequests:
    """Inserts one request that is left out, each turn; only where admission asks for most."""

    has_news = False

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench, self.random = bench, bench.random("insert")
        self._requests = cycle(task for _, task in bench.empty().order)

    @property
    def turns_per_pass(self) -> int:
        """As many as requests are left out."""
        return max(len(self.bench.problem.tasks) - self.bench.search.served, 1)

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield the incumbent with the next request that it leaves out, if there is room."""
        search = self.bench.search
        if search.options.admission == "all" or search.served >= search.most_served:
            return
        batch = self.bench.standing()
        # The waiting request is to be placed too, and prices are to count with it.
        batch.expected += 1
        waiting = (task for task in self._requests if task.request.id not in batch.placed)
        insertion = RequestInsertion(batch, self.random, self.bench.options.recreate.most_out)
        tries = self.bench.options.insert_tries
        if insertion.insert(next(waiting), tries, lambda: not allowance.over):
            yield batch.placement()
