"""Algorithm 1 of the paper, the online greedy, on runs of segments instead of single ones."""

from functools import partial

from optmodel.online.filling import fill
from optmodel.online.least_nrm import LeastNrm, NrmWeights
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, Problem, RequestTask


class Algorithm1:
    """Places each segment on the node of least nrm, as the paper prints it.

    docs/reading.md lists how the printed listing is read. Runs of segments are placed at once: a
    node keeps the least nrm until it cannot take another segment, for what it receives lowers the
    bandwidth of the senders other than itself, which raises their nrm, and no node's falls.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    weights : NrmWeights, optional
        alpha and beta of nrm.
    """

    def __init__(self, *, seed: int = 0, weights: NrmWeights | None = None) -> None:
        self.weights = weights or NrmWeights()

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request (lines 6-26), or name the layer and the condition that failed."""
        return fill(problem, left, task, partial(LeastNrm, self.weights))
