"""Where every exact method starts: the placement of the default heuristic."""

from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.lookahead import LookaheadPolicy
from optmodel.placement import Placement, RequestPlacement, evaluate_request
from optmodel.problem import BudgetLedger
from optmodel.search import Search

START_SHARE = 0.5
"""Share of the time limit for the start."""


def offer_start(search: Search) -> None:
    """Offer what `lookahead` places, request by request; after its time, Algorithm 1 goes on."""
    problem, allowance = search.problem, search.allowance(START_SHARE)
    policy, left = LookaheadPolicy(allowance=allowance), BudgetLedger.of(problem)
    thrifty = Algorithm1()
    placed: dict[str, RequestPlacement] = {}
    for task in problem.tasks:
        if search.left_s <= 0:
            break
        # In milliseconds: a start that serves all is worth more than one that is fast.
        decides = thrifty if allowance.over else policy
        # A copy, as even a rejection charges the ledger that it is given.
        answer = decides.place(problem, task, left.copy())
        if isinstance(answer, RequestPlacement):
            placed[task.request.id] = answer
            left.reserve(evaluate_request(problem, task, answer).load)
        elif search.options.admission == "all":
            break  # Without one request there is no placement of all.
    search.offer(Placement(placed))
