"""The restricted master: of all placements found so far, choose one per request, within budgets."""

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np

from optmodel.batch.options import RecombineOptions
from optmodel.ground.bare_highs import bare_highs
from optmodel.ground.interrupt import noticing_interrupt
from optmodel.placement import CostedPlacement, RequestClass
from optmodel.problem import FloatArray

Choice = Sequence[tuple[RequestClass, CostedPlacement]]
"""One placement for each request that is served."""


class RestrictedMaster:
    """A pool of columns, each a placement of one request of a class.

    minimise sum of latency · n, with n >= 0 whole, sum of n over a class's columns = its members
    that are served, and for each helper and budget 8b-8d sum of load · n <= budget. Members of a
    class share columns because a source carries the same load in every placement (8h).

    Parameters
    ----------
    classes : sequence of RequestClass
        The batch.
    budgets : ndarray, shape (3, helpers)
        Bytes, multiplications and bits.
    unit_s : float
        Seconds per unit of the objective.
    options : RecombineOptions
        How large the integer programme may get.

    Attributes
    ----------
    columns : dict of (int, bytes) to CostedPlacement
        By class and load.
    added : int
        How often a column was added or became faster, those counted twice that were dropped
        between.
    """

    def __init__(
        self,
        classes: Sequence[RequestClass],
        budgets: FloatArray,
        unit_s: float,
        options: RecombineOptions,
    ) -> None:
        self.classes, self.budgets, self.unit_s, self.options = classes, budgets, unit_s, options
        self.at = {id(requests): c for c, requests in enumerate(classes)}
        self.columns: dict[tuple[int, bytes], CostedPlacement] = {}
        self.added = 0

    def _key(self, requests: RequestClass, placed: CostedPlacement) -> tuple[int, bytes]:
        return self.at[id(requests)], placed.load.tobytes()

    def add(self, requests: RequestClass, placed: CostedPlacement) -> None:
        """Keep a column; of those with equal loads, the fastest."""
        key = self._key(requests, placed)
        known = self.columns.get(key)
        if known is None or placed.latency_s < known.latency_s:
            self.columns[key] = placed
            self.added += 1

    def prices(self, start: Choice) -> FloatArray:
        """Return the duals of the linear relaxation, shape (3, helpers), and drop dear columns.

        Seconds per byte, multiplication and bit.

        Parameters
        ----------
        start : sequence of (RequestClass, CostedPlacement)
            A choice that is known.
        """
        for requests, placed in start:
            self.add(requests, placed)
        names = list(self.columns)
        model = self._model(names, start)
        model.run()
        duals = np.array(model.getSolution().row_dual)
        reduced = np.array(model.getSolution().col_dual)
        if len(names) > self.options.most_columns:
            cheapest = np.argsort(reduced, kind="stable")[: self.options.most_columns]
            known = {self._key(requests, placed) for requests, placed in start}
            kept = known | {names[i] for i in cheapest.tolist()}
            self.columns = {name: self.columns[name] for name in names if name in kept}
        per_budget = np.maximum(-duals[len(self.classes) :], 0.0) * self.unit_s
        room = np.maximum(self.budgets, 1.0)
        prices: FloatArray = per_budget.reshape(room.shape) / room
        return prices

    def choose(self, start: Choice, seconds: float) -> list[list[CostedPlacement]]:
        """Return the best choice found: for each class, a column per member that is served.

        Parameters
        ----------
        start : sequence of (RequestClass, CostedPlacement)
            A choice that is known.
        seconds : float
            What is left of the time limit, infinite without one.

        Raises
        ------
        KeyboardInterrupt
            As soon as HiGHS has stopped after Ctrl-C.
        """
        for requests, placed in start:
            self.add(requests, placed)
        names = list(self.columns)
        model = self._model(names, start)
        for i in range(len(names)):
            model.changeColIntegrality(i, highspy.HighsVarType.kInteger)
        number = {name: i for i, name in enumerate(names)}
        known = highspy.HighsSolution()
        values = np.zeros(len(names))
        for requests, placed in start:
            values[number[self._key(requests, placed)]] += 1
        known.col_value = values.tolist()
        model.setSolution(known)
        model.setOptionValue("time_limit", max(seconds, 0.01))
        model.setOptionValue("mip_max_nodes", self.options.most_nodes)
        run_until_interrupt(model)
        solution = model.getSolution()
        if solution.value_valid:
            values = np.array(solution.col_value)
        times = np.rint(values).astype(int)
        chosen: list[list[CostedPlacement]] = [[] for _ in self.classes]
        for name, n in zip(names, times.tolist(), strict=True):
            chosen[name[0]] += [self.columns[name]] * n
        return chosen

    def _model(self, names: list[tuple[int, bytes]], start: Choice) -> Any:
        model = bare_highs()
        none, nothing = np.array([], dtype=np.int32), np.array([])
        members = [0.0] * len(self.classes)
        for requests, _ in start:
            members[self.at[id(requests)]] += 1
        for number in members:
            model.addRow(number, number, 0, none, nothing)
        room = np.maximum(self.budgets, 1.0)
        for full in (self.budgets / room).ravel().tolist():
            model.addRow(-highspy.kHighsInf, full, 0, none, nothing)
        for name in names:
            placed, c = self.columns[name], name[0]
            share = (placed.load[:, : self.budgets.shape[1]] / room).ravel()
            some = np.flatnonzero(share)
            where = np.append(c, some + len(self.classes)).astype(np.int32)
            entries = np.append(1.0, share[some])
            cost = placed.latency_s / self.unit_s
            model.addCol(cost, 0.0, members[c], len(where), where, entries)
        return model


def run_until_interrupt(model: Any) -> None:
    """Run HiGHS where Python hears of Ctrl-C meanwhile, and raise it once HiGHS has stopped."""
    model.HandleKeyboardInterrupt = True

    def stop() -> bool:
        """Tell HiGHS to stop, which it does."""
        model.cancelSolve()
        return True

    with noticing_interrupt(stop) as interrupted:
        model.solve()
    if interrupted.is_set():
        raise KeyboardInterrupt
