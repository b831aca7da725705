"""Place one request on what is left of the budgets: a fast construction, layer after layer.

Maps stay where they are computed from a conv to the next one, and are gathered on one node for a
layer that must be whole. Among these placements each stage takes latencies of its layers, and
then the cheapest nodes in time and in prices of the budgets.
"""

from functools import cached_property

import numpy as np

from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.partial_placement import PartialPlacement
from optmodel.batch.one_request.stage_share import StagePlacement, StageShares
from optmodel.placement import RequestPlacement
from optmodel.problem import FloatArray, IntArray, Problem, StageCut, stage_cuts


class RequestSpreader:
    """Places a request of one problem, again and again.

    Parameters
    ----------
    problem : Problem
        With one request.
    ladders : LatencyLadders, optional
        Limits on latencies to share with others, and the options of constructions.
    """

    def __init__(self, problem: Problem, ladders: LatencyLadders | None = None) -> None:
        self.problem, self.task = problem, problem.tasks[0]
        self.ladders = ladders or LatencyLadders()
        self.cuts = stage_cuts(self.task)
        self.nodes = len(problem.node_ids)
        self._ahead: tuple[FloatArray, list[dict[float, float]]] | None = None

    def place(
        self, left: FloatArray, prices: FloatArray, base_prices: FloatArray
    ) -> RequestPlacement | None:
        """Return a placement within what is left of the budgets, None where there is no room.

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
            return None
        if self._ahead is None or not np.array_equal(self._ahead[0], base_prices):
            # A copy: if the caller changed its array, old costs would seem up to date.
            self._ahead = base_prices.copy(), self._costs_ahead(base_prices)
        ahead = self._ahead[1]
        partial = PartialPlacement(self.task, left)
        for k, cut in enumerate(self.cuts):
            stage = self._stage(cut, partial.senders(cut), partial.left, prices)
            share = self._best(stage, ahead[k])
            if share is None:
                return None
            partial.add(cut, share.on_layers(len(stage.layers)))
        return partial.finished()

    def _stage(
        self, cut: StageCut, senders: IntArray, left: FloatArray, prices: FloatArray
    ) -> StageShares:
        return StageShares(self.problem, cut, senders, left, prices, self.ladders)

    @cached_property
    def _rates(self) -> list[float]:
        rates = sorted(set(self.problem.rate.tolist()))
        number = min(len(rates), self.ladders.options.most_rates)
        chosen = np.linspace(0, len(rates) - 1, number).round()
        return [rates[int(i)] for i in chosen]

    def _costs_ahead(self, prices: FloatArray) -> list[dict[float, float]]:
        """Return per stage what follows it costs, by the rate of its slowest sender, roughly."""
        ahead = [dict.fromkeys(self._rates, 0.0)]
        # Backwards, and without the first stage, which nobody sends to.
        for cut in self.cuts[:0:-1]:
            found = {}
            for rate in self._rates:
                # The slowest sender, and the next slowest, which is all that it hears itself.
                slowest = np.flatnonzero(self.problem.rate >= rate)
                slowest = slowest[np.argsort(self.problem.rate[slowest], kind="stable")][:2]
                stage = self._stage(cut, slowest, self.problem.budgets, prices)
                share = self._best(stage, ahead[0])
                found[rate] = share.cost_s if share else np.inf
            ahead.insert(0, found)
        return ahead

    def _best(self, stage: StageShares, ahead: dict[float, float]) -> StagePlacement | None:
        """Return the cheapest share of a stage, what follows included; None without room."""
        if stage.cut.gathers:
            return stage.gathered(ahead)
        best: StagePlacement | None = None
        for rate in self._rates:
            share = stage.spread(rate)
            # Strict: of equal costs the lowest rate stays, which leaves out the fewest nodes.
            if share is not None and (best is None or share.cost_s + ahead[rate] < best.cost_s):
                best = StagePlacement(share.cost_s + ahead[rate], share.counts)
        return best
