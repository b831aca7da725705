"""HiGHS through Pyomo, with what Pyomo's interface lacks: a start, and news while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite

import highspy
import numpy as np
from highspy.highs import HighsCallbackEvent
from pyomo.contrib.solver.solvers.highs import Highs

TOLERANCE = 1e-6
"""Relative difference between two costs of one solution that arithmetic in floats may leave."""


@dataclass(frozen=True)
class Watcher:
    """Who hears of a solver's progress.

    `improved` is called when the Pyomo model holds a better solution than before, `bounded` with a
    proven lower bound on the objective, which may be no better than before.
    """

    improved: Callable[[], object]
    bounded: Callable[[float], None]


class WatchedHighs(Highs):  # type: ignore[misc]
    """Pyomo's interface to HiGHS, started from the model's values and watched as it runs.

    `start` says whether the variables of the Pyomo model hold a solution to start from.
    """

    # Set on the instance: Pyomo calls `__init__` again, with its own arguments, for every model.
    start: bool = False
    watcher: Watcher | None = None
    failure: Exception | None = None
    """What a watcher raised; HiGHS would swallow it and call its own run an error."""

    def _solve(self) -> object:
        if self.start:
            self._pass_start()
        if self.watcher is not None:
            self._solver_model.cbMipImprovingSolution += self._improved
            self._solver_model.cbMipInterrupt += self._bounded
        found = super()._solve()
        if self.start and self._solution_is_not_the_one_claimed():
            # Forgets the start with all else.
            self._solver_model.clearSolver()
            found = super()._solve()
        if self.failure is not None:
            raise self.failure
        return found

    def _solution_is_not_the_one_claimed(self) -> bool:
        """Tell whether HiGHS returns its start in place of the better solution that it states.

        HiGHS 1.16 does so when presolve improves the start and the root node then closes the gap.
        Status and bound are right, but the values have to be found again, without a start.
        """
        highs = self._solver_model
        claimed, solution = highs.getInfo().objective_function_value, highs.getSolution()
        if not solution.value_valid:
            return False
        lp = highs.getLp()
        cost = lp.offset_ + float(np.dot(lp.col_cost_, solution.col_value))
        return bool(cost - claimed > TOLERANCE * max(1.0, abs(cost)))

    def _pass_start(self) -> None:
        solution = highspy.HighsSolution()
        # A solution has its values in the order of HiGHS's columns.
        columns = sorted(self._pyomo_var_to_solver_var_map.items(), key=lambda item: item[1])
        solution.col_value = [float(self._vars[var_id][0].value) for var_id, _ in columns]
        self._solver_model.setSolution(solution)

    def _improved(self, event: HighsCallbackEvent) -> None:
        values = event.data_out.mip_solution
        for var_id, column in self._pyomo_var_to_solver_var_map.items():
            # Whole up to HiGHS's tolerance, which Pyomo would refuse.
            self._vars[var_id][0].set_value(float(values[column]), skip_validation=True)
        if self.watcher is not None:
            self._tell(self.watcher.improved)

    def _bounded(self, event: HighsCallbackEvent) -> None:
        bound = event.data_out.mip_dual_bound
        # Infinite until the root node is solved.
        if self.watcher is not None and isfinite(bound):
            self._tell(partial(self.watcher.bounded, bound))

    def _tell(self, news: Callable[[], object]) -> None:
        try:
            news()
        except Exception as error:
            self.failure = error
            self._solver_model.cancelSolve()
