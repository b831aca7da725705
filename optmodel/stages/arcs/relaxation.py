"""Lower bounds on an arc from counting, without a solver: least thresholds with enough room."""

from functools import cache, lru_cache
from operator import add

import numpy as np

from optmodel.problem import BoolArray, IntArray
from optmodel.search import Allowance
from optmodel.stages.arcs.arc import ArcNumbers

Row = tuple[int, ...]
"""A number for each group."""

# A quarter of the range, so that sums of a few of them do not overflow.
UNREACHABLE = np.iinfo(np.int64).max // 4


def room(threshold: IntArray | int, ticks: IntArray, caps: IntArray) -> IntArray:
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
    """Return all values up to `most` that the latency of the first layer can take.

    Parameters
    ----------
    arc : ArcNumbers
        With two layers.
    most : int
        Largest value of interest, in ticks.
    """
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
    return room(first[:, np.newaxis], np.array(arc.receive), np.array(arc.caps[0]))


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


def last_thresholds(
    arc: ArcNumbers,
    first: IntArray,
    early: tuple[int, ...] = (),
    most: int | None = None,
    allowance: Allowance | None = None,
) -> IntArray:
    """Return for each latency of the first layer a lower bound on that of the last one.

    UNREACHABLE where the stage would exceed `most`.

    Under a threshold T on the last layer, a node that receives for the time theta can compute
    (T - theta) // work segments. Of these it holds what it may before the last transfer, and
    receives at most theta // send maps from each other node, and no more than that node may hold.
    The largest such number over theta, summed over the nodes, must reach P. Pairs of nodes are not
    matched, which makes it a relaxation. Reception times are cut into intervals: computing counts
    from the start of the interval, receiving to its end.

    The cases are told apart by the longest reception time of any node, which lies between one kind
    of sender's time per map and the next kind's. Slower kinds cannot move a map then; maps that can
    move neither then nor early count only as far as the holder computes them. If that leaves fewer
    than P, maps of this kind have to move, and nodes have to spend the time on taking them
    (`_Case._worth_taking`). Every case is tried, the least T kept.

    The conditions need not be monotone in T, but a placement within T is one within T + 1: if they
    fail at T, no smaller threshold can be had, which is all that searching the least relies on.

    Parameters
    ----------
    arc : ArcNumbers
        With two or more layers.
    first : ndarray of int, shape (values,)
        Latencies of the first layer, in ticks, each with room for all maps.
    early : tuple of int
        Latencies of the layers between the first and the last.
    most : int, optional
        Latency of the whole stage beyond which there is no interest, in ticks. None if any is
        of interest, with first latencies up to UNREACHABLE too.
    allowance : Allowance, optional
        What it may take; if that is not enough, the bounds are those of computing alone.
    """
    send, least = np.array(arc.send[-1]), least_work(arc)
    if least is None:
        return np.full(len(first), UNREACHABLE)
    start, held = held_at_first(arc, first), held_before_last(arc, first, early)
    moves_early = np.zeros(len(send), dtype=bool)
    for row, latency in zip(arc.send[:-1], early, strict=True):
        moves_early |= np.array(row) <= latency
    best = np.full(len(first), UNREACHABLE)
    kinds = sorted(set(send[held.max(axis=0, initial=0) > 0].tolist()))
    for kind, end in zip(kinds, [*kinds, UNREACHABLE][1:], strict=True):
        if allowance is not None and allowance.over:
            return np.full(len(first), least)
        case = _Case(arc, start, held, moves_early, kind)
        starts = _cuts([b for b in kinds if b <= kind], end)
        # Time is whole: an interval ends one tick before the next one begins.
        ends = np.append(starts[1:], end) - 1
        # A case counts only where it needs less than those before.
        interesting = best - 1
        if most is not None:
            interesting = np.minimum(interesting, most - sum(early) - first)
        best = np.minimum(best, case.least_threshold(starts, ends, least, interesting))
        if allowance is not None:
            allowance.spend(BISECTIONS * held.size * len(starts))
    return best


def _cuts(kinds: list[int], end: int) -> IntArray:
    """Return starts of reception intervals below `end`."""
    times = sorted({0} | {k * b for b in kinds for k in range(1, LEVELS + 1) if k * b < end})
    # Wider intervals only loosen the bound: computing counts from their start, receiving to
    # their end.
    step = -(-len(times) // MOST_CUTS)
    return np.array(times[::step], dtype=np.int64)


def _received(arc: ArcNumbers, k: int, held: IntArray, thetas: IntArray) -> IntArray:
    """Return the maps that reach a node within each time, shape (values, thetas, groups).

    `held` tells what a node of each group has of layer k, whose output travels.
    """
    send, sizes = np.array(arc.send[k]), np.array(arc.sizes)
    each = room(thetas[:, np.newaxis], send, held[:, np.newaxis, :])
    received: IntArray = (each @ sizes)[..., np.newaxis] - each
    return received


FINEST = 2**20
"""Part of a threshold to which it is searched; the values that it can take lie further apart."""
BISECTIONS = 4
"""Times that all entries are worked through, about: most first latencies are settled soon."""
AT_ONCE, MOST_WAYS = 64, 15
"""Thresholds that are tried together, over all first thresholds and for each of them."""


@cache
def _steps(most: int) -> IntArray:
    """Return numbers from 1 to `most`, evenly apart in proportion."""
    return np.unique(np.geomspace(1, most, num=4 * LEVELS).astype(np.int64))


class _Case:
    """The relaxation for reception times from one kind's time per map to below the next kind's.

    Parameters
    ----------
    arc : ArcNumbers
        With two or more layers.
    start, held : ndarray of int, shape (values, groups)
        What a node may hold of the first layer, and before the last transfer.
    moves_early : ndarray of bool, shape (groups,)
        Whose maps can leave before the last transfer.
    kind : int
        Ticks that the slowest senders of which a map can move take for it.
    """

    def __init__(
        self, arc: ArcNumbers, start: IntArray, held: IntArray, moves_early: BoolArray, kind: int
    ) -> None:
        self.arc, self.sizes = arc, np.array(arc.sizes)
        self.work, self.caps = np.array(arc.work), np.array(arc.caps[-1])
        self.start, self.held, self.kind = start, held, kind
        send = np.array(arc.send[-1])
        self.free = moves_early | (send < kind)
        self.slowest = max(int(self.sizes[send == kind].sum()), 1)
        most = int(held[:, send == kind].max(initial=1))
        steps = _steps(most)
        # Each step stands for all up to the next one: it costs no more, and brings as much as any.
        self.takes, self.brings = steps, np.append(steps[1:] - 1, most)

    def least_threshold(
        self, starts: IntArray, ends: IntArray, least: int, most: IntArray
    ) -> IntArray:
        """Return the least T with room for all maps, or a little less, for each first threshold.

        Several thresholds are tried at once, the more the fewer first thresholds are left.

        Parameters
        ----------
        starts, ends : ndarray of int, shape (times,)
            The intervals into which the time for receiving is cut.
        least : int
            No smaller T has room.
        most : ndarray of int, shape (values,)
            The largest T of interest for each first threshold; UNREACHABLE is returned beyond.
        """
        received = _received(self.arc, len(self.arc.send) - 1, self.held, ends)
        self.starts, self.reachable = starts, self.held[:, np.newaxis, :] + received
        enough = int((self.work * self.caps).max()) + int(starts[-1])
        high = np.minimum(most, enough + self.kind * int(self.takes[-1]) + 1)
        found = np.full(len(most), UNREACHABLE)
        rows = np.flatnonzero(high >= least)
        rows = rows[self._fits(high[rows], rows)]
        low, high = np.full(len(rows), least - 1), high[rows]
        ways = int(np.clip(AT_ONCE // max(len(rows), 1), 1, MOST_WAYS))
        # Ends early for large thresholds: low + 1 is a lower bound all the same.
        while (high - low > 1 + np.maximum(low, 0) // FINEST).any():
            parts = (high - low)[:, np.newaxis] * np.arange(1, ways + 1) // (ways + 1)
            tried = np.sort(
                np.minimum(low[:, np.newaxis] + np.maximum(parts, 1), high[:, np.newaxis])
            )
            fits = self._fits(tried.ravel(), np.repeat(rows, ways)).reshape(tried.shape)
            # All up to the largest that fails fail; the next one tried, if any, fits.
            failing = np.where(fits, -1, np.arange(ways)).max(axis=1)
            edges = np.hstack([low[:, np.newaxis], tried, high[:, np.newaxis]])
            at = np.arange(len(rows))
            low, high = edges[at, failing + 1], edges[at, failing + 2]
        found[rows] = low + 1
        return found

    def _computed(self, threshold: IntArray, received_for: IntArray) -> IntArray:
        """Return the segments computed in what reception leaves, shape (values, times, groups)."""
        left = threshold[:, np.newaxis, np.newaxis] - received_for[:, np.newaxis]
        return np.where(left >= 0, room(left, self.work, self.caps), 0)

    def _fits(self, threshold: IntArray, rows: IntArray) -> BoolArray:
        """Tell for each threshold whether there is room, with the first threshold of its row."""
        held, start = self.held[rows], self.start[rows]
        computed = self._computed(threshold, self.starts)
        alone = np.minimum(computed[:, 0, :], held)
        best = np.minimum(computed, self.reachable[rows]).max(axis=1)
        spare = best @ self.sizes - self.arc.maps
        staying = np.minimum(alone, start)
        supply = np.where(self.free, start, staying) @ self.sizes
        need = -(-np.maximum(self.arc.maps - supply, 0) // self.slowest)
        fits: BoolArray = spare >= 0
        taking = np.flatnonzero(fits & (need > 0))
        if taking.size:
            fits[taking] = self._worth_taking(
                threshold[taking], best[taking], need[taking], spare[taking]
            )
        return fits

    def _worth_taking(
        self, threshold: IntArray, best: IntArray, need: IntArray, spare: IntArray
    ) -> BoolArray:
        """Tell whether the maps that must move from the slowest senders can be taken.

        A node that takes k maps from each of them computes that much less than its best; over all
        nodes the k must add up to `need`, and the losses to at most `spare`. The least loss per
        map decides: loss · need <= spare · k for some node and k.
        """
        after = np.minimum(
            self._computed(threshold, self.takes * self.kind), best[:, np.newaxis, :]
        )
        loss = np.where(self.caps > 0, best[:, np.newaxis, :] - after, UNREACHABLE)
        least = loss.min(axis=2)
        needed, spared = need[:, np.newaxis], spare[:, np.newaxis]
        # Cut back, so that the product stays inside 64 bits: a smaller loss only loosens the bound.
        can = np.minimum(least, 2**20) * needed <= spared * self.brings
        worth: BoolArray = (can & (least < UNREACHABLE)).any(axis=1)
        return worth
