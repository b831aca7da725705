"""The default policy: best paths and constructed placements, weighed by what they use up."""

from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from optmodel.batch import LatencyLadders, RequestSpreader
from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.candidates import MULTIPLES, constructed, on_the_path
from optmodel.online.known_paths import DECISION_TIME_S, KnownPath, KnownPaths
from optmodel.online.patterns import PlacementPattern
from optmodel.online.recent_memory import RecentMemory
from optmodel.online.weighing import PlacementWeighing, PriceWeights
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, Problem, RequestTask
from optmodel.search import Allowance

WEIGHTS = PriceWeights()
NEGLIGIBLE = 0.01
"""A best path that uses up less than this share of its latency is taken without looking further."""
SAME_USAGE = 0.02
"""Where the fleet's budgets are used to the same shares, in steps of this, what was found is dealt
anew to other devices instead of constructed anew."""
MOST_NUMBERS = 2**21
"""Numbers in all that is remembered, so that memory stays flat."""


@dataclass(frozen=True, eq=False)
class _FoundPatterns:
    """What was found for requests of one kind, at some usage of the fleet."""

    thrifty: PlacementPattern | None  # Algorithm 1's.
    path: PlacementPattern | None  # The best path's.
    others: list[PlacementPattern] | None  # None if only the path was looked at.

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        patterns = (self.thrifty, self.path, *(self.others or ()))
        return sum(pattern.numbers for pattern in patterns if pattern is not None)


class LookaheadPolicy:
    """Places each request so that its latency and what it uses up together are least.

    Several placements (`optmodel.online.candidates`, and Algorithm 1's, which is thrifty) are
    weighed by prices on budgets (`optmodel.online.weighing`): on an idle fleet the fastest wins, on
    a busy one the thrifty ones, and later requests are served too. On large fleets one request or
    device changes little, and their usage comes back: what was found for requests of the same kind
    at the same usage is dealt to the devices that are idlest now. See docs/lookahead.md.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    paths : KnownPaths, optional
        Solved paths to share with others.
    weights : PriceWeights
        What the budgets are worth.
    allowance : Allowance, optional
        What all requests together may take; of a request that it ends in, the best placement by
        then is taken.
    decision_time_s : float
        What the first decision on a kind of request may take, in seconds of counted steps; paths
        that are shared have their own.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        paths: KnownPaths | None = None,
        weights: PriceWeights = WEIGHTS,
        allowance: Allowance | None = None,
        decision_time_s: float = DECISION_TIME_S,
    ) -> None:
        self._weights, self._allowance = weights, allowance or Allowance()
        self.paths = paths or KnownPaths(allowance=self._allowance, decision_time_s=decision_time_s)
        self._thrifty, self._ladders = Algorithm1(), LatencyLadders()
        # Weak: spreaders go with the fleet that `KnownPaths` forgets.
        self._spreaders: WeakKeyDictionary[KnownPath, list[RequestSpreader]] = WeakKeyDictionary()
        self._looks: RecentMemory[tuple[object, tuple[int, ...]], _FoundPatterns] = RecentMemory(
            MOST_NUMBERS, lambda look: look.numbers
        )

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request, or say why not even Algorithm 1 finds a placement."""
        known = None if task.unattainable else self.paths.find(problem, task)
        if known is None or known.bound_s is None:
            return self._thrifty.place(problem, task, left)
        begun = partial(PlacementWeighing, problem, task, left, known, self._weights)
        found = self._looks.find((known.kind, _steps(weighing := begun())))
        dealt = None if found is None else _dealt(weighing, found)
        # What was dealt in vain has left its prices in the weighing: another one is begun.
        return dealt or self._look(begun())

    def _spreaders_on(self, known: KnownPath) -> list[RequestSpreader]:
        """Return what constructs placements, one for each of the multiples."""
        if known not in self._spreaders:
            # Another fleet of the same kinds of devices: more of some may make better placements.
            self._looks.forget(lambda key: key[0] == known.kind)
            alone = known.requests.problem
            self._spreaders[known] = [RequestSpreader(alone, self._ladders) for _ in MULTIPLES]
        return self._spreaders[known]

    def _look(self, weighing: PlacementWeighing) -> RequestPlacement | Rejection:
        """Look for placements on what is left, and keep what they are like."""
        known = weighing.known
        key, spreaders = (known.kind, _steps(weighing)), self._spreaders_on(known)
        # A copy, as placing charges the ledger and other placements are still to be weighed.
        answer = self._thrifty.place(weighing.problem, weighing.task, weighing.left.copy())
        placed = answer if isinstance(answer, RequestPlacement) else None
        thrifty = None if placed is None else weighing.pattern_of(placed)
        weighing.expect_like(thrifty)
        ratio, path = weighing.weigh(on_the_path(weighing))
        if ratio < NEGLIGIBLE and weighing.best is not None:
            self._looks.keep(key, _FoundPatterns(thrifty, path, None))
            return weighing.best
        others = [placed, *constructed(weighing, spreaders, self._allowance)]
        patterns = [weighing.weigh(other)[1] for other in others]
        others_found = [pattern for pattern in patterns if pattern is not None]
        self._looks.keep(key, _FoundPatterns(thrifty, path, others_found))
        return weighing.best or answer


def _steps(weighing: PlacementWeighing) -> tuple[int, ...]:
    """Return the fleet's usage in whole steps of `SAME_USAGE`, for each kind of budget."""
    return tuple((weighing.usage // SAME_USAGE).astype(np.int64).tolist())


def _dealt(weighing: PlacementWeighing, found: _FoundPatterns) -> RequestPlacement | None:
    """Return the best of what was found, dealt anew; None if not all of it has room any more."""
    weighing.expect_like(found.thrifty)
    ratio = np.inf if found.path is None else weighing.weigh_dealt(found.path)
    if ratio < NEGLIGIBLE:
        return weighing.best
    if found.others is None:
        return None
    ratios = [weighing.weigh_dealt(pattern) for pattern in found.others]
    return weighing.best if np.isfinite(ratios).all() else None
