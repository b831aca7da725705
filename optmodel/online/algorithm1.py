"""Algorithm 1 of the paper, the online greedy, on runs of segments instead of single ones."""

from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heapreplace
from math import inf

import numpy as np

from optmodel.online.layer_filler import ArrivalSenders, LayerFiller, OpenLayer, fill
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, FloatArray, IntArray, Problem, RequestTask

BITS_PER_MEGABIT = 1e6


@dataclass(frozen=True)
class NrmWeights:
    """Weights of nrm(j) = alpha · t(j) + beta / b_j, with t in seconds and b_j in megabits.

    The paper fixes 0.7 and 0.3 and gives no units. Neither may be negative.
    """

    alpha: float = 0.7
    beta: float = 0.3

    def nrm(self, segment_s: FloatArray, bandwidth_bits: IntArray) -> FloatArray:
        """Return nrm of nodes (line 17), infinite where no bandwidth is left."""
        scarcity = np.full(len(segment_s), inf)
        megabits = bandwidth_bits / BITS_PER_MEGABIT
        np.divide(self.beta, megabits, out=scarcity, where=megabits > 0)
        nrm: FloatArray = self.alpha * segment_s + scarcity
        return nrm


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
        return fill(problem, left, task, partial(_LeastNrm, self.weights))


class _LeastNrm(LayerFiller):
    """Gives segments to the host of least nrm that has room, ties to the lowest (lines 9-19).

    Hosts differ in nrm by computation and bandwidth, and all of them receive from the slowest
    sender, which alone hears the next slowest. While a layer is placed bandwidth only falls, so
    that nrm only rises, and a full host stays full. So hosts wait in a heap for each time of
    reception, whose top is brought up to date before it is taken.
    """

    def __init__(self, weights: NrmWeights, layer: OpenLayer) -> None:
        super().__init__(layer)
        self.weights = weights
        self._heaps: dict[float, list[tuple[float, int]]] = {}

    def choose(self, senders: ArrivalSenders, left: int) -> tuple[int, int] | None:
        """Return the host of least nrm that has room, and as many blocks as it may take."""
        best = self._choose(senders)
        return None if best is None else (best, self.most(best, senders, left))

    def _choose(self, senders: ArrivalSenders) -> int | None:
        """Return the host of least nrm among those with room that the senders can afford to reach.

        One that is short of bandwidth can still keep what it has, if it is the only one.
        """
        if senders.affords < 1:
            at = self.place_of.get(senders.scarcest)
            others_can = senders.affordable(senders.scarcest) >= 1
            return at if at is not None and self.room[at] and others_can else None
        least = self._least(senders, senders.slowest_s)
        spared = self.place_of.get(senders.slowest)
        if least is None or spared is None or not self.room[spared]:
            return least and least[1]
        # The slowest sender is in the heap as if it heard itself: its own nrm is less than that.
        return min(least, (self._nrm(spared, senders, senders.next_s), spared))[1]

    def _least(self, senders: ArrivalSenders, received_s: float) -> tuple[float, int] | None:
        """Return the least nrm of a host with room, and the host; None if all are full."""
        if received_s not in self._heaps:
            self._heaps[received_s] = self._heap(received_s)
        heap = self._heaps[received_s]
        while heap:
            known, at = heap[0]
            if not self.room[at]:
                heappop(heap)
                continue
            nrm = self._nrm(at, senders, received_s)
            # Exact comparison is safe: what differs is put back, and is the same the next time.
            if nrm == known:
                return heap[0]
            heapreplace(heap, (nrm, at))
        return None

    def _heap(self, received_s: float) -> list[tuple[float, int]]:
        """Return the hosts by their nrm before the arrival that is being placed, or above it."""
        bandwidth = np.array(self.bits)[list(self.nodes)]
        nrm = self.weights.nrm(received_s + np.array(self.computing_s), bandwidth)
        heap = list(zip(nrm.tolist(), range(len(nrm)), strict=True))
        heapify(heap)
        return heap

    def _nrm(self, at: int, senders: ArrivalSenders, received_s: float) -> float:
        # In plain numbers: for one node at a time, arrays are slow.
        bits = senders.bandwidth(self.nodes[at])
        scarcity = self.weights.beta / (bits / BITS_PER_MEGABIT) if bits else inf
        return self.weights.alpha * (received_s + self.computing_s[at]) + scarcity
