"""Limits on the latencies of one stage that are worth trying, and the room that they leave.

They depend on times and room alone, not on prices, so that they are kept from one construction to
the next.
"""

from dataclasses import dataclass

import numpy as np

from optmodel.batch.options import ConstructOptions
from optmodel.problem import FloatArray, IntArray

UP = 1 + 1e-12
"""Against rounding: a latency n · time is not above a limit of the same n · time."""


@dataclass(frozen=True, eq=False)
class LatencyLadder:
    """Pairs of limits with room for all maps, the shortest first, one for each room they leave."""

    least_s: FloatArray
    """Sum of the limits in seconds, shape (rungs,)."""
    width: FloatArray
    """Maps that each node can hold within the limits, shape (rungs, nodes)."""


class LatencyLadders:
    """Makes each ladder once."""

    def __init__(self, options: ConstructOptions | None = None) -> None:
        self.options = options or ConstructOptions()
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
            ladder = _ladder(times, most, maps, self.options.most_latencies)
            self._numbers += ladder.width.size
            if self._numbers > self.options.most_widths:
                self._kept, self._numbers = {}, ladder.width.size
            self._kept[key] = ladder
        return self._kept[key]


def _ladder(
    times: tuple[FloatArray, ...], most: IntArray, maps: int, most_values: int
) -> LatencyLadder:
    # No node needs room for more than all maps; so capped, more nodes are alike.
    nodes = np.column_stack([*times, np.minimum(most, maps)])
    kinds, kind_of, number = np.unique(nodes, axis=0, return_inverse=True, return_counts=True)
    *each, room = kinds.T
    axes = [_latencies(time, room, number, maps, most_values) for time in each]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
    grid = grid[np.argsort(grid.sum(axis=1), kind="stable")]
    width = np.broadcast_to(room, (len(grid), len(room)))
    for time, limits in zip(each, grid.T, strict=True):
        width = np.minimum(width, _held(limits, time, room))
    enough = np.flatnonzero(width @ number >= maps)
    # Longer limits that leave the same room cost more, whatever the prices.
    rungs = enough[np.sort(np.unique(width[enough], axis=0, return_index=True)[1])]
    return LatencyLadder(grid[rungs].sum(axis=1), width[rungs][:, kind_of])


def _held(limits: FloatArray, time: FloatArray, most: FloatArray) -> FloatArray:
    """Return how many maps each node holds within limits, shape (limits, nodes)."""
    held = np.broadcast_to(most, (len(limits), len(most))).copy()
    np.floor_divide(limits[:, np.newaxis] * UP, time, where=time > 0, out=held)
    return np.minimum(held, most, out=held)


def _latencies(
    time: FloatArray, room: FloatArray, number: IntArray, maps: int, most_values: int
) -> FloatArray:
    """Return values that the latency of a layer can take, thinned out, the largest kept.

    They are multiples of seconds per map, for kinds of so many nodes with room for so many maps.
    """
    multiples = [np.arange(1, n + 1) * t for t, n in zip(time, room, strict=True)]
    values = np.unique(np.concatenate(multiples))
    values = values[_held(values, time, room) @ number >= maps]
    if len(values) <= most_values:
        return values
    # In equal ratios: a longer latency leaves more room, but ever less for each second.
    wanted = np.geomspace(max(values[0], values[-1] * 1e-3), values[-1], most_values)
    at = np.unique(np.append(0, np.searchsorted(values, wanted).clip(0, len(values) - 1)))
    chosen: FloatArray = values[at]
    return chosen
