"""The cheapest path of a request class at given prices: a lower bound on each of its members."""

from functools import partial

import numpy as np

from optmodel.batch.bound.priced_arc import PricedArc, PriceReply
from optmodel.batch.options import BoundOptions
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray
from optmodel.stages import SenderSignature, arcs_between, stages_of


class PricedGraph:
    """The stage graph of a class, its arcs bounded from below at given prices.

    Attributes
    ----------
    outdated : set
        What replies rested on and is known better now: nothing.
    """

    def __init__(self, requests: RequestClass, options: BoundOptions | None = None) -> None:
        options = options or BoundOptions()
        self.outdated: set[object] = set()
        fleet, task = requests.fleet, requests.task
        self._arcs: list[list[list[list[PricedArc]]]] = []
        befores: tuple[SenderSignature | None, ...] = (None,)
        for stage in stages_of(fleet, task, options.most_signatures):
            between = partial(arcs_between, fleet, task, stage)
            priced = partial(PricedArc, fleet, task, stage)
            self._arcs.append(
                [
                    [
                        [priced(before, arc, options) for arc in between(before, end)]
                        for end in stage.ends
                    ]
                    for before in befores
                ]
            )
            befores = stage.ends

    def cheapest(self, prices: FloatArray, closely: bool = True) -> PriceReply:
        """Return the cheapest path; cells are looked at only where it might lead.

        Parameters
        ----------
        prices : ndarray, shape (3, groups)
            Seconds per byte, multiplication and bit sent, at least 0; the source's are 0.
        closely : bool
            Of no effect: no arc is solved.
        """
        replies = [
            [[[arc.roughly(prices) for arc in arcs] for arcs in row] for row in matrix]
            for matrix in self._arcs
        ]
        bounds = [
            np.array([[_least(several) for several in row] for row in matrix]).reshape(
                len(matrix), -1
            )
            for matrix in replies
        ]
        looked_at: set[tuple[int, int, int]] = set()
        while True:
            length, places = shortest(bounds)
            if not np.isfinite(length):
                return PriceReply(np.inf, np.inf, np.zeros_like(prices))
            steps = [(k, places[k], places[k + 1]) for k in range(len(bounds))]
            # Cells only raise bounds, so no other path is shorter than one that is looked at.
            if looked_at.issuperset(steps):
                return _together([min(replies[k][a][b], key=_value) for k, a, b in steps], prices)
            for k, a, b in steps:
                if (k, a, b) not in looked_at:
                    looked_at.add((k, a, b))
                    replies[k][a][b] = [arc.cheapest(prices) for arc in self._arcs[k][a][b]]
                    bounds[k][a, b] = _least(replies[k][a][b])


def _value(reply: PriceReply) -> float:
    return reply.value_s


def _least(replies: list[PriceReply]) -> float:
    return min((reply.value_s for reply in replies), default=np.inf)


def _together(steps: list[PriceReply], prices: FloatArray) -> PriceReply:
    return PriceReply(
        sum(step.value_s for step in steps),
        sum(step.latency_s for step in steps),
        sum((step.load for step in steps), np.zeros_like(prices)),
    )


def shortest(bounds: list[FloatArray]) -> tuple[float, list[int]]:
    """Return the length of the shortest path through matrices of lengths, and its places."""
    length: FloatArray = np.zeros(1)
    origins = []
    for matrix in bounds:
        # No path passes here, and `argmin` of nothing would fail.
        if not matrix.size:
            return np.inf, []
        sums = length[:, np.newaxis] + matrix
        origins.append(sums.argmin(axis=0))
        length = sums.min(axis=0)
    places = [int(length.argmin())]
    for origin in reversed(origins):
        places.append(int(origin[places[-1]]))
    return float(length.min()), places[::-1]
