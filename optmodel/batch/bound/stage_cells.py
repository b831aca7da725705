"""The cells of a stage group by group: what so many nodes of each can hold and compute."""

from dataclasses import dataclass

import numpy as np

from optmodel.batch.bound.latency_grid import grid_of
from optmodel.batch.options import BoundOptions
from optmodel.problem import IntArray
from optmodel.stages import StageArc


@dataclass(frozen=True, eq=False)
class StageCells:
    """The cells of a stage behind given senders.

    The nodes of a group are alike, but for one of a group, if the senders single it out: it may
    hold and compute some more.
    """

    spent: IntArray
    """Ticks before the last layer, at least; shape (cells,)."""
    last: IntArray
    """Ticks of the last layer: starts of intervals, shape (times,)."""
    least_last: IntArray
    """Ticks of the last layer, at least; shape (cells,)."""
    held: IntArray
    """Most maps of the first layer on one node, shape (cells, groups)."""
    width: IntArray
    """Most segments of the last layer on one node, shape (cells, times, groups)."""
    alone: int | None
    """The group of the node that is singled out; None if none is."""
    more_held: IntArray
    more_width: IntArray
    """How many more the node singled out may have; shapes (cells,) and (cells, times)."""

    def maps_on(self, numbers: IntArray) -> IntArray:
        """Return the most maps of the first layer on so many nodes, shape (cells, sets, groups).

        `numbers` has shape (sets, groups).
        """
        return self._on(numbers, self.held[:, np.newaxis, :], self.more_held[:, np.newaxis])

    def segments_on(self, numbers: IntArray, at: IntArray) -> IntArray:
        """Return the most segments of the last layer on so many nodes, shape as of `maps_on`.

        `at` is the interval of the last latency, shape (cells, sets).
        """
        cell = np.arange(len(self.spent))[:, np.newaxis]
        return self._on(numbers, self.width[cell, at], self.more_width[cell, at])

    def first_with_room(self, numbers: IntArray, segments: int) -> IntArray:
        """Return the first interval of the last latency in which nodes compute all segments.

        Shape (cells,), the number of intervals if there is none; `numbers` has shape (groups,).
        """
        # In floats, which numpy multiplies many times faster; the numbers are far below 2^53.
        most = self.width.astype(float) @ numbers.astype(float)
        if self.alone is not None and numbers[self.alone]:
            most = most + self.more_width
        # Room grows with the interval: as many are too narrow as come before the first.
        narrow: IntArray = (most < segments).sum(axis=1)
        return narrow

    def _on(self, numbers: IntArray, each: IntArray, more: IntArray) -> IntArray:
        found: IntArray = numbers * each
        if self.alone is not None:
            found[..., self.alone] += np.where(numbers[:, self.alone] > 0, more, 0)
        return found


def cells_of(choice: StageArc, groups: int, options: BoundOptions) -> StageCells | None:
    """Cut the placements of an arc, which ends with any senders, into cells.

    None if it has no placement.
    """
    grid = grid_of(choice.arc, options)
    if grid is None:
        return None
    alone = next((part.group for part in choice.parts if part.sends), None)
    held, more_held = _per_group(grid.held, choice, groups)
    width, more_width = _per_group(grid.width, choice, groups)
    return StageCells(
        grid.spent, grid.last, grid.least_last, held, width, alone, more_held, more_width
    )


def _per_group(each: IntArray, choice: StageArc, groups: int) -> tuple[IntArray, IntArray]:
    """Return numbers per part as numbers per group, and how many more the single node has."""
    found = np.zeros((*each.shape[:-1], groups), dtype=np.int64)
    more = np.zeros(each.shape[:-1], dtype=np.int64)
    for p, part in enumerate(choice.parts):
        if not part.sends:
            found[..., part.group] = each[..., p]
    # In a second pass, as what the others of its group have must be known.
    for p, part in enumerate(choice.parts):
        if part.sends:
            more = np.maximum(each[..., p] - found[..., part.group], 0)
    return found, more
