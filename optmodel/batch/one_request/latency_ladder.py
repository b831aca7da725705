"""Limits on the latencies of one stage that are worth trying, and the room that they leave.

They depend on times and room alone, not on prices, so that they are kept from one construction to
the next.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from optmodel.problem import FloatArray, IntArray

MOST_VALUES = 12
"""Latencies of a layer that are tried."""
MOST_NUMBERS = 2**22
"""Widths that are kept; then all are forgotten, so that memory stays flat."""
UP = 1 + 1e-12
"""Against rounding: a limit is not missed by a hair."""


@dataclass(frozen=True, eq=False)
class LatencyLadder:
    """Pairs of limits with room for all maps, the shortest first, one for each room they leave.

    Attributes
    ----------
    least_s : ndarray, shape (rungs,)
        Sum of the limits in seconds.
    width : ndarray of whole numbers, shape (rungs, nodes)
        Maps that each node can hold within the limits.
    """

    least_s: FloatArray
    width: FloatArray


class LatencyLadders:
    """Makes each ladder once."""

    def __init__(self) -> None:
        self._kept: dict[object, LatencyLadder] = {}
        self._numbers = 0

    def find(self, times: tuple[FloatArray, ...], most: IntArray, maps: int) -> LatencyLadder:
        """Return the ladder of one or two layers.

        Parameters
        ----------
        times : tuple of ndarray, each shape (nodes,)
            Seconds that a map takes on each node, for each layer with a latency of its own.
        most : ndarray of int, shape (nodes,)
            Maps that each node may hold.
        maps : int
            Maps that all nodes together must hold.
        """
        key = maps, most.tobytes(), *(time.tobytes() for time in times)
        if key not in self._kept:
            ladder = _ladder(times, most, maps)
            self._numbers += ladder.width.size
            if self._numbers > MOST_NUMBERS:
                self._kept, self._numbers = {}, ladder.width.size
            self._kept[key] = ladder
        return self._kept[key]


def _ladder(times: tuple[FloatArray, ...], most: IntArray, maps: int) -> LatencyLadder:
    kinds, kind_of = _kinds(times, np.minimum(most, maps))
    axes = [
        _latencies([(kind[k], kind[-1], n) for kind, n in kinds.items()], maps)
        for k in range(len(times))
    ]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
    grid = grid[np.argsort(grid.sum(axis=1), kind="stable")]
    *each, room = np.array(list(kinds)).T
    width = np.broadcast_to(room, (len(grid), len(room)))
    for time, limits in zip(each, grid.T, strict=True):
        fits = np.floor_divide(
            limits[:, np.newaxis] * UP, time, where=time > 0, out=np.array(width)
        )
        width = np.minimum(width, fits)
    enough = np.flatnonzero(width @ np.array(list(kinds.values())) >= maps)
    rungs = enough[_first_of_each(width[enough])]
    return LatencyLadder(grid[rungs].sum(axis=1), width[rungs][:, kind_of])


Kind = tuple[float, ...]
"""Seconds that a map takes in each layer, and how many maps a node may hold."""


def _kinds(times: tuple[FloatArray, ...], most: IntArray) -> tuple[Counter[Kind], list[int]]:
    """Return how many nodes there are of each kind, and which of them each node is."""
    nodes: list[Kind] = list(zip(*(time.tolist() for time in times), most.tolist(), strict=True))
    kinds = Counter(nodes)
    place_of = {kind: n for n, kind in enumerate(kinds)}
    return kinds, [place_of[node] for node in nodes]


def _first_of_each(rows: FloatArray) -> list[int]:
    """Return where each different row stands first, in order."""
    first: dict[bytes, int] = {}
    for n, row in enumerate(rows):
        first.setdefault(row.tobytes(), n)
    return list(first.values())


def _latencies(nodes: list[tuple[float, float, int]], maps: int) -> FloatArray:
    """Return values that the latency of a layer can take, thinned out, the largest kept.

    `nodes` lists seconds per map, most maps of a node, and how many such nodes there are.
    """
    holding = [(t, n, number) for t, n, number in nodes if n > 0]
    if not holding:
        return np.zeros(0)
    most: dict[float, float] = {}
    for t, n, _ in holding:
        most[t] = max(n, most.get(t, 0))
    values = np.unique(np.concatenate([np.arange(1, n + 1) * t for t, n in most.items()]))
    free = sum(n * number for t, n, number in holding if not t)
    taken = np.concatenate([np.arange(1, n + 1) * t for t, n, _ in holding if t] or [np.zeros(0)])
    order = np.argsort(taken, kind="stable")
    repeats = np.array([n for t, n, _ in holding if t], dtype=np.int64)
    numbers = np.repeat([number for t, _, number in holding if t], repeats)
    together = np.append(0, np.cumsum(numbers[order]))
    room = free + together[np.searchsorted(taken[order], values * UP, side="right")]
    values = np.asarray(values[room >= maps], dtype=np.float64)
    if len(values) <= MOST_VALUES:
        return values
    wanted = np.geomspace(max(values[0], values[-1] * 1e-3), values[-1], MOST_VALUES)
    at = np.unique(np.append(0, np.searchsorted(values, wanted).clip(0, len(values) - 1)))
    chosen: FloatArray = values[at]
    return chosen
