"""A lower bound on one arc of the stage graph when loads on the budgets 8b-8d cost time.

Latency and priced load of every placement of the arc are bounded from below by a minimum over
finitely many cells of thresholds; in each cell groups are filled in order of cost per segment.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.batch.bound.stage_use import LoadTariff
from optmodel.problem import BoolArray, Fleet, FloatArray, IntArray, RequestTask
from optmodel.stages import (
    UNREACHABLE,
    ArcNumbers,
    RequestStage,
    SenderSignature,
    StageArc,
    first_thresholds,
    held_at_first,
    held_before_last,
    last_thresholds,
    least_work,
    quick_bound,
    room,
)

MOST_FIRST = 32
"""Values of the first latency that are told apart."""
STEP = 1.015
"""Ratio of two neighbouring values of the last latency that are told apart."""


@dataclass(frozen=True, eq=False)
class PriceReply:
    """A lower bound at given prices, and what it is made of.

    Attributes
    ----------
    value_s : float
        Latency plus priced load; infinite if there is no placement.
    latency_s : float
        The latency in it.
    load : ndarray, shape (3, groups)
        The bytes, multiplications and bits in it.
    rests_on : frozenset
        What it takes to be true; if a graph learns better, the bound can be higher.
    """

    value_s: float
    latency_s: float
    load: FloatArray
    rests_on: frozenset[object] = frozenset()


@dataclass(frozen=True, eq=False)
class LatencyCells:
    """Sets of placements, each with bounds on what its members need and can do.

    Attributes
    ----------
    ticks : ndarray of int, shape (cells,)
        Least latency.
    held, width : ndarray of int, shape (cells, parts)
        Most segments of the first and the last layer on one node.
    """

    ticks: IntArray
    held: IntArray
    width: IntArray


class PricedArc:
    """An arc with what its placements put on the budgets.

    Parameters
    ----------
    fleet : Fleet
        The nodes.
    task : RequestTask
        The request.
    stage : RequestStage
        The stage.
    before : SenderSignature or None
        The signature before it.
    choice : StageArc
        The arc.
    """

    def __init__(
        self,
        fleet: Fleet,
        task: RequestTask,
        stage: RequestStage,
        before: SenderSignature | None,
        choice: StageArc,
    ) -> None:
        self.arc, self.tick_s = choice.arc, float(fleet.tick_s)
        self.groups = len(fleet.groups)
        self.group = np.array([part.group for part in choice.parts], dtype=np.int64)
        self.sizes = np.array(self.arc.sizes, dtype=np.int64)
        self.tariff = LoadTariff(task, stage)
        self.sent_before = np.array(
            [
                before is not None and (part.sends or before.admits(fleet.groups[part.group].rate))
                for part in choice.parts
            ],
            dtype=bool,
        )

    def roughly(self, prices: FloatArray) -> PriceReply:
        """Return the bound from a single cell."""
        return self._cheapest(self._one_cell, prices)

    def cheapest(self, prices: FloatArray) -> PriceReply:
        """Return the bound from all cells.

        Parameters
        ----------
        prices : ndarray, shape (3, groups)
            Seconds per byte, multiplication and bit sent on a node of each group.
        """
        return self._cheapest(self._all_cells, prices)

    @cached_property
    def _one_cell(self) -> LatencyCells:
        least = quick_bound(self.arc)
        caps = np.array(self.arc.caps, dtype=np.int64)
        if least is None:
            return _no_cells(len(self.sizes))
        return LatencyCells(np.array([least]), caps[:1], caps[-1:])

    @cached_property
    def _all_cells(self) -> LatencyCells:
        if quick_bound(self.arc) is None:
            return _no_cells(len(self.sizes))
        return cells_of(self.arc)

    def _cheapest(self, cells: LatencyCells, prices: FloatArray) -> PriceReply:
        """Return the least value over cells; see docs/columns.md for why it is a lower bound."""
        nothing = np.zeros((3, self.groups))
        if not len(cells.ticks):
            return PriceReply(np.inf, np.inf, nothing)
        price = prices[:, self.group]
        saved_each = price[2] * self.tariff.kept * self.sent_before
        each = self.tariff.segment @ price[:2]
        active = price[2] * self.tariff.active
        # Broadcasting costs once per node: spread over as many segments as it can hold at most.
        per_node = active / np.maximum(cells.width, 1)
        unit = np.where(cells.width > 0, each + per_node, np.inf)
        taken, fits = fill(unit, self.sizes * cells.width, self.arc.maps)
        # What a node holds itself is not sent to it: the dearest bits are saved first.
        saving, _ = fill(
            np.broadcast_to(-saved_each, cells.held.shape), self.sizes * cells.held, self.arc.maps
        )
        cost = (taken * np.where(taken > 0, unit, 0.0)).sum(axis=1) - saving @ saved_each
        value = np.where(fits, cells.ticks * self.tick_s + cost, np.inf)
        best = int(value.argmin())
        if not np.isfinite(value[best]):
            return PriceReply(np.inf, np.inf, nothing)
        load = nothing.copy()
        width = np.maximum(cells.width[best], 1)
        np.add.at(load[0], self.group, taken[best] * self.tariff.segment[0])
        np.add.at(load[1], self.group, taken[best] * self.tariff.segment[1])
        spared = saving[best] * self.tariff.kept * self.sent_before
        sent = taken[best] / width * self.tariff.active - spared
        np.add.at(load[2], self.group, sent)
        return PriceReply(float(value[best]), float(cells.ticks[best] * self.tick_s), load)


def fill(unit: FloatArray, room_for: IntArray, maps: int) -> tuple[IntArray, BoolArray]:
    """Take the cheapest segments first, shapes (cells, parts) and (cells,).

    Returns how many of each part are taken, and whether there is room for all of them.
    """
    order = np.argsort(unit, axis=1, kind="stable")
    most = np.take_along_axis(room_for, order, axis=1)
    before = np.cumsum(most, axis=1) - most
    taken = np.empty_like(most)
    np.put_along_axis(taken, order, np.clip(maps - before, 0, most), axis=1)
    return taken, most.sum(axis=1) >= maps


def _no_cells(parts: int) -> LatencyCells:
    empty = np.zeros((0, parts), dtype=np.int64)
    return LatencyCells(np.zeros(0, dtype=np.int64), empty, empty)


def cells_of(arc: ArcNumbers) -> LatencyCells:
    """Cut all placements of an arc into cells by the latencies of its first and last layer."""
    if len(arc.caps) == 1:
        return _one_layer(arc)
    still = (0,) * (len(arc.send) - 1)
    first = first_thresholds(arc, UNREACHABLE)
    # Each value stands for all up to the next: latency from its start, room from its end.
    first = first[:: -(-len(first) // MOST_FIRST)]
    ends = np.append(first[1:] - 1, UNREACHABLE)
    held = held_before_last(arc, ends, still)
    cells = [_grid(arc, first, ends, held, last_thresholds(arc, ends, still))]
    moves = [ticks for row in arc.send[:-1] for ticks in row if ticks]
    if moves:
        # Maps also move between the layers before the last: at least one, at most all.
        anywhere = np.broadcast_to(np.array(arc.caps[-2]), held.shape)
        least = np.full(len(first), least_work(arc) or 0)
        cells.append(_grid(arc, first + min(moves), ends, anywhere, least))
    columns = zip(*((c.ticks, c.held, c.width) for c in cells), strict=True)
    return LatencyCells(*(np.concatenate(column) for column in columns))


def _one_layer(arc: ArcNumbers) -> LatencyCells:
    starts, width = only_latencies(arc)
    return LatencyCells(starts, width, width)


def only_latencies(arc: ArcNumbers) -> tuple[IntArray, IntArray]:
    """Return where intervals of the latency of a single layer start, and its room in each.

    The room is the most segments on a node, shape (intervals, parts).
    """
    each, caps = np.array(arc.receive) + np.array(arc.work), np.array(arc.caps[0])
    top = int((each * caps).max())
    starts = thinned(multiples(each, caps, {0}), quick_bound(arc) or 0, top)
    ends = np.append(starts[1:] - 1, UNREACHABLE)
    return starts, room(ends[:, np.newaxis], each, caps)


def last_latencies(arc: ArcNumbers, low: int) -> IntArray:
    """Return where intervals of the latency of the last of several layers start, from `low` on."""
    work, caps = np.array(arc.work), np.array(arc.caps[-1])
    send = {ticks for ticks in arc.send[-1] if ticks}
    top = max(int((work * caps).max()) + max(send, default=0), low)
    return thinned(multiples(work, caps, {0, *send}), low, top)


def _grid(
    arc: ArcNumbers, spent: IntArray, first_ends: IntArray, held: IntArray, least_last: IntArray
) -> LatencyCells:
    """Return the cells of all pairs of first and last latency.

    `spent` is the latency before the last layer at least, `least_last` that of the last layer.
    """
    starts = last_latencies(arc, int(least_last.min()))
    ends = np.append(starts[1:] - 1, UNREACHABLE)
    width = width_of(arc, held, ends)
    at_first = np.broadcast_to(held_at_first(arc, first_ends)[:, np.newaxis], width.shape)
    ticks = spent[:, np.newaxis] + np.maximum(starts, least_last[:, np.newaxis])
    some = (ends >= least_last[:, np.newaxis]) & (least_last[:, np.newaxis] < UNREACHABLE)
    return LatencyCells(ticks[some], at_first[some], width[some])


def width_of(arc: ArcNumbers, held: IntArray, last: IntArray) -> IntArray:
    """Return the most segments of the last layer on one node, shape (first, last, parts).

    A node that receives for the time theta computes in what that leaves of the last latency, and
    what it has: its own maps and those received. Times are cut into intervals: computing counts
    from the start of the interval, receiving to its end.
    """
    send, sizes = np.array(arc.send[-1]), np.array(arc.sizes)
    work, caps = np.array(arc.work), np.array(arc.caps[-1])
    kinds = sorted({ticks for ticks in arc.send[-1] if ticks})
    starts = sorted({0, *kinds, *(n * ticks for ticks in kinds for n in (2, 3, 4, 6))})
    width = np.zeros((len(held), len(last), len(sizes)), dtype=np.int64)
    for start, end in zip(starts, [*(s - 1 for s in starts[1:]), UNREACHABLE], strict=True):
        each = room(end, send, held)
        has = held + (each * sizes).sum(axis=1, keepdims=True) - each
        left = last[:, np.newaxis] - start
        computed = np.where(left >= 0, room(left, work, caps), 0)
        width = np.maximum(width, np.minimum(has[:, np.newaxis], computed))
    return width


def multiples(ticks: IntArray, caps: IntArray, shifts: set[int]) -> IntArray:
    """Return n · ticks + shift for n up to the cap of each part."""
    values = [
        np.arange(cap + 1) * t for t, cap in set(zip(ticks.tolist(), caps.tolist(), strict=True))
    ]
    return np.unique(np.add.outer(np.concatenate(values), sorted(shifts)))


def thinned(values: IntArray, low: int, top: int) -> IntArray:
    """Return `low` and those values up to `top` that are well apart."""
    kept = [low]
    for value in values[(values > low) & (values <= top)].tolist():
        # Close values share an interval, which loosens the bound by the ratio at most.
        if value >= kept[-1] * STEP:
            kept.append(value)
    return np.array(kept, dtype=np.int64)
