"""The default policy: optimal where budgets allow, a look ahead over the stages where they bind."""

from collections.abc import Iterator

import numpy as np

from heuristics.algorithm1 import Algorithm1
from heuristics.ledger import Ledger
from heuristics.stage_paths import KnownPath, StagePaths
from optmodel.columns.spread import Spreader
from optmodel.evaluate import evaluate_request
from optmodel.placement import RequestPlacement
from optmodel.problem import FloatArray, Problem, RequestTask
from optmodel.solution import Rejection
from optmodel.stages.assemble import Assembler

SCARCITY = (0.0, 0.01, 0.1, 1.0)
"""What using up all that is left of a budget is made to cost, in latencies of the request."""


class Lookahead:
    """Places each request on its best path over the stages, or as near to it as budgets allow.

    Where the budgets left allow the best path, the placement is optimal (within
    `stage_paths.TOLERANCE`) for the request as it comes. Otherwise placements are constructed
    within what is left, stage by stage: each stage balances the load of its layers and counts what
    its slowest sender costs all later stages. Several prices on scarce budgets are tried, Algorithm
    1 last, and the fastest placement is taken.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    paths : StagePaths, optional
        Solved paths to share with others.
    """

    def __init__(self, *, seed: int = 0, paths: StagePaths | None = None) -> None:
        self.paths = paths or StagePaths()
        self._last_resort = Algorithm1()

    def place(
        self, problem: Problem, task: RequestTask, left: Ledger
    ) -> RequestPlacement | Rejection:
        """Place one request, or say why not even Algorithm 1 finds a placement."""
        if task.unattainable:
            return self._last_resort.place(problem, task, left)
        known = self.paths.find(problem, task)
        best = _on_the_path(problem, task, known, left)
        if best is not None:
            return best
        otherwise = self._last_resort.place(problem, task, left.copy())
        found = [*_within(problem, task, known, left)]
        if isinstance(otherwise, RequestPlacement):
            found.append(otherwise)
        if not found:
            return otherwise
        return min(found, key=lambda placed: evaluate_request(problem, task, placed).latency_s)


def _on_the_path(
    problem: Problem, task: RequestTask, known: KnownPath, left: Ledger
) -> RequestPlacement | None:
    """Return the placement of the best path, on the nodes with most left, if that fits."""
    if known.path.value is None:
        return None
    deal = Assembler(known.requests.fleet)
    deal.load[:, :-1] = 1 - _shares_left(problem, left)[:, : problem.helpers]
    placed = known.requests.for_member(
        task, deal.place(known.requests.task, known.path), len(problem.node_ids)
    )
    return placed if left.has_room(evaluate_request(problem, task, placed).load) else None


def _shares_left(problem: Problem, left: Ledger) -> FloatArray:
    """Return what is left of each budget as a share of it, shape (3, nodes)."""
    budgets = Ledger.of(problem).left
    return np.divide(left.left, budgets, out=np.zeros(budgets.shape), where=budgets > 0)


def _within(
    problem: Problem, task: RequestTask, known: KnownPath, left: Ledger
) -> Iterator[RequestPlacement]:
    """Yield placements constructed within what is left, at several prices."""
    where = [*range(problem.helpers), task.source]
    room = left.left[:, where].astype(float)
    bound_s = known.bound_s or 0.0
    price = np.divide(bound_s, room, out=np.zeros(room.shape), where=room > 0)
    price[:, -1] = 0.0
    spreader = Spreader(known.requests.problem)
    for scarcity in SCARCITY:
        placement = spreader.place(room, scarcity * price, scarcity * price)
        if placement is None:
            continue
        placed = known.requests.for_member(task, placement, len(problem.node_ids))
        if left.has_room(evaluate_request(problem, task, placed).load):
            yield placed
