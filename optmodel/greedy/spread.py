"""Place one request on what is left of the budgets: a fast construction, layer after layer.

Maps stay where they are computed from a conv to the next one, and are gathered on one node for a
layer that must be whole. Among these placements each stage takes latencies of its layers, and
then the cheapest nodes in time and in prices of the budgets.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from optmodel.greedy.stage_share import NoRoom, Share, Span, StageShares, fan_out, spans_of
from optmodel.placement import Flows, RequestPlacement
from optmodel.problem import FloatArray, IntArray, Problem

MOST_RATES = 6
"""Rates of which each may be the slowest of a stage, thinned out where devices all differ."""


class Spreader:
    """Places a request of one problem, again and again.

    Parameters
    ----------
    problem : Problem
        With one request.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.task = problem, problem.tasks[0]
        self.spans = spans_of(self.task)
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
        entries: list[tuple[int, int, int, int]] = []
        senders: IntArray = np.zeros(0, dtype=np.int64)
        left = left.copy()
        for k, span in enumerate(self.spans):
            share = self._best(span, senders, left, prices, ahead[k])
            if not np.isfinite(share.cost_s):
                return StageShares(self.problem, self.task, span, senders, left, prices).no_room()
            senders = self._take(span, share, senders, left, counts, entries)
        return RequestPlacement(counts, Flows.from_entries(entries))

    @cached_property
    def _rates(self) -> list[float]:
        rates = sorted(set(self.problem.rate.tolist()))
        chosen = np.linspace(0, len(rates) - 1, min(len(rates), MOST_RATES)).round()
        return [rates[int(i)] for i in chosen]

    def _costs_ahead(self, prices: FloatArray) -> list[dict[float, float]]:
        """Return per stage what follows it costs, by the rate of its slowest sender, roughly."""
        budgets = np.stack(
            [self.problem.memory, self.problem.compute_budget, self.problem.bandwidth_budget]
        )
        ahead = [dict.fromkeys(self._rates, 0.0)]
        for span in self.spans[:0:-1]:
            found = {}
            for rate in self._rates:
                slowest = np.flatnonzero(self.problem.rate >= rate)
                slowest = slowest[np.argsort(self.problem.rate[slowest], kind="stable")][:2]
                found[rate] = self._best(span, slowest, budgets, prices, ahead[0]).cost_s
            ahead.insert(0, found)
        return ahead

    def _best(
        self,
        span: Span,
        senders: IntArray,
        left: FloatArray,
        prices: FloatArray,
        ahead: dict[float, float],
    ) -> Share:
        """Return the cheapest share of a stage, what follows included."""
        return min(self._shares(span, senders, left, prices, ahead), key=lambda share: share.cost_s)

    def _shares(
        self,
        span: Span,
        senders: IntArray,
        left: FloatArray,
        prices: FloatArray,
        ahead: dict[float, float],
    ) -> Iterator[Share]:
        yield Share(np.inf, np.zeros(self.nodes, dtype=np.int64))
        stage = StageShares(self.problem, self.task, span, senders, left, prices)
        if span.gathers:
            yield from stage.gathered(ahead)
            return
        for rate in self._rates:
            share = stage.spread(rate)
            yield Share(share.cost_s + ahead[rate], share.counts)

    def _take(
        self,
        span: Span,
        share: Share,
        senders: IntArray,
        left: FloatArray,
        counts: IntArray,
        entries: list[tuple[int, int, int, int]],
    ) -> IntArray:
        """Write a share down and take its load from what is left; return the new senders."""
        last = self.task.layers[span.last]
        counts[span.first : span.last + 1] = share.counts
        holders = np.flatnonzero(share.counts)
        if share.target is not None:
            counts[span.last] = 0
            counts[span.last, share.target] = last.segments
        for k in range(span.first, span.last):
            to_target = share.target is not None and k == span.last - 1
            for i in holders.tolist():
                receiver = share.target if to_target and share.target is not None else i
                maps = int(share.counts[i])
                entries.append((k, i, receiver, maps))
                if receiver != i:
                    left[2, i] -= maps * self.task.layers[k].output_bits
        here = counts[span.last]
        left[0] -= here * last.weight_bytes
        left[1] -= here * last.multiplications
        if senders.size:
            bits = self.task.layers[span.first - 1].output_bits
            left[2, senders] += bits * counts[span.first, senders]
        active = np.flatnonzero(here)
        left[2, active] -= fan_out(self.task, span)
        return active
