"""Place anew what runs, where that is faster, with a limit on what may move."""

import numpy as np

from heuristics.scheduler.decision import SchedulerDecision
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks
from heuristics.scheduler.present_fleet import PresentFleet
from heuristics.scheduler.repair import segments_moved
from heuristics.scheduler.request_placer import RequestPlacer
from optmodel.online import TOLERANCE
from optmodel.placement import Rejection


def reoptimised(
    books: FleetBooks, placer: RequestPlacer, most_moves: int
) -> list[SchedulerDecision]:
    """Place running requests anew where that is faster, those of the largest gap first.

    At most `most_moves` segments, over all requests, change node.
    """
    decisions = []
    for one in sorted(books.running.values(), key=lambda one: (-_gap_of(one), one.arrival)):
        if _gap_of(one) <= TOLERANCE:
            break  # Nor has any after it more to gain.
        # Off its nodes first: what it takes there is free for it, too.
        books.remove(one.request.id)
        better = placer.place(books, one.request, one.arrival)
        moved = _moved(books.present, one, better)
        # Go on, even if this one moves too many: one with a smaller gap may move fewer.
        if moved is None or moved > most_moves or isinstance(better, Rejection):
            books.enter(one)
            continue
        most_moves -= moved
        books.enter(better)
        books.count(moved=moved)
        decisions.append(better.decision(books.present, "reoptimised", moved))
    return decisions


def _gap_of(one: BookEntry) -> float:
    # Without a bound, nobody knows how much there is to gain.
    return np.inf if one.gap is None else one.gap


def _moved(present: PresentFleet, one: BookEntry, better: BookEntry | Rejection) -> int | None:
    """Return how many segments move to where a request is faster; None if it is not."""
    if isinstance(better, Rejection) or better.latency_s >= one.latency_s:
        return None
    return segments_moved(one.placement(present).counts, better.placement(present).counts)
