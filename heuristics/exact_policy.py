"""The exact solver as a policy: each request gets the best placement on what is left."""

from optmodel.placement import Rejection, RequestPlacement, read_request
from optmodel.problem import BudgetLedger, Problem, RequestTask, remaining_instance
from optmodel.search import SolverOptions
from optmodel.solving import solve

TIME_LIMIT_S = 60.0
"""For one request; the best placement found by then is taken."""


class ExactPolicy:
    """Solves each request exactly on what the requests before it have left.

    Best for each request, not for the batch: that is what `python -m optmodel` finds.

    Parameters
    ----------
    seed : int
        Of the solver.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.options = SolverOptions(time_limit_s=TIME_LIMIT_S, seed=seed)

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request, or say why it has no placement."""
        remaining = remaining_instance(problem, task, left)
        solution = solve(remaining, "auto", self.options)
        if solution.placement is None:
            why = "; ".join(solution.reasons) or "no placement fits what is left"
            return Rejection(request=task.request.id, condition=why)
        index = {name: i for i, name in enumerate(problem.node_ids)}
        return read_request(task, solution.placement.requests[0], index)
