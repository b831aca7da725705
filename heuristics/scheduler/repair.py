"""Move what one node computed to one other node, and leave all else where it is."""

import numpy as np

from optmodel.placement import Flows, RequestPlacement, evaluate_request
from optmodel.problem import BudgetLedger, IntArray, Problem, RequestTask

MOST_IN_USE = 16
"""Of the helpers that compute a part of a request already, so many are tried in the place of a lost
one: those that would be done with it soonest."""


def repaired(
    problem: Problem, task: RequestTask, placed: RequestPlacement, lost: int, left: BudgetLedger
) -> RequestPlacement | None:
    """Return the fastest of the likeliest placements with another helper in a lost one's place.

    None if no helper has room within the caps (8f). The lost helper is still a node of the problem
    and of the placement; nothing is left of its budgets.
    """
    best, least_s = None, np.inf
    for node in _substitutes(problem, task, placed, lost, left):
        moved = _with_substitute(placed, lost, node)
        evaluation = evaluate_request(problem, task, moved)
        # Strictly: of equally fast ones the first, so that equal runs agree.
        if evaluation.latency_s < least_s and left.has_room(evaluation.load):
            best, least_s = moved, evaluation.latency_s
    return best


def _substitutes(
    problem: Problem, task: RequestTask, placed: RequestPlacement, lost: int, left: BudgetLedger
) -> list[int]:
    """Return helpers worth trying: those in use, and of equal idle ones the first with room.

    An idle helper would take exactly the load of the lost one. Any helper may compute what a
    helper computed (8h), and the first fc moves as a whole (8g). One in use may save sending, so
    only its memory and computation are certain to grow by the lost one's.
    """
    counts = placed.counts
    at = np.flatnonzero(counts[:, lost])
    caps = np.array([task.layers[k].cap for k in at])
    together = counts[at] + counts[at, lost][:, np.newaxis]
    allowed = (together <= caps[:, np.newaxis]).all(axis=0)
    allowed[lost] = False
    allowed[problem.helpers :] = False
    load = evaluate_request(problem, task, placed).load
    busy = counts.any(axis=0)
    # Beside what the request keeps, an idle one takes what the lost one did.
    room = left.left - load >= load[:, [lost]]
    idle = np.flatnonzero(allowed & ~busy & room.all(axis=0))
    kinds = np.stack([problem.speed[idle], problem.rate[idle]])
    # Idle helpers of equal speed and rate are equally fast: the first of them stands for all.
    firsts = idle[np.unique(kinds, axis=1, return_index=True)[1]]
    in_use = np.flatnonzero(allowed & busy & room[:2].all(axis=0))
    work = np.array([task.layers[k].multiplications for k in at])
    # By computing alone, as a guess: what it receives, and from whom, shows once it is evaluated.
    longest = (together[:, in_use] * work[:, np.newaxis]).max(axis=0) / problem.speed[in_use]
    in_use = in_use[np.argsort(longest, kind="stable")[:MOST_IN_USE]]
    return sorted([*in_use.tolist(), *firsts.tolist()])


def _with_substitute(placed: RequestPlacement, lost: int, node: int) -> RequestPlacement:
    counts, flows = placed.counts.copy(), placed.flows
    counts[:, node] += counts[:, lost]
    counts[:, lost] = 0
    ends = np.stack([flows.sender, flows.receiver])
    ends[ends == lost] = node
    # Flows that end at the same nodes now are one.
    moves, at = np.unique(np.stack([flows.layer, *ends]), axis=1, return_inverse=True)
    maps = np.zeros(moves.shape[1], dtype=np.int64)
    np.add.at(maps, at.ravel(), flows.maps)
    return RequestPlacement(counts, Flows(moves[0], moves[1], moves[2], maps))


def segments_moved(before: IntArray, after: IntArray) -> int:
    """Return how many segments change node; counts of shape (layers, nodes), segments are equal."""
    return int(np.maximum(after - before, 0).sum())
