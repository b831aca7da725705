"""A lower bound on one arc of the stage graph when loads on the budgets 8b-8d cost time.

Latency and priced load of every placement of the arc are bounded from below by a minimum over
finitely many cells of thresholds; in each cell groups are filled in order of cost per segment.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.batch.bound.latency_grid import ends_of, grid_of
from optmodel.batch.bound.stage_use import LoadTariff
from optmodel.batch.options import BoundOptions
from optmodel.problem import Fleet, FloatArray, IntArray, RequestTask
from optmodel.stages import RequestStage, SenderSignature, StageArc, cheapest_first, quick_bound


@dataclass(frozen=True, eq=False)
class PriceReply:
    """A lower bound at given prices, and what it is made of."""

    value_s: float
    """Latency plus priced load; infinite if there is no placement."""
    latency_s: float
    """The latency in it."""
    load: FloatArray
    """The bytes, multiplications and bits in it; shape (3, groups)."""
    rests_on: frozenset[object] = frozenset()
    """What it takes to be true; if a graph learns better, the bound can be higher."""


@dataclass(frozen=True, eq=False)
class LatencyCells:
    """Sets of placements, each with bounds on what its members need and can do."""

    ticks: IntArray
    """Least latency, shape (cells,)."""
    held: IntArray
    width: IntArray
    """Most segments of the first and the last layer on one node, respectively; each shape
    (cells, parts)."""


class PricedArc:
    """An arc with what its placements put on the budgets."""

    def __init__(
        self,
        fleet: Fleet,
        task: RequestTask,
        stage: RequestStage,
        before: SenderSignature | None,
        choice: StageArc,
        options: BoundOptions,
    ) -> None:
        self.options = options
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
        least, caps = quick_bound(self.arc), np.array(self.arc.caps, dtype=np.int64)
        cells = int(least is not None)
        return LatencyCells(np.array([least or 0])[:cells], caps[:cells], caps[-1:][:cells])

    @cached_property
    def _all_cells(self) -> LatencyCells:
        grid = grid_of(self.arc, self.options)
        if grid is None:
            return self._one_cell
        least = grid.least_last[:, np.newaxis]
        ticks = grid.spent[:, np.newaxis] + np.maximum(grid.last, least)
        held = np.broadcast_to(grid.held[:, np.newaxis], grid.width.shape)
        # Intervals that end before the least last latency hold no placement.
        some = ends_of(grid.last) >= least
        return LatencyCells(ticks[some], held[some], grid.width[some])

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
        fits = cells.width @ self.sizes >= self.arc.maps
        taken = cheapest_first(self.arc.maps, self.sizes * cells.width, unit)
        # What a node holds itself is not sent to it: the dearest bits are saved first.
        saving = cheapest_first(self.arc.maps, self.sizes * cells.held, -saved_each)
        # The price of a part without room is infinite, and 0 times that is no number.
        cost = (taken * np.where(taken > 0, unit, 0.0)).sum(axis=1) - saving @ saved_each
        value = np.where(fits, cells.ticks * self.tick_s + cost, np.inf)
        best = int(value.argmin())
        if not np.isfinite(value[best]):
            return PriceReply(np.inf, np.inf, nothing)
        load = nothing.copy()
        width = np.maximum(cells.width[best], 1)
        # Several parts may be of one group: `+=` would count only one of them.
        np.add.at(load[0], self.group, taken[best] * self.tariff.segment[0])
        np.add.at(load[1], self.group, taken[best] * self.tariff.segment[1])
        spared = saving[best] * self.tariff.kept * self.sent_before
        sent = taken[best] / width * self.tariff.active - spared
        np.add.at(load[2], self.group, sent)
        return PriceReply(float(value[best]), float(cells.ticks[best] * self.tick_s), load)
