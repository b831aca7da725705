"""A device goes: what it computed moves, or its requests wait with a reason."""

import numpy as np

from heuristics.scheduler.decision import Cause, SchedulerDecision
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks
from heuristics.scheduler.present_fleet import PresentFleet
from heuristics.scheduler.repair import repaired, segments_moved
from heuristics.scheduler.request_placer import RequestPlacer
from heuristics.scheduler.waiting_line import WaitingRequest
from optmodel.placement import CostedPlacement, Flows, Rejection, RequestPlacement
from optmodel.problem import BudgetLedger


class DeviceDeparture:
    """One device that goes: `books` are those without it, the books before are not changed.

    Parameters
    ----------
    how : str
        "died" or "left", for the reason of a rejection.
    """

    def __init__(self, before: FleetBooks, placer: RequestPlacer, device_id: str, how: str) -> None:
        self._placer, self._reason = placer, f"device '{device_id}' {how}"
        self._before: PresentFleet = before.present
        self._lost = self._before.index[device_id]
        on_it = [one for one in before.running.values() if self._lost in one.nodes]
        self._affected = sorted(on_it, key=lambda one: one.arrival)
        self.books = before.on(self._before.without(device_id))

    def decisions(self) -> list[SchedulerDecision]:
        """Move the requests that ran on the device, in order of arrival."""
        return [self._move(one) for one in self._affected]

    def _move(self, one: BookEntry) -> SchedulerDecision:
        """Put a request elsewhere, or let it wait."""
        # What it keeps on other devices is free for it, too.
        self.books.remove(one.request.id)
        cause: Cause = "repaired"
        after: BookEntry | Rejection | None = self._repaired(one)
        anew = self._placer.place(self.books, one.request, one.arrival)
        if not isinstance(after, BookEntry) or self._is_better(anew, after, one):
            cause, after = "placed anew", anew
        if isinstance(after, Rejection):
            return self._wait(one, cause, after)
        self.books.enter(after)
        moved = self._moved(one, after)
        self.books.count(moved=moved)
        return after.decision(self.books.present, cause, moved)

    def _is_better(self, anew: BookEntry | Rejection, repaired: BookEntry, one: BookEntry) -> bool:
        """Tell whether a request placed anew is faster than repaired, and moves no more."""
        return (
            isinstance(anew, BookEntry)
            and anew.latency_s < repaired.latency_s
            and self._moved(one, anew) <= self._moved(one, repaired)
        )

    def _moved(self, one: BookEntry, after: BookEntry) -> int:
        # Segments are counted where they arrive, those of the lost node with all others.
        here = np.delete(one.placement(self._before).counts, self._lost, axis=1)
        return segments_moved(here, after.placement(self.books.present).counts)

    def _wait(self, one: BookEntry, cause: Cause, rejection: Rejection) -> SchedulerDecision:
        why = f"{self._reason}; {rejection.condition}"
        rejection = rejection.model_copy(update={"condition": why})
        self.books.wait(
            WaitingRequest(request=one.request, arrival=one.arrival, rejection=rejection)
        )
        self.books.count(interrupted=1)
        return self._placer.rejected(self.books, one.request, cause, rejection, waits=True)

    def _repaired(self, one: BookEntry) -> BookEntry | None:
        """Return a request with only the segments of the lost device moved, if one has room.

        Works on the nodes as they were, where the lost one has nothing left.
        """
        room = BudgetLedger(np.insert(self.books.left.left, self._lost, 0, axis=1))
        task = self._before.task(one.request)
        placed = repaired(self._before.problem, task, one.placement(self._before), self._lost, room)
        if placed is None:
            return None
        placed = _without(placed, self._lost)
        present = self.books.present
        task = present.task(one.request)
        costed = CostedPlacement.of(present.problem, task, placed)
        # What bounded it before still does: no fewer devices are faster.
        bound_s = self._placer.bound_s(present, one.request) or one.bound_s
        return BookEntry.of(one.request, one.arrival, costed, bound_s)


def _without(placed: RequestPlacement, node: int) -> RequestPlacement:
    """Return a placement without a node that computes nothing."""
    flows = placed.flows
    # Whoever stands behind the node moves up by one.
    sender, receiver = (end - (end > node) for end in (flows.sender, flows.receiver))
    moved = Flows(flows.layer, sender, receiver, flows.maps)
    return RequestPlacement(np.delete(placed.counts, node, axis=1), moved)
