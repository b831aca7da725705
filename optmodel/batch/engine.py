"""The engine for batches: bounds and placements improve in turns, for as long as there is time."""

import math
import time

from optmodel.batch.bound_side import BoundSide
from optmodel.batch.moves.batch_construction import offer_constructions
from optmodel.batch.options import BatchOptions
from optmodel.batch.placing_side import PlacingSide
from optmodel.batch.workbench import BatchWorkbench
from optmodel.cpsat import solve_milp_or_cpsat
from optmodel.limits import limit_served
from optmodel.milp import FEW_PAIRS, CountModel, within_reach
from optmodel.placement import Termination
from optmodel.search import Search

PRICED = "columns: the bound comes from prices on the budgets and need not be reached"
PARTIAL = "columns: not all requests were placed, and no bound is known for fewer"
WHOLE = "columns: placing requests one after another failed; the count model took over"


class BatchEngine:
    """One anytime search over a batch, from whatever its search knows.

    A round lets the bound side make some steps and gives moves their turns. Both sides learn from
    each other: prices that bound the batch also say what scarce budgets are worth to a move.
    Without a time limit all is counted, and equal input gives equal output.

    Parameters
    ----------
    search : Search
        The batch, and what is known of it.
    options : BatchOptions, optional
        Which parts take part, and their numbers.
    seed : int, optional
        Of everything that is drawn; without it, that of the search's options, or 0.
    rounds : int, optional
        Most rounds.
    """

    def __init__(
        self,
        search: Search,
        options: BatchOptions | None = None,
        *,
        seed: int | None = None,
        rounds: int | None = None,
    ) -> None:
        self.search, self.options, self.rounds = search, options or BatchOptions(), rounds
        seed = (search.options.seed or 0) if seed is None else seed
        bench = BatchWorkbench(search, self.options, seed)
        self.bound = BoundSide(bench)
        self.placing = PlacingSide(bench, self._may_go_on)
        self._began_s = self._for_bound_s = 0.0

    def run(self) -> Termination:
        """Improve until the gap is reached, time is up, Ctrl-C comes, or nothing helps.

        Returns
        -------
        Termination
            `heuristic_end` if nothing was left to try.
        """
        self._began_s = time.perf_counter()
        try:
            if self.search.incumbent is None:
                offer_constructions(self.search, self.options.constructions)
            self._rounds()
        except KeyboardInterrupt:
            return Termination.INTERRUPTED
        finally:
            # Even after Ctrl-C: what is known by now may bound those served.
            self.bound.conclude()
        if self.search.closed:
            return Termination.CONVERGED
        return Termination.TIME_LIMIT if self.search.left_s <= 0 else Termination.HEURISTIC_END

    def _may_go_on(self) -> bool:
        return self.search.left_s > 0 and not self.search.closed

    def _rounds(self) -> None:
        number = 0
        # Without a limit `rounds` is None, which no number equals.
        while self._may_go_on() and number != self.rounds:
            self._raise_bound()
            # A bound that goes on may find prices that wake a move.
            if self.bound.exhausted and self.placing.exhausted:
                return
            for _ in self.placing.turns(number):
                self._raise_bound()
            number += 1

    def _raise_bound(self) -> None:
        """Make the steps of the bound that are due before the next turn of a move."""
        steps = 0
        while self._may_go_on() and not self.bound.exhausted and self._bound_is_due(steps):
            began_s = time.perf_counter()
            self.bound.step()
            self._for_bound_s += time.perf_counter() - began_s
            steps += 1

    def _bound_is_due(self, steps: int) -> bool:
        """Tell whether the bound has had less than its share, after so many steps in a row."""
        if self.placing.exhausted:
            return True
        # Counted, so that no clock decides where the user set no limit.
        if math.isinf(self.search.left_s):
            return steps < self.options.bound_steps
        passed_s = time.perf_counter() - self._began_s
        return self._for_bound_s <= self.options.bound_share * passed_s


def solve_columns(search: Search) -> Termination:
    """Bound the batch by prices on its budgets, and place its requests with those prices."""
    limit_served(search)
    return run_columns(search, BatchEngine(search))


def run_columns(search: Search, engine: BatchEngine) -> Termination:
    """Run an engine, hand over to the count model if nothing was found, say what the result is."""
    ended = engine.run()
    if ended is Termination.INTERRUPTED:
        return ended
    if search.incumbent is None and not search.infeasible and within_reach(search):
        search.notes.append(WHOLE)
        return solve_milp_or_cpsat(search, CountModel)
    served_most = search.options.admission == "most" and search.served == search.most_served
    if not (search.closed or served_most):
        search.notes.append(PRICED if engine.bound.bounds_all else PARTIAL)
    return Termination.CONVERGED if ended is Termination.HEURISTIC_END else ended


def improve_incumbent(search: Search, *, seed: int, rounds: int | None = None) -> Termination:
    """Improve the incumbent of a search, which serves all of its requests.

    Small problems with a time limit go to the count model once the moves find no more.

    Parameters
    ----------
    search : Search
    seed : int
        Of everything that is drawn.
    rounds : int, optional
        Most rounds; with it the count model is left out.
    """
    timed = search.options.time_limit_s is not None and rounds is None
    small = timed and within_reach(search, FEW_PAIRS)
    # Impatient, as the count model finds what is left and proves it.
    options = BatchOptions(patience=1) if small else BatchOptions()
    with search.speaking("the improvement"):
        ended = BatchEngine(search, options, seed=seed, rounds=rounds).run()
    if not small or ended is not Termination.HEURISTIC_END:
        return ended
    try:
        with search.speaking("count"):
            return solve_milp_or_cpsat(search, CountModel)
    except KeyboardInterrupt:
        return Termination.INTERRUPTED
