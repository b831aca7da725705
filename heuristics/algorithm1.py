"""Algorithm 1 of the paper, the online greedy, on runs of segments instead of single ones."""

from dataclasses import dataclass

import numpy as np

from heuristics.filling import Offer, fill
from heuristics.ledger import Ledger
from optmodel.placement import RequestPlacement
from optmodel.problem import Problem, RequestTask
from optmodel.solution import Rejection

BITS_PER_MEGABIT = 1e6


@dataclass(frozen=True)
class Weights:
    """Weights of nrm(j) = alpha · t(j) + beta / b_j, with t in seconds and b_j in megabits.

    The paper fixes 0.7 and 0.3 and gives no units.
    """

    alpha: float = 0.7
    beta: float = 0.3


class Algorithm1:
    """Places each segment on the node of least nrm, as the paper prints it.

    Places exactly what `heuristics.plain_algorithm1` places, which lists how the printed listing
    is read. It is faster because a node keeps the least nrm until it cannot take another segment:
    what it receives lowers the bandwidth of the senders other than itself, which raises their nrm
    and no node's falls. So segments with equal senders are placed in runs.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    weights : Weights, optional
        alpha and beta of nrm.
    """

    def __init__(self, *, seed: int = 0, weights: Weights | None = None) -> None:
        self.weights = weights or Weights()

    def place(
        self, problem: Problem, task: RequestTask, left: Ledger
    ) -> RequestPlacement | Rejection:
        """Place one request (lines 6-26), or name the layer and the condition that failed."""
        return fill(problem, left, task, self._least_nrm)

    def _least_nrm(self, offer: Offer) -> tuple[int, int]:
        """Fill the host of least nrm among those with room (lines 9-19); ties to the lowest."""
        with np.errstate(divide="ignore"):
            megabits = offer.ledger.bandwidth_bits[offer.hosts] / BITS_PER_MEGABIT
            scarcity = self.weights.beta / megabits
        nrm = self.weights.alpha * offer.segment_s + scarcity
        fits = np.flatnonzero(offer.most)
        best = int(fits[np.argmin(nrm[fits])])
        return best, int(offer.most[best])
