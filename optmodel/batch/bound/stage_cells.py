"""All placements of a stage in cells by their latencies, and what nodes can do in each.

A cell is an interval of the latency of the first layer, one of the layers between, and one of the
last layer. What its placements need is taken from the starts of the intervals, what they can do
from the ends.
"""

from dataclasses import dataclass, replace

import numpy as np

from optmodel.batch.bound.priced_arc import MOST_FIRST, last_latencies, only_latencies, width_of
from optmodel.problem import IntArray
from optmodel.stages import (
    UNREACHABLE,
    ArcNumbers,
    StageArc,
    first_thresholds,
    held_at_first,
    held_before_last,
    last_thresholds,
    quick_bound,
)

EARLY = (1, 2, 4, 8)
"""Multiples of the least time to move a map at which latencies of layers between are cut."""


@dataclass(frozen=True, eq=False)
class StageCells:
    """The cells of a stage behind given senders.

    The nodes of a group are alike, but for one of a group, if the senders single it out: it may
    hold and compute some more.

    Attributes
    ----------
    spent : ndarray of int, shape (cells,)
        Ticks before the last layer, at least.
    last : ndarray of int, shape (times,)
        Ticks of the last layer: starts of intervals.
    least_last : ndarray of int, shape (cells,)
        Ticks of the last layer, at least.
    held : ndarray of int, shape (cells, groups)
        Most maps of the first layer on one node.
    width : ndarray of int, shape (cells, times, groups)
        Most segments of the last layer on one node.
    alone : int or None
        The group of the node that is singled out.
    more_held, more_width : ndarray of int, shapes (cells,) and (cells, times)
        How many more that node may have.
    """

    spent: IntArray
    last: IntArray
    least_last: IntArray
    held: IntArray
    width: IntArray
    alone: int | None
    more_held: IntArray
    more_width: IntArray

    def only(self, cell: int) -> "StageCells":
        """Return one of the cells."""
        at = slice(cell, cell + 1)
        return replace(
            self,
            spent=self.spent[at],
            least_last=self.least_last[at],
            held=self.held[at],
            width=self.width[at],
            more_held=self.more_held[at],
            more_width=self.more_width[at],
        )

    def maps_on(self, numbers: IntArray) -> IntArray:
        """Return the most maps of the first layer on so many nodes of each group.

        Parameters
        ----------
        numbers : ndarray of int, shape (sets, groups)

        Returns
        -------
        ndarray of int, shape (cells, sets, groups)
        """
        return self._on(numbers, self.held[:, np.newaxis, :], self.more_held[:, np.newaxis])

    def segments_on(self, numbers: IntArray, at: IntArray) -> IntArray:
        """Return the most segments of the last layer on so many nodes of each group.

        Parameters
        ----------
        numbers : ndarray of int, shape (sets, groups)
        at : ndarray of int, shape (cells, sets)
            The interval of the last latency.

        Returns
        -------
        ndarray of int, shape (cells, sets, groups)
        """
        cell = np.arange(len(self.spent))[:, np.newaxis]
        return self._on(numbers, self.width[cell, at], self.more_width[cell, at])

    def first_with_room(self, numbers: IntArray, segments: int) -> IntArray:
        """Return the first interval of the last latency in which nodes compute all segments.

        Parameters
        ----------
        numbers : ndarray of int, shape (groups,)

        Returns
        -------
        ndarray of int, shape (cells,)
            The number of intervals if there is none.
        """
        most = self.width.astype(float) @ numbers.astype(float)
        if self.alone is not None and numbers[self.alone]:
            most = most + self.more_width
        narrow: IntArray = (most < segments).sum(axis=1)
        return narrow

    def _on(self, numbers: IntArray, each: IntArray, more: IntArray) -> IntArray:
        found: IntArray = numbers * each
        if self.alone is not None:
            found[..., self.alone] += np.where(numbers[:, self.alone] > 0, more, 0)
        return found


def cells_of(choice: StageArc, groups: int) -> StageCells | None:
    """Cut the placements of an arc, which ends with any senders, into cells.

    None if it has no placement.

    Parameters
    ----------
    choice : StageArc
        The arc.
    groups : int
        Groups of the fleet.
    """
    arc = choice.arc
    if quick_bound(arc) is None:
        return None
    spent, last, least_last, held, width = _one_layer(arc) if len(arc.caps) == 1 else _grid(arc)
    some = least_last < UNREACHABLE
    spent, least_last, held, width = spent[some], least_last[some], held[some], width[some]
    alone = next((part.group for part in choice.parts if part.sends), None)
    held, more_held = _per_group(held, choice, groups)
    width, more_width = _per_group(width, choice, groups)
    return StageCells(spent, last, least_last, held, width, alone, more_held, more_width)


def _per_group(each: IntArray, choice: StageArc, groups: int) -> tuple[IntArray, IntArray]:
    """Return numbers per part as numbers per group, and how many more the single node has."""
    found = np.zeros((*each.shape[:-1], groups), dtype=np.int64)
    more = np.zeros(each.shape[:-1], dtype=np.int64)
    for p, part in enumerate(choice.parts):
        if not part.sends:
            found[..., part.group] = each[..., p]
    for p, part in enumerate(choice.parts):
        if part.sends:
            more = np.maximum(each[..., p] - found[..., part.group], 0)
    return found, more


Parts = tuple[IntArray, IntArray, IntArray, IntArray, IntArray]


def _one_layer(arc: ArcNumbers) -> Parts:
    """Return the cells of a layer that receives and computes: its latency is the first one."""
    starts, width = only_latencies(arc)
    nothing = np.zeros(len(starts), dtype=np.int64)
    return starts, np.zeros(1, dtype=np.int64), nothing, width, width[:, np.newaxis]


def _grid(arc: ArcNumbers) -> Parts:
    """Return the cells of several layers: all first latencies, with maps moved early or not."""
    first = first_thresholds(arc, UNREACHABLE)
    first = first[:: -(-len(first) // MOST_FIRST)]
    ends = np.append(first[1:] - 1, UNREACHABLE)
    held, least, spent = [], [], []
    for start, end in _early_intervals(arc):
        early = (end,) * (len(arc.send) - 1)
        held.append(held_before_last(arc, ends, early))
        least.append(last_thresholds(arc, ends, early))
        spent.append(first + start)
    least_last, kinds = np.concatenate(least), len(held)
    last = last_latencies(arc, int(least_last.min()))
    width = width_of(arc, np.concatenate(held), np.append(last[1:] - 1, UNREACHABLE))
    at_first = np.tile(held_at_first(arc, ends), (kinds, 1))
    return np.concatenate(spent), last, least_last, at_first, width


def _early_intervals(arc: ArcNumbers) -> list[tuple[int, int]]:
    """Return intervals of the latency of all layers between; no map moves early in the first."""
    moves = [ticks for row in arc.send[:-1] for ticks in row if ticks]
    if not moves:
        return [(0, 0)]
    starts = [min(moves) * n for n in EARLY]
    return [(0, 0), *zip(starts, [*(start - 1 for start in starts[1:]), UNREACHABLE], strict=True)]
