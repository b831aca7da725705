"""One stage of a construction: who may hold how much, and the cheapest way to hold all maps."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optmodel.problem import FloatArray, IntArray, LayerTask, Problem, RequestTask

MOST_VALUES = 12
"""Latencies of a layer that are tried."""
TOGETHER = 32
"""Pairs of latencies that are looked at in one piece, the shortest first."""
UP, TINY = 1 + 1e-12, 1e-300
"""Against rounding: a limit is not missed by a hair, and nothing is divided by zero."""


@dataclass(frozen=True, eq=False)
class Share:
    """How one stage is placed.

    Attributes
    ----------
    cost_s : float
        Its latency and the priced load, in seconds; infinite if there is no place.
    counts : ndarray of int, shape (nodes,)
        Segments of all layers but a gathered last one.
    target : int or None
        The node that gathers the last layer.
    """

    cost_s: float
    counts: IntArray
    target: int | None = None


@dataclass(frozen=True)
class NoRoom:
    """Where a request found no place.

    Attributes
    ----------
    layer : int
        The layer, from 0.
    condition : str
        The budget that is short, in words.
    """

    layer: int
    condition: str


@dataclass(frozen=True)
class Span:
    """Layers `first` to `last`, of which only the last computes and broadcasts."""

    first: int
    last: int
    gathers: bool


def spans_of(task: RequestTask) -> tuple[Span, ...]:
    """Cut a request behind each conv and fc."""
    ends = [k for k, layer in enumerate(task.layers) if layer.transfer == "broadcast"]
    if not ends or ends[-1] != len(task.layers) - 1:
        ends.append(len(task.layers) - 1)
    spans, first = [], 0
    for last in ends:
        layer = task.layers[last]
        spans.append(Span(first, last, layer.whole or len(layer.hosts) == 1))
        first = last + 1
    return tuple(spans)


def fan_out(task: RequestTask, span: Span) -> int:
    """Return the bits that an active node broadcasts behind a stage, own segments included."""
    if span.last + 1 == len(task.layers):
        return 0
    return task.layers[span.last].output_bits * task.layers[span.last + 1].segments


class StageShares:
    """The choices of one stage: who may hold how much, and what a segment costs there."""

    def __init__(
        self,
        problem: Problem,
        task: RequestTask,
        span: Span,
        senders: IntArray,
        left: FloatArray,
        prices: FloatArray,
    ) -> None:
        self.problem, self.task, self.span = problem, task, span
        self.prices, self.left = prices, left
        self.layers = task.layers[span.first : span.last + 1]
        self.last = self.layers[-1]
        self.fan_out = fan_out(task, span)
        self.receive = self._receive(senders)
        self.own = np.zeros(len(problem.node_ids))
        if senders.size:
            self.own[senders] = task.layers[span.first - 1].output_bits

    def _cheapest(
        self,
        times: tuple[FloatArray, ...],
        most: IntArray,
        segment: FloatArray,
        active: FloatArray,
        maps: int,
    ) -> Share:
        """Return the cheapest share; of nodes that cost the same, those with most left go first."""
        order = np.argsort(-self._left_least(), kind="stable")
        share = _cheapest(
            tuple(time[order] for time in times), most[order], segment[order], active[order], maps
        )
        counts = np.zeros_like(share.counts)
        counts[order] = share.counts
        return Share(share.cost_s, counts)

    def _left_least(self) -> FloatArray:
        """Return for each node the smallest share that is left of any of its budgets."""
        budgets = np.stack(
            [self.problem.memory, self.problem.compute_budget, self.problem.bandwidth_budget]
        )
        shares: FloatArray = (self.left / np.maximum(budgets, 1.0)).min(axis=0)
        return shares

    def _receive(self, senders: IntArray) -> FloatArray:
        """Return seconds per map received from the slowest other sender."""
        each = np.zeros(len(self.problem.node_ids))
        if not senders.size:
            return each
        bits = self.task.layers[self.span.first - 1].output_bits
        slow = senders[np.argsort(self.problem.rate[senders], kind="stable")]
        each[:] = bits / self.problem.rate[slow[0]]
        each[slow[0]] = bits / self.problem.rate[slow[1]] if len(slow) > 1 else 0.0
        return each

    def _may_compute(self) -> IntArray:
        """Return the most segments of the last layer on each node within what is left."""
        most = _caps(self.last, len(self.problem.node_ids))
        most = _within(self.left[0], self.last.weight_bytes, most)
        most = _within(self.left[1], self.last.multiplications, most)
        can_send = self.left[2] + self.own >= self.fan_out
        return np.where(can_send, most, 0)

    def no_room(self) -> NoRoom:
        """Say which budget leaves too little room for the last layer."""
        caps, maps = _caps(self.last, len(self.problem.node_ids)), self.last.segments
        can_send = self.left[2] + self.own >= self.fan_out
        each = {
            "8b: memory": _within(self.left[0], self.last.weight_bytes, caps),
            "8c: compute": _within(self.left[1], self.last.multiplications, caps),
            "8d: bandwidth to broadcast its output": np.where(can_send, caps, 0),
        }
        for name, most in each.items():
            room = int(most.max() if self.span.gathers else most.sum())
            if room < maps:
                return NoRoom(self.span.last, f"{name}, room for {room} of {maps} segment(s)")
        return NoRoom(self.span.last, "8b-8d together leave too little room")

    def spread(self, rate: float) -> Share:
        """Return the cheapest share on nodes of at least a rate; all layers alike."""
        most = np.where(self.problem.rate >= rate, self._may_compute(), 0)
        for layer in self.layers[:-1]:
            most = np.minimum(most, _caps(layer, len(most)))
        work = self.last.multiplications / self.problem.speed
        segment = (
            self.prices[0] * self.last.weight_bytes
            + self.prices[1] * self.last.multiplications
            - self.prices[2] * self.own
        )
        active = self.prices[2] * self.fan_out
        alone = len(self.layers) == 1
        times = (self.receive + work,) if alone else (self.receive, work)
        return self._cheapest(times, most, segment, active, self.last.segments)

    def gathered(self, ahead: dict[float, float]) -> Iterator[Share]:
        """Yield the cheapest share for each of the likeliest nodes to gather the last layer."""
        can = np.flatnonzero(self._may_compute() >= self.last.segments)
        work = self.last.segments * (
            self.last.multiplications / self.problem.speed
            + self.prices[0] * self.last.weight_bytes
            + self.prices[1] * self.last.multiplications
        )
        work = work + self.prices[2] * self.fan_out
        tried, costs = np.array(list(ahead)), np.array(list(ahead.values()))
        work += costs[np.searchsorted(tried, self.problem.rate, side="right") - 1]
        if len(self.layers) == 1:
            work = work + self.last.segments * (self.receive - self.prices[2] * self.own)
        for target in can[np.argsort(work[can], kind="stable")][:3].tolist():
            yield self._gathered_on(target, float(work[target]))

    def _gathered_on(self, target: int, cost: float) -> Share:
        counts = np.zeros(len(self.problem.node_ids), dtype=np.int64)
        if len(self.layers) == 1:
            counts[target] = self.last.segments
            return Share(cost, counts, target)
        bits = self.layers[-2].output_bits
        most = np.min([_caps(layer, len(counts)) for layer in self.layers[:-1]], axis=0)
        send = bits / self.problem.rate
        charge = self.prices[2] * bits
        send[target] = charge[target] = 0.0
        can_send = np.floor(np.maximum(self.left[2], 0.0) / max(bits, 1)).astype(np.int64)
        can_send[target] = self.last.segments
        share = self._cheapest(
            (self.receive, send),
            np.minimum(most, can_send),
            charge - self.prices[2] * self.own,
            np.zeros(len(counts)),
            self.last.segments,
        )
        return Share(share.cost_s + cost, share.counts, target)


def _within(left: FloatArray, need: int, most: IntArray) -> IntArray:
    """Return how many segments each node has room for, at most as many as given."""
    if not need:
        return most
    return np.minimum(most, np.floor(np.maximum(left, 0.0) / need).astype(np.int64))


def _caps(layer: LayerTask, nodes: int) -> IntArray:
    most = np.zeros(nodes, dtype=np.int64)
    most[list(layer.hosts)] = layer.cap
    return most


def _cheapest(
    times: tuple[FloatArray, ...],
    most: IntArray,
    segment: FloatArray,
    active: FloatArray,
    maps: int,
) -> Share:
    """Return the cheapest way to hold all maps: latency, price per segment and per active node.

    Latencies of one or two layers, each the largest count times the time per map, are tried in
    all pairs; within them nodes are filled in order of their price per segment.
    """
    nowhere = Share(np.inf, np.zeros(len(most), dtype=np.int64))
    if not (most > 0).any():
        return nowhere
    axes = [_latencies(time, most, maps) for time in times]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
    sums = grid.sum(axis=1)
    grid = grid[np.argsort(sums, kind="stable")]
    some = most > 0
    unit = segment[some] + active[some] / np.minimum(most[some], maps)
    best, least = nowhere, maps * float(unit.min())
    for start in range(0, len(grid), TOGETHER):
        pairs = grid[start : start + TOGETHER]
        # All later pairs take at least as long, and no segment costs less than its cheapest.
        if pairs[0].sum() + least >= best.cost_s:
            break
        found = _cheapest_within(pairs, times, most, segment, active, maps)
        if found is not None and found.cost_s < best.cost_s:
            best = found
    return best


def _cheapest_within(
    grid: FloatArray,
    times: tuple[FloatArray, ...],
    most: IntArray,
    segment: FloatArray,
    active: FloatArray,
    maps: int,
) -> Share | None:
    """Return the cheapest share whose latencies are at most one of several pairs of limits."""
    width = np.broadcast_to(most, (len(grid), len(most)))
    for time, limits in zip(times, grid.T, strict=True):
        fits = limits[:, np.newaxis] * UP // np.maximum(time, TINY)
        width = np.where(time > 0, np.minimum(width, np.minimum(fits, maps)), width)
    width = width.astype(np.int64)
    width = width[width.sum(axis=1) >= maps]
    if not len(width):
        return None
    unit = np.where(width > 0, segment + active / np.maximum(width, 1), np.inf)
    order = np.argsort(unit, axis=1, kind="stable")
    room = np.take_along_axis(width, order, axis=1)
    taken = np.empty_like(room)
    before = np.cumsum(room, axis=1) - room
    np.put_along_axis(taken, order, np.clip(maps - before, 0, room), axis=1)
    cost = taken @ segment + (taken > 0) @ active
    for time in times:
        cost = cost + (taken * time).max(axis=1)
    best = int(cost.argmin())
    return Share(float(cost[best]), taken[best])


def _latencies(time: FloatArray, most: IntArray, maps: int) -> FloatArray:
    """Return values that the latency of a layer can take, thinned out, the largest kept."""
    alike = Counter(zip(time.tolist(), np.minimum(most, maps).tolist(), strict=True))
    kinds = [(t, n, number) for (t, n), number in alike.items() if n > 0]
    if not kinds:
        return np.zeros(0)
    each = {t: max(n for other, n, _ in kinds if other == t) for t, _, _ in kinds}
    values = np.unique(np.concatenate([np.arange(1, n + 1) * t for t, n in each.items()]))
    room = np.zeros(len(values))
    for t, n, number in kinds:
        room += number * (np.minimum(n, values * UP // t) if t > 0 else n)
    values = np.asarray(values[room >= maps], dtype=np.float64)
    if len(values) <= MOST_VALUES:
        return values
    wanted = np.geomspace(max(values[0], values[-1] * 1e-3), values[-1], MOST_VALUES)
    at = np.unique(np.append(0, np.searchsorted(values, wanted).clip(0, len(values) - 1)))
    chosen: FloatArray = values[at]
    return chosen
