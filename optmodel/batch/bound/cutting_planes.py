"""Cutting planes: the highest bound that is possible by all replies so far, and at which prices."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from optmodel.batch.options import BoundOptions
from optmodel.ground.bare_highs import bare_highs
from optmodel.problem import FloatArray

ROUNDING = 1e-9
"""Share of all summands by which a bound is lowered, far more than floats can be off by."""


@dataclass(frozen=True, eq=False)
class CuttingPlane:
    """A term of the bound is at most `latency_s` + `slope` · prices."""

    term: int
    """Which term."""
    latency_s: float
    """Seconds."""
    slope: FloatArray
    """Seconds for each second of a price, shape (prices,)."""
    rests_on: frozenset[object] = frozenset()
    """What the plane takes to be true; it may cut off too much once that is known better."""


class CuttingPlanes:
    """Kelley's linear program: maximise the sum of number · term, less what prices cost.

    Parameters
    ----------
    numbers : ndarray, shape (terms,)
        How often each term counts.
    costs : ndarray, shape (prices,)
        What a second of each price takes from the bound.
    unit_s : float
        The bound without prices.
    outdated : sequence of collections
        For each term, what is known better now: planes that rest on it are dropped.
    options : BoundOptions
        How far prices may go, and how a climb steps.
    """

    def __init__(
        self,
        numbers: FloatArray,
        costs: FloatArray,
        unit_s: float,
        outdated: Sequence[Collection[object]],
        options: BoundOptions,
    ) -> None:
        self.options = options
        self.numbers, self.costs, self.unit_s, self.outdated = numbers, costs, unit_s, outdated
        self.planes: list[CuttingPlane] = []

    def highest(self, around: FloatArray | None = None) -> tuple[float, FloatArray]:
        """Return the highest bound that the planes allow, and the prices where they do.

        Parameters
        ----------
        around : ndarray, shape (prices,), optional
            Prices to stay near, within `reach`; few planes say little of others.
        """
        self.planes = [p for p in self.planes if p.rests_on.isdisjoint(self.outdated[p.term])]
        model = bare_highs()
        none, nothing = np.array([], dtype=np.int32), np.array([])
        low, high = self._limits(around)
        for cost, least, most in zip(self.costs.tolist(), low.tolist(), high.tolist(), strict=True):
            model.addCol(-cost, least, most, 0, none, nothing)
        for number in self.numbers.tolist():
            # Bounded, so that the program has an optimum before every term has a plane.
            model.addCol(number, -1e6, 1e6, 0, none, nothing)
        model.changeObjectiveSense(highspy.ObjSense.kMaximize)
        prices = len(self.costs)
        for plane in self.planes:
            some = np.flatnonzero(plane.slope)
            where = np.append(some, prices + plane.term).astype(np.int32)
            row = np.append(-plane.slope[some], 1.0)
            # In units of the bound without prices, as the solver's tolerances are absolute.
            most = plane.latency_s / self.unit_s
            model.addRow(-highspy.kHighsInf, most, len(where), where, row)
        model.run()
        values = np.array(model.getSolution().col_value)[:prices]
        # Clipped: the solver may miss 0 by its tolerance, and a negative price proves nothing.
        return model.getObjectiveValue() * self.unit_s, np.clip(values, 0.0, None) * self.unit_s

    def _limits(self, around: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Return the least and the highest of each price, in units of the bound without prices."""
        none, most = np.zeros(len(self.costs)), np.full(len(self.costs), self.options.highest)
        if around is None:
            return none, most
        at, reach, margin = around / self.unit_s, self.options.reach, self.options.margin
        # A price near nothing may go, and one of nothing may come.
        low = np.where(at > margin, at / reach, none)
        return low, np.minimum(reach * at + margin, most)


AskPrices = Callable[[FloatArray, bool], float]
"""Returns the valid bound that prices give, and adds its planes; closely, if that is asked."""


def climb(
    planes: CuttingPlanes,
    ask: AskPrices,
    start: FloatArray,
    bound_s: float,
    *,
    closely: bool,
    tolerance: float,
) -> Iterator[tuple[FloatArray, float]]:
    """Yield prices and their bounds, towards the highest that all planes together allow.

    Asking closely costs time and raises bounds. So a climb that does not begin with it keeps near
    the best prices while few planes are known, and asks closely once it is nearly there.

    Parameters
    ----------
    planes : CuttingPlanes
        With those of the start.
    ask : callable
        Where bounds and planes come from.
    start : ndarray, shape (prices,)
        Prices whose bound is known.
    bound_s : float
        Their bound.
    closely : bool
        Whether to ask closely from the beginning.
    tolerance : float
        Relative distance to the highest possible bound at which it ends.
    """
    options = planes.options
    at, best, near = start, bound_s, not closely
    while True:
        highest, proposed = planes.highest(at if near else None)
        if near and highest - best <= options.near * highest:
            near = False  # Near the best prices nothing is better: look anywhere.
            continue
        if highest - best <= (tolerance if closely else options.near) * highest:
            # A climb that has not asked closely so far goes on with it rather than end.
            asked_before, closely = closely, True
            found = ask(at, closely)
            if found > best:
                best = found  # Asking has taught something; there may be better prices now.
                yield at, best
            elif asked_before:
                return
            continue
        # The planes propose a corner, mostly too far out: half way there a plane says more.
        tried = at + options.stride * (proposed - at)
        # Roughly first: asking closely takes time, which only promising prices are worth.
        found = ask(tried, False)
        if closely and found > options.promising * best:
            found = ask(tried, closely)
        yield tried, found
        if found > best:
            at, best = tried, found
