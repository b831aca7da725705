"""Where a request runs next: the policy asked, its answer checked, a bound beside it."""

import logging
from dataclasses import replace

from heuristics.policy import PlacementPolicy, paths_of, place_one
from heuristics.scheduler.decision import Cause, SchedulerDecision
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks
from heuristics.scheduler.present_fleet import PresentFleet
from heuristics.scheduler.waiting_line import RequestKind, kind_of
from optmodel.ground.rule_errors import ResultError
from optmodel.online import KnownPaths
from optmodel.placement import Rejection
from optmodel.problem import Node, Request

logger = logging.getLogger(__name__)


class RequestPlacer:
    """Places requests on what the books leave; see `OnlineScheduler`.

    Parameters
    ----------
    paths : KnownPaths, optional
        Solved paths, for bounds; those of the policy if it has some.
    """

    def __init__(
        self, policy: PlacementPolicy, paths: KnownPaths | None = None, tolerant: bool = True
    ) -> None:
        self._tolerant = tolerant
        self._policy, self._paths = policy, paths or paths_of(policy)
        self._bounded: PresentFleet | None = None
        self._bounds: dict[RequestKind, float | None] = {}

    def place(self, books: FleetBooks, request: Request, arrival: int) -> BookEntry | Rejection:
        """Ask the policy for a place on what is left.

        A placement that breaks a limit is no place: it is refused with the limit as the reason.

        Raises
        ------
        ResultError
            If the policy is at fault and that is not tolerated.
        """
        present = books.present
        if not present.fleet.devices:
            return Rejection(request=request.id, condition="no device is present")
        task = present.task(request)
        try:
            answer = place_one(present.problem, self._policy, task, books.left)
        except ResultError as error:
            if not self._tolerant:
                raise
            logger.warning("%s", error)
            return Rejection(request=request.id, condition=f"the policy is at fault: {error}")
        if isinstance(answer, Rejection):
            return answer
        return BookEntry.of(request, arrival, answer, self.bound_s(present, request) or 0.0)

    def bound_s(self, present: PresentFleet, request: Request) -> float | None:
        """Bound the latency on full budgets: reservations only restrict."""
        # On other devices bounds are others: lower with one that joined.
        if present is not self._bounded:
            self._bounded, self._bounds = present, {}
        kind = kind_of(request)
        if kind not in self._bounds:
            task = present.task(request)
            possible = present.fleet.devices and not task.unattainable
            bound_s = self._paths.find(present.problem, task).bound_s if possible else None
            self._bounds[kind] = bound_s
        return self._bounds[kind]

    def rejected(
        self, books: FleetBooks, request: Request, cause: Cause, rejection: Rejection, waits: bool
    ) -> SchedulerDecision:
        """Return the decision that a request has no place."""
        return SchedulerDecision(
            request=request.id,
            cause=cause,
            bound_s=self.bound_s(books.present, request),
            rejection=rejection,
            waits=waits,
        )

    def joined(self, books: FleetBooks, device: Node) -> FleetBooks:
        """Return the books with one device more, on which what runs could be faster: new bounds."""
        books = books.on(books.present.joined_by(device))
        for one in [*books.running.values()]:
            books.remove(one.request.id)
            bound_s = self.bound_s(books.present, one.request) or 0.0
            books.enter(replace(one, bound_s=bound_s))
        return books

    def retried(self, books: FleetBooks) -> tuple[SchedulerDecision, ...]:
        """Try the requests that wait, in order of arrival; return what became of them.

        What equals a request that has just failed is not tried: there is no more room than then.
        Nor is one from another camera, if it failed among the helpers; nor what is proven to have
        no place on the devices present, whatever they are freed of.
        """
        retried, full, present = [], set(), books.present
        for one in books.waiting.first_of_each_kind():
            asked = one.request.network, one.request.tolerated_ssim
            proven = self.bound_s(present, one.request) is None
            unattainable = proven and present.excludes(one.request)
            # Without a bound even an idle fleet has no place for it.
            if asked in full or (proven and not unattainable):
                continue
            answer = self.place(books, one.request, one.arrival)
            if isinstance(answer, BookEntry):
                books.wait_no_longer(one)
                books.enter(answer)
                retried.append(answer.decision(present, "retried"))
            elif unattainable:
                # It came when no device was present, and nobody could tell.
                books.wait_no_longer(one)
                books.is_gone(one.request.id)
                books.count(unserved=1)
                retried.append(self.rejected(books, one.request, "retried", answer, waits=False))
            elif present.failed_among_helpers(one.request, answer):
                full.add(asked)
        return tuple(retried)
