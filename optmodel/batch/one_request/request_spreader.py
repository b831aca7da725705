"""Place one request on what is left of the budgets: a fast construction, layer after layer.

Maps stay where they are computed from a conv to the next one, and are gathered on one node for a
layer that must be whole. Among these placements each stage takes latencies of its layers, and
then the cheapest nodes in time and in prices of the budgets.
"""

from functools import cached_property

import numpy as np

from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.stage_share import NoRoom, StagePlacement, StageShares
from optmodel.placement import Flows, RequestPlacement
from optmodel.problem import FloatArray, IntArray, Problem, StageCut, broadcast_bits, stage_cuts

MOST_RATES = 6
"""Rates of which each may be the slowest of a stage, thinned out where devices all differ."""

Move = tuple[int, IntArray, IntArray, IntArray]
"""A layer, and who sends how many maps to whom after it."""


class RequestSpreader:
    """Places a request of one problem, again and again.

    Parameters
    ----------
    problem : Problem
        With one request.
    ladders : LatencyLadders, optional
        Limits on latencies to share with others.
    """

    def __init__(self, problem: Problem, ladders: LatencyLadders | None = None) -> None:
        self.problem, self.task = problem, problem.tasks[0]
        self.ladders = ladders or LatencyLadders()
        self.cuts = stage_cuts(self.task)
        self.nodes = len(problem.node_ids)
        self._ahead: tuple[FloatArray, list[dict[float, float]]] | None = None

    def place(
        self, left: FloatArray, prices: FloatArray, base_prices: FloatArray
    ) -> RequestPlacement | NoRoom:
        """Return a placement within what is left of the budgets, or where there was no room.

        Parameters
        ----------
        left : ndarray, shape (3, nodes)
            Bytes, multiplications and bits.
        prices : ndarray, shape (3, nodes)
            Seconds per byte, multiplication and bit sent on each node.
        base_prices : ndarray, shape (3, nodes)
            Those from which the costs of later stages are estimated, once for all requests.
        """
        if self.task.unattainable:
            return NoRoom(self.task.unattainable[0], "8f: no share of its maps is admissible")
        if self._ahead is None or not np.array_equal(self._ahead[0], base_prices):
            self._ahead = base_prices.copy(), self._costs_ahead(base_prices)
        ahead = self._ahead[1]
        counts = np.zeros((len(self.task.layers), self.nodes), dtype=np.int64)
        moves: list[Move] = []
        senders: IntArray = np.zeros(0, dtype=np.int64)
        left = left.copy()
        for k, cut in enumerate(self.cuts):
            share = self._best(cut, senders, left, prices, ahead[k])
            if share is None:
                stage = StageShares(self.problem, cut, senders, left, prices, self.ladders)
                return stage.no_room()
            senders = self._take(cut, share, senders, left, counts, moves)
        return RequestPlacement(counts, Flows.from_moves(moves))

    @cached_property
    def _rates(self) -> list[float]:
        rates = sorted(set(self.problem.rate.tolist()))
        chosen = np.linspace(0, len(rates) - 1, min(len(rates), MOST_RATES)).round()
        return [rates[int(i)] for i in chosen]

    def _costs_ahead(self, prices: FloatArray) -> list[dict[float, float]]:
        """Return per stage what follows it costs, by the rate of its slowest sender, roughly."""
        ahead = [dict.fromkeys(self._rates, 0.0)]
        for cut in self.cuts[:0:-1]:
            found = {}
            for rate in self._rates:
                slowest = np.flatnonzero(self.problem.rate >= rate)
                slowest = slowest[np.argsort(self.problem.rate[slowest], kind="stable")][:2]
                share = self._best(cut, slowest, self.problem.budgets, prices, ahead[0])
                found[rate] = share.cost_s if share else np.inf
            ahead.insert(0, found)
        return ahead

    def _best(
        self,
        cut: StageCut,
        senders: IntArray,
        left: FloatArray,
        prices: FloatArray,
        ahead: dict[float, float],
    ) -> StagePlacement | None:
        """Return the cheapest share of a stage, what follows included; None without room."""
        stage = StageShares(self.problem, cut, senders, left, prices, self.ladders)
        if cut.gathers:
            return stage.gathered(ahead)
        best: StagePlacement | None = None
        for rate in self._rates:
            share = stage.spread(rate)
            if share is not None and (best is None or share.cost_s + ahead[rate] < best.cost_s):
                best = StagePlacement(share.cost_s + ahead[rate], share.counts)
        return best

    def _take(
        self,
        cut: StageCut,
        share: StagePlacement,
        senders: IntArray,
        left: FloatArray,
        counts: IntArray,
        moves: list[Move],
    ) -> IntArray:
        """Write a share down and take its load from what is left; return the new senders."""
        last = self.task.layers[cut.last]
        counts[cut.first : cut.last + 1] = share.counts
        holders = np.flatnonzero(share.counts)
        if share.target is not None:
            counts[cut.last] = 0
            counts[cut.last, share.target] = last.segments
        maps = share.counts[holders]
        for k in range(cut.first, cut.last):
            receivers = holders
            if share.target is not None and k == cut.last - 1:
                receivers = np.full_like(holders, share.target)
                sent = maps * self.task.layers[k].output_bits
                left[2, holders] -= np.where(receivers != holders, sent, 0)
            moves.append((k, holders, receivers, maps))
        here = counts[cut.last]
        left[0] -= here * last.weight_bytes
        left[1] -= here * last.multiplications
        if senders.size:
            bits = self.task.layers[cut.first - 1].output_bits
            left[2, senders] += bits * counts[cut.first, senders]
        active = np.flatnonzero(here)
        left[2, active] -= broadcast_bits(self.task, cut)
        return active
