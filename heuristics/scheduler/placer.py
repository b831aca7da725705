"""Where a request runs next: the policy asked, its answer checked, a bound beside it."""

import logging

from heuristics.policy import PlacementPolicy, paths_of, place_one
from heuristics.scheduler.books import BookEntry, FleetBooks
from heuristics.scheduler.present import PresentFleet
from heuristics.scheduler.waiting import Kind, kind_of
from optmodel.ground.rule_errors import ResultError
from optmodel.online import StagePaths
from optmodel.placement import Rejection
from optmodel.problem import Request

logger = logging.getLogger(__name__)


class RequestPlacer:
    """Places requests on what the books leave.

    Parameters
    ----------
    policy : PlacementPolicy
        Who decides.
    paths : StagePaths, optional
        Solved paths to share with others, for bounds; those of the policy if it has some.
    tolerant : bool
        Whether a policy at fault costs it the request only; else its fault is raised.
    """

    def __init__(
        self, policy: PlacementPolicy, paths: StagePaths | None = None, tolerant: bool = True
    ) -> None:
        self._tolerant = tolerant
        self._policy, self._paths = policy, paths or paths_of(policy)
        self._bounded: PresentFleet | None = None
        self._bounds: dict[Kind, float | None] = {}

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
        if present is not self._bounded:
            self._bounded, self._bounds = present, {}
        kind = kind_of(request)
        if kind not in self._bounds:
            task = present.task(request)
            possible = present.fleet.devices and not task.unattainable
            bound_s = self._paths.find(present.problem, task).bound_s if possible else None
            self._bounds[kind] = bound_s
        return self._bounds[kind]

    def joined(self, books: FleetBooks, present: PresentFleet) -> FleetBooks:
        """Return the books on more devices, where what runs could be faster: with new bounds."""
        books = books.on(present)
        for one in [*books.running.values()]:
            books.remove(one.request.id)
            books.enter(one.bounded(self.bound_s(present, one.request) or 0.0))
        return books
