"""Place requests that a batch leaves out, moving a few others where that makes room."""

import time
from collections.abc import Iterator

import numpy as np

from optmodel.batch import BatchOptions, PlacedBatch, RequestInsertion, constructions
from optmodel.limits import most_served
from optmodel.online import LookaheadPolicy
from optmodel.placement import CostedPlacement, Placement, Rejection, classes_of
from optmodel.problem import BudgetLedger, Problem, RequestTask


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
    # Whatever is moved, no node may host one of their layers.
    waiting = [task for task in waiting if not task.unattainable]
    most = most_served(problem) if waiting else 0
    if len(placement.requests) >= most:
        return
    batch, options = PlacedBatch(problem, classes_of(problem)), BatchOptions()
    batch.adopt(placement)
    policy, random = LookaheadPolicy(), np.random.default_rng(seed)

    def in_time() -> bool:
        """Tell whether another try may begin."""
        return time.perf_counter() < deadline

    def decided(member: RequestTask) -> CostedPlacement | None:
        """Return what `lookahead` decides, which also knows the best paths over stages."""
        # Whole numbers, which a batch keeps as floats: the cast cuts nothing off.
        answer = policy.place(problem, member, BudgetLedger(batch.left.astype(np.int64)))
        if isinstance(answer, Rejection):
            return None
        requests = batch.class_of(member)
        return requests.costed(requests.from_member(member, answer))

    insertion = RequestInsertion(batch, random, options.recreate.most_out, decided)
    for task in waiting:
        # `insert` itself asks only before it moves others.
        if not in_time():
            return
        if insertion.insert(task, options.insert_tries, in_time):
            placement = batch.placement()
            yield placement
        if len(placement.requests) >= most:
            return
    constructed = constructions(problem, "most")
    while in_time() and (construction := next(constructed, None)) is not None:
        # A strict superset: one that serves more, but not all who are served, will not do.
        if construction.requests.keys() > placement.requests.keys():
            placement = construction
            yield placement
