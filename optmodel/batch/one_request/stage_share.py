"""One stage of a construction: who may hold how much, and the cheapest way to hold all maps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.batch.one_request.latency_ladder import LatencyLadders
from optmodel.batch.one_request.partial_placement import heard_rates, segment_caps, segments_within
from optmodel.problem import FloatArray, IntArray, Problem, StageCut, broadcast_bits
from optmodel.stages import ArcPlacement, MapMoves, cheapest_first

TOGETHER = 16
"""Rungs of a ladder that are looked at in one piece, the shortest first: a matter of time alone."""


@dataclass(frozen=True, eq=False)
class StagePlacement:
    """How one stage is placed."""

    cost_s: float
    """Its latency and the priced load, in seconds."""
    counts: IntArray
    """Segments of all layers but a gathered last one, shape (nodes,)."""
    target: int | None = None
    """The node that gathers the last layer."""

    def on_layers(self, number: int) -> ArcPlacement:
        """Return who holds what of so many layers, and which maps move between them."""
        counts, stay = np.tile(self.counts, (number, 1)), MapMoves.where_they_are(self.counts)
        flows = [stay] * (number - 1)
        if self.target is not None:
            counts[-1] = 0
            counts[-1, self.target] = self.counts.sum()
            # A layer that is alone in its stage is gathered by the broadcast before it.
            if flows:
                flows[-1] = stay._replace(receiver=np.full_like(stay.receiver, self.target))
        return ArcPlacement(counts, tuple(flows))


class StageShares:
    """The choices of one stage: who may hold how much, and what a segment costs there.

    Parameters
    ----------
    problem : Problem
        With one request.
    cut : StageCut
        The layers of the stage.
    senders : ndarray of int
        The nodes that send to it.
    left, prices : ndarray, shape (3, nodes)
        What is left of the budgets, and the seconds that a unit of each is worth.
    ladders : LatencyLadders
        Where limits on latencies are kept; with the options of constructions.
    """

    def __init__(
        self,
        problem: Problem,
        cut: StageCut,
        senders: IntArray,
        left: FloatArray,
        prices: FloatArray,
        ladders: LatencyLadders,
    ) -> None:
        self.problem, self.task, self.cut = problem, problem.tasks[0], cut
        self.prices, self.left, self.ladders = prices, left, ladders
        self.nodes = len(problem.node_ids)
        self.layers = self.task.layers[cut.first : cut.last + 1]
        self.last = self.layers[-1]
        self.fan_out = broadcast_bits(self.task, cut)
        bits = self.task.layers[cut.first - 1].output_bits if cut.first else 0
        self.receive = bits / heard_rates(senders, problem.rate)
        self.own = np.zeros(self.nodes)
        self.own[senders] = bits

    def _cheapest(
        self,
        times: tuple[FloatArray, ...],
        most: IntArray,
        segment: FloatArray,
        active: FloatArray,
    ) -> StagePlacement | None:
        """Return the cheapest share, None if there is none.

        Of nodes that cost the same, those with most left go first.
        """
        maps, order = self.last.segments, self._most_left_first
        ladder = self.ladders.find(times, most, maps)
        if not len(ladder.least_s):
            return None
        some = most > 0
        # No node holds more than all maps, over which its broadcast is spread the thinnest.
        least = maps * float((segment[some] + active[some] / np.minimum(most[some], maps)).min())
        prices = segment[order], active[order], tuple(time[order] for time in times)
        best: StagePlacement | None = None
        for start in range(0, len(ladder.least_s), TOGETHER):
            # Later limits are longer, and no segment costs less than its cheapest.
            if best is not None and ladder.least_s[start] + least >= best.cost_s:
                break
            found = _cheapest_within(ladder.width[start : start + TOGETHER, order], *prices, maps)
            if best is None or found.cost_s < best.cost_s:
                best = found
        if best is None:
            return None
        counts = np.zeros(self.nodes, dtype=np.int64)
        counts[order] = best.counts
        return StagePlacement(best.cost_s, counts)

    @cached_property
    def _most_left_first(self) -> IntArray:
        """Nodes by the smallest share that is left of any of their budgets, the largest first."""
        least = (self.left / np.maximum(self.problem.budgets, 1.0)).min(axis=0)
        return np.argsort(-least, kind="stable")

    @cached_property
    def _may_compute(self) -> IntArray:
        """The most segments of the last layer on each node within what is left."""
        # A node that sent to the stage is spared one map at least: its own.
        can_send = self.left[2] + self.own >= self.fan_out
        return np.where(can_send, segments_within(self.last, self.left), 0)

    def spread(self, rate: float) -> StagePlacement | None:
        """Return the cheapest share on nodes of at least a rate; all layers alike."""
        most = np.where(self.problem.rate >= rate, self._may_spread, 0)
        segment, active = self._spread_prices
        return self._cheapest(self._spread_times, most, segment, active)

    @cached_property
    def _may_spread(self) -> IntArray:
        return np.minimum(self._may_compute, self._may_hold)

    @cached_property
    def _may_hold(self) -> IntArray:
        """The most maps on each node in all layers but the last; any number without such layers."""
        caps = [segment_caps(layer, self.nodes) for layer in self.layers[:-1]]
        most: IntArray = np.min(caps, axis=0, initial=self.last.segments)
        return most

    @cached_property
    def _spread_times(self) -> tuple[FloatArray, ...]:
        work = self.last.multiplications / self.problem.speed
        return (self.receive + work,) if len(self.layers) == 1 else (self.receive, work)

    @cached_property
    def _spread_prices(self) -> tuple[FloatArray, FloatArray]:
        """Of a segment, and of being active, on each node."""
        segment = (
            self.prices[0] * self.last.weight_bytes
            + self.prices[1] * self.last.multiplications
            - self.prices[2] * self.own
        )
        return segment, self.prices[2] * self.fan_out

    def gathered(self, ahead: dict[float, float]) -> StagePlacement | None:
        """Return the cheapest share with the likeliest node to gather the last layer."""
        can = np.flatnonzero(self._may_compute >= self.last.segments)
        if not can.size:
            return None
        work = self.last.segments * (
            self.last.multiplications / self.problem.speed
            + self.prices[0] * self.last.weight_bytes
            + self.prices[1] * self.last.multiplications
        )
        work = work + self.prices[2] * self.fan_out
        tried, costs = np.array(list(ahead)), np.array(list(ahead.values()))
        # What follows costs by the rate of the only sender, or the next lower one that was tried.
        work += costs[np.searchsorted(tried, self.problem.rate, side="right") - 1]
        if len(self.layers) == 1:
            work = work + self.last.segments * (self.receive - self.prices[2] * self.own)
        target = int(can[work[can].argmin()])
        return self._gathered_on(target, float(work[target]))

    def _gathered_on(self, target: int, cost: float) -> StagePlacement | None:
        """Return the cheapest share gathered on a node, None if there is none."""
        if len(self.layers) == 1:
            counts = np.zeros(self.nodes, dtype=np.int64)
            counts[target] = self.last.segments
            return StagePlacement(cost, counts, target)
        bits = self.layers[-2].output_bits
        send = bits / self.problem.rate
        charge = self.prices[2] * bits
        send[target] = charge[target] = 0.0
        can_send = (np.maximum(self.left[2], 0.0) // bits).astype(np.int64)
        most = np.minimum(self._may_hold, can_send)
        most[target] = self._may_hold[target]
        share = self._cheapest(
            (self.receive, send),
            most,
            charge - self.prices[2] * self.own,
            np.zeros(self.nodes),
        )
        return share and StagePlacement(share.cost_s + cost, share.counts, target)


def _cheapest_within(
    width: FloatArray,
    segment: FloatArray,
    active: FloatArray,
    times: tuple[FloatArray, ...],
    maps: int,
) -> StagePlacement:
    """Return the cheapest share whose counts are within one of several rows of widths.

    Nodes are filled in order of their price per segment.
    """
    # Broadcasting costs once per node: spread over as many segments as it can hold.
    unit = np.where(width > 0, segment + active / np.maximum(width, 1), np.inf)
    taken = cheapest_first(maps, width, unit)
    cost = taken @ segment + (taken > 0) @ active
    for time in times:
        cost += (taken * time).max(axis=1)
    best = int(cost.argmin())
    # Whole already, as widths and maps are: nothing is rounded.
    return StagePlacement(float(cost[best]), taken[best].astype(np.int64))
