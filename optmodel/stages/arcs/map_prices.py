"""Prices on maps: a proof, in whole numbers, that no choice of levels can carry all maps.

Let a node earn 1 for every segment that it computes, and pay its price to the holder for every map
that it takes. If all nodes together cannot earn P, there is no placement. The prices that show it
come from a small linear program; that they do is checked in whole numbers.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import highspy
import numpy as np

from optmodel.ground.bare_highs import bare_highs
from optmodel.problem import FloatArray, IntArray
from optmodel.search import Allowance
from optmodel.stages.arcs.cheapest_first import cheapest_first

UNIT = 2**20
"""What computing a segment earns; prices are whole numbers from 0 to this."""
MOST_ROUNDS = 60
"""Prices that are tried for one proof."""
SLACK = 1e-6
"""Maps by which the linear program may fall short of P and still count as not ruling it out."""


@dataclass(frozen=True, eq=False)
class MapTransfer:
    """What nodes may take of the maps that others hold after a layer.

    Nodes appear in lots of equal ones. A lot has one or more options, of which each of its nodes
    takes one.
    """

    lot: IntArray
    """Whose option it is, in order; shape (options,)."""
    most: IntArray
    """Maps that one node takes at most, shape (options,)."""
    each: IntArray
    """Maps that one node takes at most from all nodes of a lot, with what it holds itself; shape
    (options, lots)."""


@dataclass(frozen=True, eq=False)
class PricedTransfer:
    """What nodes do at given prices in one transfer."""

    options: IntArray
    """The option that earns most, for each lot that has one; shape (answers,)."""
    taken: IntArray
    """Maps that one node takes from each lot, shape (answers, lots)."""


class MapPrices:
    """The dual of choosing levels: a price per map, for each lot and each layer but the last.

    Parameters
    ----------
    maps : int
        P.
    numbers : ndarray of int, shape (lots,)
        Nodes of each lot.
    start : ndarray of int, shape (lots,)
        Maps of the first layer that one node may hold.
    transfers : list of MapTransfer
        One per layer but the first.
    """

    def __init__(
        self, maps: int, numbers: IntArray, start: IntArray, transfers: list[MapTransfer]
    ) -> None:
        self.maps, self.numbers, self.transfers = maps, numbers, transfers
        self.supply = start * numbers
        self.prices: IntArray | None = None

    def earnings(self, prices: IntArray) -> tuple[int, list[PricedTransfer]]:
        """Return the most that all nodes can earn, and how.

        Parameters
        ----------
        prices : ndarray of int, shape (layers - 1, lots)
            In units of 1 / UNIT.
        """
        # The first layer's maps come for free and are sold at its prices.
        total = int((self.supply * prices[0]).sum())
        answers = []
        behind = [*prices[1:], np.full(len(self.numbers), UNIT)]
        for transfer, paid, got in zip(self.transfers, prices, behind, strict=True):
            # A node takes maps as long as they earn more than they cost.
            gain = got[transfer.lot][:, np.newaxis] - paid
            taken = cheapest_first(transfer.most, transfer.each, paid).astype(np.int64)
            taken = np.where(gain > 0, taken, 0)
            earned = (taken * gain).sum(axis=1)
            best = _first_largest(transfer.lot, earned)
            total += int((earned[best] * self.numbers[transfer.lot[best]]).sum())
            answers.append(PricedTransfer(best, taken[best]))
        return total, answers

    def rule_out(self, known: list[IntArray], allowance: Allowance) -> list[FloatArray] | None:
        """Look for prices at which all nodes earn less than P.

        Parameters
        ----------
        known : list of ndarray
            Prices to try first.
        allowance : Allowance
            What the proof may take; without one by then, the fractions are those met last.

        Returns
        -------
        list of ndarray, each shape (options,), or None
            None if there are such prices: then `prices` are these. Otherwise how many nodes take
            each option of each transfer where fractions of nodes may, which carries all maps.
        """
        program = _PriceProgram(self)
        entries = sum(transfer.each.size for transfer in self.transfers)
        for prices in known:
            allowance.spend(entries)
            if self._proves(prices, program):
                return None
        for _ in range(MOST_ROUNDS):
            least, prices = program.least()
            allowance.spend(entries)
            if least >= self.maps - SLACK or allowance.over:
                break
            if self._proves(prices, program):
                return None
        return program.shares()

    def _proves(self, prices: IntArray, program: "_PriceProgram") -> bool:
        total, answers = self.earnings(prices)
        # Strictly less: whoever earns exactly P may be a placement.
        if total < self.maps * UNIT:
            self.prices = prices
            return True
        program.add(answers)
        return False


def _first_largest(lot: IntArray, value: IntArray) -> IntArray:
    """Return for each lot its option of the largest value."""
    order = np.lexsort((-value, lot))
    first: IntArray = order[np.append(True, np.diff(lot[order]) > 0)[: len(order)]]
    return first


# One for all programs: clearing it is faster than making another.
@cache
def _solver() -> Any:
    return bare_highs()


class _PriceProgram:
    """The prices of least earnings, by cutting planes: each answer bounds what its lot earns."""

    def __init__(self, dual: MapPrices) -> None:
        self.dual, self.lots = dual, len(dual.numbers)
        self.earned = len(dual.transfers) * self.lots
        self.rows: list[tuple[int, int]] = []
        self.model = _solver()
        self.model.clearModel()
        for k in range(2 * self.earned):
            # Prices, at most what a segment is worth; then what each lot earns in each transfer.
            self.model.addVar(0.0, 1.0 if k < self.earned else highspy.kHighsInf)
        costs = np.concatenate([dual.supply, np.tile(dual.numbers, len(dual.transfers))])
        at = np.append(np.arange(self.lots), np.arange(self.earned, 2 * self.earned))
        self.model.changeColsCost(len(at), at.astype(np.int32), costs.astype(float))

    def add(self, answers: list[PricedTransfer]) -> None:
        """State that each lot earns at least what these answers give."""
        for k, answer in enumerate(answers):
            lot, taken = self.dual.transfers[k].lot[answer.options], answer.taken
            rows = np.zeros((len(lot), 2 * self.earned))
            rows[:, k * self.lots : (k + 1) * self.lots] = taken
            rows[np.arange(len(lot)), self.earned + k * self.lots + lot] = 1.0
            sums = taken.sum(axis=1).astype(float)
            # What is taken after a layer is sold after the next at its price, after the last for 1.
            if k + 1 < len(answers):
                rows[np.arange(len(lot)), (k + 1) * self.lots + lot] -= sums
                sums = np.zeros(len(lot))
            # Who takes nothing earns nothing, which the bound of its variable says.
            useful = taken.any(axis=1)
            self._add_rows(rows[useful], sums[useful])
            self.rows += [(k, option) for option in answer.options[useful].tolist()]

    def _add_rows(self, rows: FloatArray, least: FloatArray) -> None:
        [row, column] = np.nonzero(rows)
        starts = np.searchsorted(row, np.arange(len(rows))).astype(np.int32)
        self.model.addRows(
            len(rows),
            least,
            np.full(len(rows), highspy.kHighsInf),
            len(column),
            starts,
            column.astype(np.int32),
            rows[row, column],
        )

    def least(self) -> tuple[float, IntArray]:
        """Return the least earnings that the planes allow, and the prices where they do."""
        self.model.run()
        values = np.array(self.model.getSolution().col_value)[: self.earned]
        # Rounding costs no proof: `earnings` is exact for any whole prices.
        prices = np.clip(np.rint(values * UNIT), 0, UNIT).astype(np.int64)
        return self.model.getInfo().objective_function_value, prices.reshape(-1, self.lots)

    def shares(self) -> list[FloatArray]:
        """Return how many nodes of its lot take each option: the dual values of the planes."""
        shares = [np.zeros(len(transfer.lot)) for transfer in self.dual.transfers]
        for (k, option), value in zip(self.rows, self.model.getSolution().row_dual, strict=True):
            shares[k][option] += value
        return shares
