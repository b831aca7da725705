"""The default policy: best paths and constructed placements, weighed by what they use up."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from optmodel.batch import LatencyLadders, NoRoom, RequestSpreader
from optmodel.online.algorithm1 import Algorithm1
from optmodel.online.patterns import PlacementPattern
from optmodel.online.stage_paths import KnownPath, StagePaths
from optmodel.online.weighing import PlacementWeighing
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, Problem, RequestTask
from optmodel.search import Allowance
from optmodel.stages import PathAssembler

MULTIPLES = (1.0, 4.0, 16.0)
"""Of the prices on nodes, at which placements are constructed."""
NEGLIGIBLE = 0.01
"""A best path that uses up less than this share of its latency is taken without looking further."""
SAME_USAGE = 0.02
"""Where the fleet's budgets are used to the same shares, in steps of this, what was found is dealt
anew to other devices instead of constructed anew."""
MOST_NUMBERS = 2**21
"""Numbers in all that is remembered, so that memory stays flat."""


@dataclass(frozen=True, eq=False)
class _Look:
    """What was found for requests of one kind, at some usage of the fleet.

    Attributes
    ----------
    thrifty : PlacementPattern or None
        Algorithm 1's placement.
    path : PlacementPattern or None
        The best path.
    others : list of PlacementPattern or None
        All other placements; None if only the path was looked at.
    """

    thrifty: PlacementPattern | None
    path: PlacementPattern | None
    others: list[PlacementPattern] | None

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        patterns = (self.thrifty, self.path, *(self.others or ()))
        return sum(pattern.numbers for pattern in patterns if pattern is not None)


_Key = tuple[object, tuple[int, ...]]
"""A kind of requests, and the fleet's usage in steps of `SAME_USAGE`."""


class _Looks:
    """What was found, by kind of request and usage of the fleet; what was met last is the last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, _Look] = OrderedDict()
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: _Key) -> _Look | None:
        """Return what was found; None if it is not remembered."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: _Key, look: _Look) -> None:
        """Remember what was found, and forget what was met longest ago if there is too much."""
        before = self._kept.pop(key, None)
        self._kept[key] = look
        self._numbers += look.numbers - (before.numbers if before else 0)
        while self._numbers > MOST_NUMBERS:
            self._numbers -= self._kept.popitem(last=False)[1].numbers

    def forget(self, kind: object) -> None:
        """Forget what was found for requests of a kind."""
        for key in [key for key in self._kept if key[0] == kind]:
            self._numbers -= self._kept.pop(key).numbers


class LookaheadPolicy:
    """Places each request so that its latency and what it uses up together are least.

    Four kinds of placements are weighed: the best path over the stages, which is optimal for the
    request by itself (within `stage_paths.TOLERANCE`) where the budgets allow it; where even an
    idle fleet's do not, one by a plan of which nodes send behind each stage; one constructed stage
    by stage, each stage balancing the load of its layers and counting what its slowest sender costs
    all later stages; and Algorithm 1's, which is thrifty. Prices on budgets
    (`optmodel.online.weighing`) decide: on an idle fleet the fastest placement wins, on a busy one
    the thrifty ones, and later requests are served too. On large fleets one request or device
    changes little, and their usage comes back: what was found for requests of the same kind at the
    same usage is dealt to the devices that are idlest now.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    paths : StagePaths, optional
        Solved paths to share with others.
    allowance : Allowance, optional
        What all requests together may take; of a request that it ends in, the best placement by
        then is taken.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        paths: StagePaths | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self._allowance = allowance or Allowance()
        self.paths = paths or StagePaths(allowance=self._allowance)
        self._thrifty, self._ladders = Algorithm1(), LatencyLadders()
        self._spreaders: WeakKeyDictionary[KnownPath, list[RequestSpreader]] = WeakKeyDictionary()
        self._looks = _Looks()

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request, or say why not even Algorithm 1 finds a placement."""
        known = None if task.unattainable else self.paths.find(problem, task)
        if known is None or known.bound_s is None:
            return self._thrifty.place(problem, task, left)
        weighing = PlacementWeighing(problem, task, left, known)
        look = self._looks.find((known.kind, _steps(weighing)))
        dealt = None if look is None else _dealt(weighing, look)
        return dealt or self._look(PlacementWeighing(problem, task, left, known))

    def _spreaders_on(self, known: KnownPath) -> list[RequestSpreader]:
        """Return what constructs placements, one for each of the multiples.

        On a fleet that was not looked at before, what was found on others is forgotten.
        """
        if known not in self._spreaders:
            self._looks.forget(known.kind)
            alone = known.requests.problem
            self._spreaders[known] = [RequestSpreader(alone, self._ladders) for _ in MULTIPLES]
        return self._spreaders[known]

    def _look(self, weighing: PlacementWeighing) -> RequestPlacement | Rejection:
        """Look for placements on what is left, and keep what they are like."""
        known = weighing.known
        key, spreaders = (known.kind, _steps(weighing)), self._spreaders_on(known)
        answer = self._thrifty.place(weighing.problem, weighing.task, weighing.left.copy())
        placed = answer if isinstance(answer, RequestPlacement) else None
        thrifty = None if placed is None else weighing.pattern_of(placed)
        weighing.expect_like(thrifty)
        ratio, path = weighing.weigh(_on_the_path(weighing))
        if ratio < NEGLIGIBLE and weighing.best is not None:
            self._looks.keep(key, _Look(thrifty, path, None))
            return weighing.best
        others = [placed, *self._constructed(weighing, spreaders)]
        patterns = [weighing.weigh(other)[1] for other in others]
        others_found = [pattern for pattern in patterns if pattern is not None]
        self._looks.keep(key, _Look(thrifty, path, others_found))
        return weighing.best or answer

    def _constructed(
        self, weighing: PlacementWeighing, spreaders: list[RequestSpreader]
    ) -> Iterator[RequestPlacement | None]:
        """Yield the placement by a plan, and one for each of the multiples, while there is time."""
        if not self._allowance.over:
            yield _planned(weighing)
        for multiple, spreader in zip(MULTIPLES, spreaders, strict=True):
            if not self._allowance.over:
                yield _constructed(weighing, spreader, multiple)


def _steps(weighing: PlacementWeighing) -> tuple[int, ...]:
    """Return the fleet's usage in whole steps of `SAME_USAGE`, for each kind of budget."""
    return tuple((weighing.usage // SAME_USAGE).astype(np.int64).tolist())


def _dealt(weighing: PlacementWeighing, look: _Look) -> RequestPlacement | None:
    """Return the best of what was found, dealt anew; None if not all of it has room any more."""
    weighing.expect_like(look.thrifty)
    ratio = np.inf if look.path is None else weighing.weigh_dealt(look.path)
    if ratio < NEGLIGIBLE:
        return weighing.best
    if look.others is None:
        return None
    ratios = [weighing.weigh_dealt(pattern) for pattern in look.others]
    return weighing.best if np.isfinite(ratios).all() else None


def _on_the_path(weighing: PlacementWeighing) -> RequestPlacement | None:
    """Return the best path's placement, on the nodes with most left."""
    requests, path = weighing.known.requests, weighing.known.path
    if path.value is None:
        return None
    deal = PathAssembler(requests.fleet)
    deal.load[:, :-1] = weighing.used[:, : weighing.problem.helpers]
    return _on_all_nodes(weighing, deal.place(requests.task, path))


def _planned(weighing: PlacementWeighing) -> RequestPlacement | None:
    """Return the placement by a plan of who sends, if even an idle fleet needs one."""
    found = weighing.known.planned
    return None if found is None else _on_all_nodes(weighing, found)


def _constructed(
    weighing: PlacementWeighing, spreader: RequestSpreader, multiple: float
) -> RequestPlacement | None:
    """Return a placement constructed within what is left at a multiple of the prices."""
    where = [*range(weighing.problem.helpers), weighing.task.source]
    room, prices = weighing.left.left[:, where].astype(float), multiple * weighing.prices[:, where]
    idle = np.broadcast_to(multiple * weighing.idle_price, prices.shape)
    found = spreader.place(room, prices, idle)
    return None if isinstance(found, NoRoom) else _on_all_nodes(weighing, found)


def _on_all_nodes(weighing: PlacementWeighing, placed: RequestPlacement) -> RequestPlacement:
    nodes = len(weighing.problem.node_ids)
    return weighing.known.requests.for_member(weighing.task, placed, nodes)
