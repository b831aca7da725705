"""One stage of a request at given prices: from the senders before it to those it ends with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.batch.bound.sender_ranges import SenderRange, all_senders
from optmodel.batch.bound.stage_cells import StageCells, cells_of
from optmodel.batch.bound.stage_use import LoadTariff, StageUse
from optmodel.batch.options import BoundOptions
from optmodel.problem import Fleet, FloatArray, IntArray, RequestTask
from optmodel.search import Allowance
from optmodel.stages import (
    ANYBODY,
    UNREACHABLE,
    ArcBook,
    RequestStage,
    SenderSignature,
    arcs_between,
    arcs_to,
    cheapest_first,
)


@dataclass(frozen=True, eq=False)
class ReachedSenders:
    """The least costs with which senders behind a stage are reached, and how."""

    value_s: FloatArray
    """Latency and priced use of all stages so far, shape (ends,)."""
    before: IntArray
    cell: IntArray
    last: IntArray
    """Numbers of the senders before, of the cell, and of the last interval of the last latency that
    is used; each shape (ends,)."""
    ticks: IntArray
    """The latency of the stage, shape (ends,)."""

    @classmethod
    def nowhere(cls, ends: int) -> "ReachedSenders":
        """Return that no end is reached."""
        # Four arrays, not one four times: `improve` writes into each.
        numbers = [np.zeros(ends, dtype=np.int64) for _ in range(4)]
        return cls(np.full(ends, np.inf), *numbers)

    def improve(self, other: "ReachedSenders") -> None:
        """Take over what the other one reaches at less cost."""
        better = other.value_s < self.value_s
        for name in ("value_s", "before", "cell", "last", "ticks"):
            getattr(self, name)[better] = getattr(other, name)[better]


class SenderStage:
    """A stage from sets of senders, of which the signatures `befores` matter, to others."""

    def __init__(
        self,
        fleet: Fleet,
        task: RequestTask,
        stage: RequestStage,
        befores: Sequence[SenderSignature | None],
        book: ArcBook,
        options: BoundOptions,
    ) -> None:
        self.fleet, self.task, self.stage, self.book = fleet, task, stage, book
        self.options = options
        self.tariff = LoadTariff(task, stage)
        self.maps = task.layers[stage.first].segments
        self.sizes = np.array([len(group.nodes) for group in fleet.groups])
        may = tuple(cap if g in stage.groups else 0 for g, cap in enumerate(stage.caps[-1]))
        whole = task.layers[stage.last].whole
        self.ends = list(all_senders(tuple(self.sizes.tolist()), may, self.maps, whole))
        rates = tuple(group.rate for group in fleet.groups)
        self.signatures = [senders.signature(rates) for senders in self.ends]
        self.cells: dict[SenderSignature | None, StageCells] = {}
        for before in befores:
            # One arc, as `ANYBODY` singles out no node; the ends cut its cells down.
            [choice] = arcs_between(fleet, task, stage, before, ANYBODY)
            cells = cells_of(choice, len(self.sizes), options)
            if cells is not None:
                self.cells[before] = cells
        self._first = {before: self._firsts(before, self.ends) for before in self.cells}
        self._floor = {before: np.zeros(len(self.ends), np.int64) for before in self.cells}

    def _firsts(self, before: SenderSignature | None, ends: Sequence[SenderRange]) -> IntArray:
        """Return the first interval of the last latency with room, shape (cells, ends)."""
        cells = self.cells[before]
        first = np.empty((len(cells.spent), len(ends)), dtype=np.int64)
        for n, senders in enumerate(ends):
            # The most of each group: no set of the range has room earlier.
            first[:, n] = cells.first_with_room(np.array(senders.high), self.maps)
        return first

    def split(self, n: int) -> None:
        """Put two halves in place of the ends number n: one there, one behind all others."""
        # No other end changes its number, and what was proven of a range holds for its halves.
        halves = self.ends[n].halves()
        self.ends[n] = halves[0]
        self.ends.append(halves[1])
        self.signatures.append(self.signatures[n])
        for before, first in self._first.items():
            columns = self._firsts(before, halves)
            first[:, n] = columns[:, 0]
            self._first[before] = np.column_stack([first, columns[:, 1]])
            self._floor[before] = np.append(self._floor[before], self._floor[before][n])

    def solve(self, before: SenderSignature | None, n: int) -> None:
        """Solve the arcs to the ends number n: no placement with these is faster."""
        allowance = Allowance(self.options.arc_steps)
        arcs = arcs_to(self.fleet, self.task, self.stage, before, self.ends[n].high)
        bounds = [self.book.solve(choice.arc, UNREACHABLE, allowance).bound for choice in arcs]
        # All placements lie on one of these arcs or another: the least bound holds for all.
        self._floor[before][n] = max(self._floor[before][n], min(bounds, default=UNREACHABLE))

    def reach(
        self,
        values_s: FloatArray,
        befores: Sequence[SenderRange],
        signatures: Sequence[SenderSignature | None],
        prices: StageUse,
    ) -> ReachedSenders:
        """Return the least costs of all ends, given those of the senders before.

        Parameters
        ----------
        values_s : ndarray, shape (senders before,)
            What it costs to reach them.
        befores, signatures : sequence of SenderRange, of SenderSignature or None
            The senders before the stage; none before the first, whose only signature is None.
        prices : StageUse
            Seconds for one of each.
        """
        reached = ReachedSenders.nowhere(len(self.ends))
        for signature, cells in self.cells.items():
            here = np.array([n for n, s in enumerate(signatures) if s == signature], dtype=np.int64)
            # Without cells, or senders to come from, there is no least cost to take.
            if len(here) and len(cells.spent):
                high = np.array([befores[n].high for n in here]) if befores else None
                entering, came = _entering(cells, values_s[here], high, self.maps, prices)
                found = self._behind(signature, entering, prices)
                found.before[:] = here[came[found.cell]]
                reached.improve(found)
        low = np.array([senders.low for senders in self.ends]).reshape(-1, len(self.sizes))
        # A range costs its low end, whichever way it is reached.
        reached.value_s[:] += low @ prices.active
        return reached

    def _behind(
        self, before: SenderSignature | None, entering: FloatArray, prices: StageUse
    ) -> ReachedSenders:
        """Return how ends are reached from the costs before each cell, active nodes not counted."""
        cells, first = self.cells[before], self._first[before]
        low, high = self._numbers("low"), self._numbers("high")
        base = entering[:, np.newaxis] + self._moved(cells, low, high, prices) @ prices.moved
        top, every = len(cells.last) - 1, np.arange(len(self.ends))
        # Where all segments cost the same, later intervals with more room win nothing.
        bands = self.options.bands if np.ptp(prices.segments) else self.options.bands[:1]
        reached = ReachedSenders.nowhere(len(self.ends))
        for start, end in zip(bands, [*(band - 1 for band in bands[1:]), top], strict=True):
            ticks = self._ticks(before, start)
            most = np.minimum(first + end, top)
            value = np.where(ticks < UNREACHABLE, base + ticks * float(self.fleet.tick_s), np.inf)
            if prices.segments.any():
                value += self._computed(cells, high, most, prices) @ prices.segments
            cell = value.argmin(axis=0)
            at = (cell, every)
            reached.improve(ReachedSenders(value[at], cell, cell, most[at], ticks[at]))
        return reached

    def _numbers(self, name: str) -> IntArray:
        """Return the low or high numbers of all ends, shape (ends, groups)."""
        numbers = [getattr(senders, name) for senders in self.ends]
        return np.array(numbers, dtype=np.int64).reshape(-1, len(self.sizes))

    def _ticks(self, before: SenderSignature | None, later: int) -> IntArray:
        """Return the latency, that many intervals beyond the first with room, at least."""
        cells = self.cells[before]
        at = np.minimum(self._first[before] + later, len(cells.last))
        # Beyond the last interval there is no room.
        last = np.append(cells.last, UNREACHABLE)[at]
        ticks = cells.spent[:, np.newaxis] + np.maximum(last, cells.least_last[:, np.newaxis])
        ticks = np.maximum(ticks, self._floor[before])
        # Cut back, so that sums along a path do not overflow.
        least: IntArray = np.minimum(ticks, UNREACHABLE)
        return least

    def _computed(
        self, cells: StageCells, high: IntArray, most: IntArray, prices: StageUse
    ) -> FloatArray:
        """Return who computes the segments, shape (cells, ends, groups)."""
        return cheapest_first(self.maps, cells.segments_on(high, most), prices.segments)

    def _moved(
        self, cells: StageCells, low: IntArray, high: IntArray, prices: StageUse
    ) -> FloatArray:
        """Return what nodes that compute nothing have to send, shape (cells, ends, groups)."""
        if self.stage.first == self.stage.last:
            return np.zeros((len(cells.spent), len(low), len(self.sizes)))
        # Maps beyond what the ends hold at first start elsewhere, and each is sent once at least.
        left = np.maximum(self.maps - cells.maps_on(high).sum(axis=2), 0)
        # Any nodes may be those elsewhere, but for the least number that compute.
        return cheapest_first(left, cells.maps_on(self.sizes - low), prices.moved)

    def use(
        self,
        before: SenderSignature | None,
        senders: SenderRange | None,
        at: ReachedSenders,
        n: int,
        prices: StageUse,
    ) -> StageUse:
        """Return what is used where the ends number n are reached."""
        cells, cell, end = self.cells[before], int(at.cell[n]), self.ends[n]
        low, high = np.array([end.low]), np.array([end.high])
        last = np.full((len(cells.spent), 1), at.last[n])
        kept = np.zeros(len(self.sizes))
        if senders is not None:
            kept = _kept(cells, np.array([senders.high]), self.maps, prices)[cell, 0]
        return StageUse(
            segments=self._computed(cells, high, last, prices)[cell, 0],
            active=low[0].astype(float),
            kept=kept,
            moved=self._moved(cells, low, high, prices)[cell, 0],
        )


def _kept(cells: StageCells, high: IntArray, maps: int, prices: StageUse) -> FloatArray:
    """Return the dearest maps that senders need not send, shape (cells, sets, groups)."""
    kept: FloatArray = cheapest_first(maps, cells.maps_on(high), -prices.kept)
    return kept


def _entering(
    cells: StageCells, values_s: FloatArray, high: IntArray | None, maps: int, prices: StageUse
) -> tuple[FloatArray, IntArray]:
    """Return for each cell the least cost before it, and which senders it comes from."""
    if high is None:
        nothing = np.zeros(len(cells.spent), dtype=np.int64)
        return np.full(len(nothing), values_s[0]), nothing
    values = values_s - _kept(cells, high, maps, prices) @ prices.kept
    best = values.argmin(axis=1)
    return values[np.arange(len(best)), best], best
