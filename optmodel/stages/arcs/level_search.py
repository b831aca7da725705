"""Which level for which node? Branch and bound, by prices on maps and maximum flows."""

from dataclasses import dataclass, replace

import numpy as np

from optmodel.problem import FloatArray, IntArray
from optmodel.search import Allowance
from optmodel.stages.arcs.arc_numbers import ArcPlacement
from optmodel.stages.arcs.layer_thresholds import LayerThresholds
from optmodel.stages.arcs.map_prices import MapPrices, MapTransfer


class DecisionUndecided(Exception):  # noqa: N818 - an outcome, not a fault
    """What was allowed ended a decision."""


@dataclass(frozen=True)
class NodeLot:
    """Nodes of one group that may take the levels from `low` to before `high`."""

    group: int
    number: int
    """How many nodes."""
    low: int
    high: int
    """First level, and the one after the last."""


class LevelSearch:
    """Decides whether a placement within thresholds exists.

    `known` are prices that ruled out similar questions, the latest last; those found here join.
    """

    def __init__(
        self, thresholds: LayerThresholds, known: list[IntArray], allowance: Allowance
    ) -> None:
        self.thresholds, self.arc, self.known = thresholds, thresholds.arc, known
        self.allowance = allowance

    def ruled_out(self) -> bool:
        """Tell whether prices show that there is no placement; if not, there may be none still."""
        return self._shares(self._all_nodes()) is None

    def decide(self) -> ArcPlacement | None:
        """Return a placement within the thresholds, None if there is none.

        Raises
        ------
        DecisionUndecided
            If what is allowed was not enough.
        """
        placement = self._flow(None)
        pending = [] if placement is not None else [self._all_nodes()]
        while placement is None and pending:
            # Depth first, the likelier half first: a placement ends the search.
            lots = pending.pop()
            shares = self._shares(lots)
            if shares is None:
                continue
            if self.allowance.over:
                raise DecisionUndecided
            placement = self._flow(self._rounded(lots, shares))
            if placement is None:
                pending += self._halves(lots, shares)
        return placement

    def _flow(self, chosen: IntArray | None) -> ArcPlacement | None:
        """Return a placement at these levels, at the obvious ones if there are none."""
        self.allowance.spend(self.thresholds.arc.nodes**2 * len(self.arc.send))
        return self.thresholds.sketch() if chosen is None else self.thresholds.flow(chosen)

    def _all_nodes(self) -> list[NodeLot]:
        levels = self.thresholds.levels
        return [
            NodeLot(g, size, levels.range_of(g).start, levels.range_of(g).stop)
            for g, size in enumerate(self.arc.sizes)
        ]

    def _shares(self, lots: list[NodeLot]) -> FloatArray | None:
        """Return how many nodes take each level, in fractions; None if no choice will do."""
        dual, groups = self._dual(lots), [lot.group for lot in lots]
        shares = dual.rule_out([prices[:, groups] for prices in self.known], self.allowance)
        if shares is not None:
            return shares[-1]
        # Prices of whole groups serve other questions too; those of parts of groups do not.
        if len(lots) == len(self.arc.sizes) and dual.prices is not None:
            # In place, for the other decisions of this arc hold the same list.
            self.known[:] = [*self.known[-KEPT + 1 :], dual.prices]
        return None

    def _dual(self, lots: list[NodeLot]) -> MapPrices:
        groups = np.array([lot.group for lot in lots])
        numbers = np.array([lot.number for lot in lots])
        transfers = [self._early(k, groups, numbers) for k in range(len(self.thresholds.early))]
        transfers.append(self._last(lots, groups, numbers))
        return MapPrices(self.arc.maps, numbers, self.thresholds.start[groups], transfers)

    def _early(self, k: int, groups: IntArray, numbers: IntArray) -> MapTransfer:
        """Return what may be taken after layer k, one option per lot."""
        moved = self.thresholds.moved_early(k)[groups]
        own = self.thresholds.start if k == 0 else np.array(self.arc.caps[k])
        each = np.tile(moved * numbers, (len(groups), 1))
        # What a node holds itself it need not take: from the others of its lot only.
        np.fill_diagonal(each, own[groups] + moved * (numbers - 1))
        return MapTransfer(np.arange(len(groups)), np.array(self.arc.caps[k + 1])[groups], each)

    def _last(self, lots: list[NodeLot], groups: IntArray, numbers: IntArray) -> MapTransfer:
        """Return what may be taken in the last transfer, an option per lot and level."""
        lot = np.repeat(np.arange(len(lots)), [at.high - at.low for at in lots])
        level = np.concatenate([np.arange(at.low, at.high) for at in lots])
        taken = self.thresholds.levels.taken[level][:, groups]
        each, rows = taken * numbers, np.arange(len(lot))
        own = self.thresholds.held[groups][lot]
        each[rows, lot] = own + taken[rows, lot] * (numbers[lot] - 1)
        return MapTransfer(lot, self.thresholds.levels.computes[level], each)

    def _rounded(self, lots: list[NodeLot], shares: FloatArray) -> IntArray:
        """Return a level for each node, near what the shares say; -1 if it has none."""
        dealt: list[list[int]] = [[] for _ in self.arc.sizes]
        for lot, share in _by_lot(lots, shares):
            if not len(share):
                dealt[lot.group] += [-1] * lot.number
                continue
            # The n-th node takes the level at which the shares pass n + 1/2.
            middles = np.arange(lot.number) + 0.5
            at = np.searchsorted(np.cumsum(share), middles)
            used = int(np.flatnonzero(share > 0).max(initial=0))
            dealt[lot.group] += (lot.low + np.minimum(at, used)).tolist()
        return np.array([level for levels in dealt for level in levels], dtype=np.int64)

    def _halves(self, lots: list[NodeLot], shares: FloatArray) -> list[list[NodeLot]]:
        """Split the choice where the shares are furthest from whole, the nearer half last.

        At most k nodes of a lot take its lower levels: all others take the upper ones. Or k + 1 or
        more do. Empty if all levels are given.
        """
        splits = [
            (_doubt(below, lot.number), n, lot.low + s + 1, below)
            for n, (lot, share) in enumerate(_by_lot(lots, shares))
            for s, below in enumerate(np.cumsum(share).tolist()[:-1])
        ]
        if not splits:
            return []
        _, n, middle, below = max(splits)
        lot = lots[n]
        # At least one node remains for the upper levels, or both halves were the same lot.
        most = min(int(below), lot.number - 1)
        few = [replace(lot, number=most), replace(lot, number=lot.number - most, low=middle)]
        many = [
            replace(lot, number=most + 1, high=middle),
            replace(lot, number=lot.number - most - 1),
        ]
        halves = [few, many] if below - most >= 0.5 else [many, few]
        return [
            [*lots[:n], *(part for part in half if part.number), *lots[n + 1 :]] for half in halves
        ]


KEPT = 4
"""Prices that are remembered for the next question."""


def _by_lot(lots: list[NodeLot], shares: FloatArray) -> list[tuple[NodeLot, FloatArray]]:
    ends = np.cumsum([lot.high - lot.low for lot in lots])
    return list(zip(lots, np.split(shares, ends[:-1]), strict=True))


def _doubt(below: float, number: int) -> float:
    """Return how far a number of nodes is from whole; some, if not all nodes do the same."""
    # The small term breaks ties towards lots that the split leaves two parts of.
    return abs(below - round(below)) + 1e-3 * (0.5 <= below <= number - 0.5)
