"""All placements of an arc in cells by their latencies, and what nodes can do in each.

A cell is an interval of the latency of the first layer, one of the layers between, and one of the
last layer. What its placements need is taken from the starts of the intervals, what they can do
from the ends.
"""

from dataclasses import dataclass

import numpy as np

from optmodel.batch.options import BoundOptions
from optmodel.problem import IntArray
from optmodel.stages import (
    UNREACHABLE,
    ArcNumbers,
    first_thresholds,
    held_at_first,
    held_before_last,
    last_thresholds,
    maps_within,
    quick_bound,
)


@dataclass(frozen=True, eq=False)
class LatencyGrid:
    """The cells of an arc; each has the same intervals of the last latency."""

    spent: IntArray
    """Ticks before the last layer, at least; shape (cells,)."""
    last: IntArray
    """Ticks of the last layer: starts of intervals, shape (times,)."""
    least_last: IntArray
    """Ticks of the last layer, at least; shape (cells,)."""
    held: IntArray
    """Most maps of the first layer on one node, shape (cells, parts)."""
    width: IntArray
    """Most segments of the last layer on one node, shape (cells, times, parts)."""


def grid_of(arc: ArcNumbers, options: BoundOptions) -> LatencyGrid | None:
    """Cut all placements of an arc into cells; None if it has none."""
    least = quick_bound(arc)
    if least is None:
        return None
    if len(arc.caps) == 1:
        return _one_layer(arc, least, options.last_ratio)
    return _several_layers(arc, options)


def _one_layer(arc: ArcNumbers, least: int, ratio: float) -> LatencyGrid:
    """Return the cells of a layer that receives and computes: its latency is the first one."""
    each, caps = np.array(arc.receive) + np.array(arc.work), np.array(arc.caps[0])
    top = int((each * caps).max())
    starts = _thinned(_multiples(each, caps, {0}), least, top, ratio)
    width = maps_within(ends_of(starts)[:, np.newaxis], each, caps)
    nothing = np.zeros(len(starts), dtype=np.int64)
    return LatencyGrid(starts, np.zeros(1, np.int64), nothing, width, width[:, np.newaxis])


def _several_layers(arc: ArcNumbers, options: BoundOptions) -> LatencyGrid:
    """Return the cells of several layers: all first latencies, with maps moved early or not."""
    first = first_thresholds(arc, UNREACHABLE)
    # Each value stands for all up to the next one.
    first = first[:: -(-len(first) // options.most_first)]
    ends = ends_of(first)
    held, least, spent = [], [], []
    for start, end in _early_intervals(arc, options.early):
        early = (end,) * (len(arc.send) - 1)
        held.append(held_before_last(arc, ends, early))
        least.append(last_thresholds(arc, ends, early))
        spent.append(first + start)
    least_last = np.concatenate(least)
    last = _last_latencies(arc, int(least_last.min()), options.last_ratio)
    width = _width(arc, np.concatenate(held), ends_of(last))
    at_first = np.tile(held_at_first(arc, ends), (len(held), 1))
    some = least_last < UNREACHABLE
    return LatencyGrid(
        np.concatenate(spent)[some], last, least_last[some], at_first[some], width[some]
    )


def ends_of(starts: IntArray) -> IntArray:
    """Return the last tick of each interval: time is whole, and the last interval has no end."""
    return np.append(starts[1:] - 1, UNREACHABLE)


def _early_intervals(arc: ArcNumbers, multiples: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return intervals of the latency of all layers between; no map moves early in the first."""
    moves = [ticks for row in arc.send[:-1] for ticks in row if ticks]
    if not moves:
        return [(0, 0)]
    # A map that moves takes as long as the fastest sender at least: no latency lies between.
    starts = np.array([min(moves) * n for n in multiples])
    return [(0, 0), *zip(starts.tolist(), ends_of(starts).tolist(), strict=True)]


def _last_latencies(arc: ArcNumbers, low: int, ratio: float) -> IntArray:
    """Return where intervals of the latency of the last of several layers start, from `low` on."""
    work, caps = np.array(arc.work), np.array(arc.caps[-1])
    send = {ticks for ticks in arc.send[-1] if ticks}
    top = max(int((work * caps).max()) + max(send, default=0), low)
    return _thinned(_multiples(work, caps, {0, *send}), low, top, ratio)


def _width(arc: ArcNumbers, held: IntArray, last: IntArray) -> IntArray:
    """Return the most segments of the last layer on one node, shape (first, last, parts).

    A node that receives for the time theta computes in what that leaves of the last latency, and
    what it has: its own maps and those received. Times are cut into intervals: computing counts
    from the start of the interval, receiving to its end.
    """
    send, sizes = np.array(arc.send[-1]), np.array(arc.sizes)
    work, caps = np.array(arc.work), np.array(arc.caps[-1])
    kinds = sorted({ticks for ticks in arc.send[-1] if ticks})
    # More arrives from a sender at multiples of its time only; a few cuts keep the grid small.
    starts = sorted({0, *kinds, *(n * ticks for ticks in kinds for n in (2, 3, 4, 6))})
    width = np.zeros((len(held), len(last), len(sizes)), dtype=np.int64)
    for start, end in zip(starts, [*(s - 1 for s in starts[1:]), UNREACHABLE], strict=True):
        each = maps_within(end, send, held)
        # A node does not receive what it holds itself.
        has = held + (each * sizes).sum(axis=1, keepdims=True) - each
        left = last[:, np.newaxis] - start
        computed = np.where(left >= 0, maps_within(left, work, caps), 0)
        # A node may choose how long it receives: the best of these intervals bounds it.
        width = np.maximum(width, np.minimum(has[:, np.newaxis], computed))
    return width


def _multiples(ticks: IntArray, caps: IntArray, shifts: set[int]) -> IntArray:
    """Return n · ticks + shift for n up to the cap of each part."""
    values = [
        np.arange(cap + 1) * t for t, cap in set(zip(ticks.tolist(), caps.tolist(), strict=True))
    ]
    return np.unique(np.add.outer(np.concatenate(values), sorted(shifts)))


def _thinned(values: IntArray, low: int, top: int, ratio: float) -> IntArray:
    """Return `low` and those values up to `top` that are well apart."""
    kept = [low]
    for value in values[(values > low) & (values <= top)].tolist():
        # Close values share an interval, which loosens the bound by the ratio at most.
        if value >= kept[-1] * ratio:
            kept.append(value)
    return np.array(kept, dtype=np.int64)
