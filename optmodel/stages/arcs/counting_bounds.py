"""Lower bounds on an arc from counting, without a solver: least thresholds with enough room."""

from functools import lru_cache
from operator import add

import numpy as np

from optmodel.problem import BoolArray, IntArray
from optmodel.stages.arcs.arc_numbers import ArcNumbers

Row = tuple[int, ...]
"""A number for each group."""

# A quarter of the range, so that sums of a few of them do not overflow.
UNREACHABLE = np.iinfo(np.int64).max // 4


def maps_within(threshold: IntArray | int, ticks: IntArray, caps: IntArray) -> IntArray:
    """Return how many maps at `ticks` each fit under a threshold, at most `caps`."""
    # The 1 only avoids a division by 0: what takes no time is limited by the cap alone.
    fits = threshold // np.maximum(ticks, 1)
    return np.where(ticks > 0, np.minimum(caps, np.maximum(fits, 0)), caps)


@lru_cache(maxsize=2**14)
def least_threshold(ticks: Row, caps: Row, sizes: Row, maps: int) -> int | None:
    """Return the least T with room for all maps: sum of size · min(cap, T // ticks) >= maps.

    None if the caps leave too little room whatever T is. Answers are kept: arcs share first and
    last layers.
    """
    timed: dict[tuple[int, int], int] = {}
    high, every, free = 0, 0, 0
    for each, cap, size in zip(ticks, caps, sizes, strict=True):
        every += size * cap
        high = max(high, each * cap)
        if each:
            timed[each, cap] = timed.get((each, cap), 0) + size
        else:
            free += size * cap
    if every < maps:
        return None
    kinds = [(each, cap, size) for (each, cap), size in timed.items()]
    # T = `low` has never room, T = `high` always: at it every node holds its cap.
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        fits = sum([size * min(cap, middle // each) for each, cap, size in kinds])
        if fits + free >= maps:
            high = middle
        else:
            low = middle
    return high


def quick_bound(arc: ArcNumbers) -> int | None:
    """Return the sum of the least latencies of the first and the last layer, each on its own.

    None if the nodes cannot hold one of the layers.
    """
    bound = sum(quick_bounds(arc))
    return None if bound >= UNREACHABLE else bound


def quick_bounds(arc: ArcNumbers) -> tuple[int, int]:
    """Return the least latencies of the first and the last layer; the first is 0 if alone.

    UNREACHABLE if the nodes cannot hold the layer, or one between.
    """
    if any(_most(arc, caps) < arc.maps for caps in arc.caps[1:-1]):
        return UNREACHABLE, UNREACHABLE
    first: int | None = 0
    if len(arc.caps) == 1:
        each = tuple(map(add, arc.receive, arc.work))
        last = least_threshold(each, arc.caps[0], arc.sizes, arc.maps)
    else:
        first = least_threshold(arc.receive, arc.caps[0], arc.sizes, arc.maps)
        last = least_work(arc)
    return UNREACHABLE if first is None else first, UNREACHABLE if last is None else last


def _most(arc: ArcNumbers, caps: tuple[int, ...]) -> int:
    """Return how many segments of a layer all nodes together may hold."""
    return sum([size * cap for size, cap in zip(arc.sizes, caps, strict=True)])


def least_work(arc: ArcNumbers) -> int | None:
    """Return the least latency of the last layer if reception took no time."""
    return least_threshold(arc.work, arc.caps[-1], arc.sizes, arc.maps)


def first_thresholds(arc: ArcNumbers, most: int) -> IntArray:
    """Return all values up to `most` that the latency of the first layer can take."""
    # Room grows only where one more map of some kind of node fits: at multiples of its time.
    values = {0}
    for ticks, cap in set(zip(arc.receive, arc.caps[0], strict=True)):
        if ticks:
            values.update(range(0, min(ticks * cap, most) + 1, ticks))
    first = np.array(sorted(values), dtype=np.int64)
    enough: IntArray = first[held_at_first(arc, first) @ np.array(arc.sizes) >= arc.maps]
    return enough


LEVELS = 4
"""Multiples of each kind of sender's time per map at which the relaxation cuts reception times."""
MOST_CUTS = 64
"""Cuts beyond this number are thinned out, which loosens the relaxation and keeps it fast."""


def held_at_first(arc: ArcNumbers, first: IntArray) -> IntArray:
    """Return what a node of each group may hold of the first layer, shape (values, groups)."""
    return maps_within(first[:, np.newaxis], np.array(arc.receive), np.array(arc.caps[0]))


def held_before_last(arc: ArcNumbers, first: IntArray, early: tuple[int, ...]) -> IntArray:
    """Return what a node of each group may hold before the last transfer, at most.

    Parameters
    ----------
    arc : ArcNumbers
        The arc.
    first : ndarray of int, shape (values,)
        Latencies of the first layer.
    early : tuple of int
        Latencies of the layers between the first and the last.

    Returns
    -------
    ndarray of int, shape (values, groups)
    """
    held = held_at_first(arc, first)
    for k, latency in enumerate(early):
        received = _received(arc, k, held, np.array([latency]))[:, 0, :]
        held = np.minimum(held + received, np.array(arc.caps[k + 1]))
    return held


def last_thresholds(arc: ArcNumbers, first: IntArray, early: tuple[int, ...] = ()) -> IntArray:
    """Return for each latency of the first layer a lower bound on that of the last one.

    Under a threshold T on the last layer, a node that receives for the time theta can compute
    (T - theta) // work segments. Of these it holds what it may before the last transfer, and
    receives at most theta // send maps from each other node, and no more than that node may hold.
    The largest such number over theta, summed over the nodes, must reach P. Pairs of nodes are not
    matched, which makes it a relaxation. Reception times are cut into intervals: computing counts
    from the start of the interval, receiving to its end.

    Parameters
    ----------
    arc : ArcNumbers
        With two or more layers.
    first : ndarray of int, shape (values,)
        Latencies of the first layer, in ticks, each with room for all maps.
    early : tuple of int
        Latencies of the layers between the first and the last.

    Returns
    -------
    ndarray of int, shape (values,)
        UNREACHABLE where the nodes cannot hold the last layer.
    """
    send, least = np.array(arc.send[-1]), least_work(arc)
    held = held_before_last(arc, first, early)
    # Who never holds a map sends none.
    kinds = sorted(set(send[held.max(axis=0, initial=0) > 0].tolist()))
    if least is None or not kinds:
        return np.full(len(first), UNREACHABLE)
    starts = _cuts(kinds)
    # Time is whole: an interval ends one tick before the next one begins.
    ends = np.append(starts[1:], UNREACHABLE) - 1
    return _LastThresholds(arc, held, starts, ends).least(least)


def _cuts(kinds: list[int]) -> IntArray:
    """Return starts of reception intervals: multiples of the times that senders take."""
    times = sorted({0} | {k * b for b in kinds for k in range(1, LEVELS + 1)})
    # Wider intervals only loosen the bound: computing counts from their start, receiving to
    # their end.
    step = -(-len(times) // MOST_CUTS)
    return np.array(times[::step], dtype=np.int64)


def _received(arc: ArcNumbers, k: int, held: IntArray, thetas: IntArray) -> IntArray:
    """Return the maps that reach a node within each time, shape (values, thetas, groups).

    `held` tells what a node of each group has of layer k, whose output travels.
    """
    send, sizes = np.array(arc.send[k]), np.array(arc.sizes)
    each = maps_within(thetas[:, np.newaxis], send, held[:, np.newaxis, :])
    # From all but itself: what it holds need not travel.
    received: IntArray = (each @ sizes)[..., np.newaxis] - each
    return received


FINEST = 2**20
"""Part of a threshold to which it is searched; the values that it can take lie further apart."""


class _LastThresholds:
    """The room for all maps under thresholds on the last layer, for each of the first layer.

    `held`, shape (values, groups), is what a node may hold before the last transfer; `starts` and
    `ends`, shape (times,), are the intervals into which the time for receiving is cut.
    """

    def __init__(self, arc: ArcNumbers, held: IntArray, starts: IntArray, ends: IntArray) -> None:
        self.maps, self.sizes, self.starts = arc.maps, np.array(arc.sizes), starts
        self.work, self.caps = np.array(arc.work), np.array(arc.caps[-1])
        received = _received(arc, len(arc.send) - 1, held, ends)
        self.reachable = held[:, np.newaxis, :] + received

    def least(self, least: int) -> IntArray:
        """Return the least T with room for all maps, or a little less; none below `least` has.

        UNREACHABLE where there is never room.
        """
        # Beyond this T all caps are reached at every reception time.
        most = int((self.work * self.caps).max()) + int(self.starts[-1]) + 1
        high = np.full(len(self.reachable), max(most, least))
        low, reached = np.full(len(high), least - 1), self._fits(high)
        # Ends early for large thresholds: low + 1 is a lower bound all the same.
        while (high - low > 1 + np.maximum(low, 0) // FINEST).any():
            middle = (low + high) // 2
            fits = self._fits(middle)
            low, high = np.where(fits, low, middle), np.where(fits, middle, high)
        return np.where(reached, low + 1, UNREACHABLE)

    def _fits(self, threshold: IntArray) -> BoolArray:
        """Tell for each threshold of the first layer whether one of the last has room."""
        left = threshold[:, np.newaxis, np.newaxis] - self.starts[:, np.newaxis]
        # What has to be received for longer than there is time is not computed, cap or not.
        computed = np.where(left >= 0, maps_within(left, self.work, self.caps), 0)
        best = np.minimum(computed, self.reachable).max(axis=1)
        fits: BoolArray = best @ self.sizes >= self.maps
        return fits
