"""Where a request runs next: the policy asked, its answer checked, a bound beside it."""

import logging

from heuristics.lookahead import Lookahead
from heuristics.policies import make_policy
from heuristics.policy import place_one
from heuristics.scheduler.books import Books, Entry
from heuristics.scheduler.present import Present
from heuristics.stage_paths import StagePaths
from optmodel.instance import Request
from optmodel.problem import RequestTask
from optmodel.solution import Rejection, ResultError

logger = logging.getLogger(__name__)


class Placer:
    """Places requests on what the books leave.

    Parameters
    ----------
    policy : str
        A key of `heuristics.policies.POLICIES`, or the dotted name of a class.
    seed : int
        For policies that draw at random.

    Raises
    ------
    InputError
        If there is no such policy.
    """

    def __init__(self, policy: str, seed: int) -> None:
        self._policy = make_policy(policy, seed)
        self._paths = self._policy.paths if isinstance(self._policy, Lookahead) else StagePaths()

    def place(self, books: Books, request: Request, arrival: int) -> Entry | Rejection:
        """Ask the policy for a place on what is left.

        A placement that breaks a limit is no place: it is refused with the limit as the reason.
        """
        present = books.present
        if not present.fleet.devices:
            return Rejection(request=request.id, condition="no device is present")
        task = present.task(request)
        try:
            answer = place_one(present.problem, self._policy, task, books.left)
        except ResultError as error:
            logger.warning("%s", error)
            return Rejection(request=request.id, condition=f"the policy is at fault: {error}")
        if isinstance(answer, Rejection):
            return answer
        return Entry.of(request, arrival, *answer, self.bound_s(present, task) or 0.0)

    def bound_s(self, present: Present, task: RequestTask) -> float | None:
        """Bound the latency on full budgets: reservations only restrict."""
        if task.unattainable or not present.fleet.devices:
            return None
        return self._paths.find(present.problem, task).bound_s
