"""Where every exact method starts: the placement of the default heuristic."""

from optmodel.online.lookahead import LookaheadPolicy
from optmodel.placement import Placement, RequestPlacement, evaluate_request
from optmodel.problem import BudgetLedger
from optmodel.search import Search

START_SHARE = 0.5
"""Share of the time limit for the start."""


def offer_start(search: Search) -> None:
    """Offer what the look ahead places, request by request, as far as it comes in time."""
    problem, allowance = search.problem, search.allowance(START_SHARE)
    policy, left = LookaheadPolicy(allowance=allowance), BudgetLedger.of(problem)
    placed: dict[str, RequestPlacement] = {}
    for task in problem.tasks:
        if allowance.over:
            break
        answer = policy.place(problem, task, left.copy())
        if isinstance(answer, RequestPlacement):
            placed[task.request.id] = answer
            left.reserve(evaluate_request(problem, task, answer).load)
        elif search.options.admission == "all":
            break
    search.offer(Placement(placed))
