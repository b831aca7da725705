"""The default policy: best paths and constructed placements, weighed by what they use up."""

from weakref import WeakKeyDictionary

import numpy as np

from heuristics.algorithm1 import Algorithm1
from heuristics.ledger import Ledger
from heuristics.stage_paths import KnownPath, StagePaths
from optmodel.evaluate import evaluate_request
from optmodel.greedy.spread import Spreader
from optmodel.greedy.stage_share import NoRoom
from optmodel.placement import RequestPlacement
from optmodel.problem import FloatArray, IntArray, Problem, RequestTask
from optmodel.solution import Rejection
from optmodel.stages.assemble import Assembler

PRICE_OF_A_NODE, STEEPNESS, LEAST_SHARE = 10.0, 1000.0, 0.05
"""Using all of a budget of an average node costs so many latencies of the request when little is
left; the price falls with what is left, to this share of it on an idle node."""
PRICE_OF_THE_FLEET, LEAST_EXPECTED = 5.0, 2.0
"""Using all that the fleet has left costs so many latencies for each request that is expected:
as many as there are already, and a few."""
MULTIPLES = (1.0, 4.0, 16.0)
"""Of the prices on nodes, at which placements are constructed."""
NEGLIGIBLE = 0.01
"""A best path that uses up less than this share of its latency is taken without looking further."""


class Lookahead:
    """Places each request so that its latency and what it uses up together are least.

    Three kinds of placements are weighed: the best path over the stages, which is optimal for the
    request by itself (within `stage_paths.TOLERANCE`); one constructed stage by stage, each stage
    balancing the load of its layers and counting what its slowest sender costs all later stages;
    and Algorithm 1's, which is thrifty. Budgets have prices: a node's grow exponentially with what
    is used of it, the fleet's with the number of requests it carries, as many of which are expected
    to come. So on an idle fleet the fastest placement wins, on a busy one the thrifty ones, and
    later requests are served too.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    paths : StagePaths, optional
        Solved paths to share with others.
    """

    def __init__(self, *, seed: int = 0, paths: StagePaths | None = None) -> None:
        self.paths = paths or StagePaths()
        self._thrifty = Algorithm1()
        self._spreaders: WeakKeyDictionary[KnownPath, list[Spreader]] = WeakKeyDictionary()

    def place(
        self, problem: Problem, task: RequestTask, left: Ledger
    ) -> RequestPlacement | Rejection:
        """Place one request, or say why not even Algorithm 1 finds a placement."""
        known = None if task.unattainable else self.paths.find(problem, task)
        if known is None or known.bound_s is None:
            return self._thrifty.place(problem, task, left)
        answer = self._thrifty.place(problem, task, left.copy())
        thrifty = answer if isinstance(answer, RequestPlacement) else None
        offer = _Offer(problem, task, left, known, thrifty)
        if offer.weigh(offer.on_the_path()) < NEGLIGIBLE and offer.best is not None:
            return offer.best
        offer.weigh(thrifty)
        for multiple, spreader in zip(MULTIPLES, self._spreaders_of(known), strict=True):
            offer.weigh(offer.constructed(spreader, multiple))
        return offer.best or answer

    def _spreaders_of(self, known: KnownPath) -> list[Spreader]:
        if known not in self._spreaders:
            self._spreaders[known] = [Spreader(known.requests.problem) for _ in MULTIPLES]
        return self._spreaders[known]


class _Offer:
    """Placements of one request against each other, on what is left.

    Attributes
    ----------
    best : RequestPlacement or None
        The placement of least latency and price so far that has room.
    """

    def __init__(
        self,
        problem: Problem,
        task: RequestTask,
        left: Ledger,
        known: KnownPath,
        thrifty: RequestPlacement | None,
    ) -> None:
        self.problem, self.task, self.left, self.known = problem, task, left, known
        self.best: RequestPlacement | None = None
        self._least = np.inf
        budgets, helpers = Ledger.of(problem).left, problem.helpers
        share = np.divide(left.left, budgets, out=np.zeros(budgets.shape), where=budgets > 0)
        self._used = 1 - share
        average = np.maximum(budgets[:, :helpers].mean(axis=1, keepdims=True), 1.0)
        self._unit = PRICE_OF_A_NODE * (known.bound_s or 0.0) / average
        scarce = (STEEPNESS**self._used - 1) / (STEEPNESS - 1)
        self.prices: FloatArray = self._unit * (LEAST_SHARE + scarce)
        self.prices[:, helpers:] = 0.0  # A source serves nobody else's requests.
        self._expected = LEAST_EXPECTED + self._carried(thrifty)

    def _carried(self, thrifty: RequestPlacement | None) -> float:
        """Return how many requests the fleet carries, in thrifty placements of this one."""
        if thrifty is None:
            return 0.0
        load = evaluate_request(self.problem, self.task, thrifty).load
        budgets = Ledger.of(self.problem)
        return self._share_of(budgets.left - self.left.left, budgets) / max(
            self._share_of(load, budgets), 1e-9
        )

    def _share_of(self, load: IntArray, room: Ledger) -> float:
        """Return the largest share of a kind of room, over all helpers, that a load takes."""
        helpers = self.problem.helpers
        total = np.maximum(room.left[:, :helpers].sum(axis=1), 1)
        return float((load[:, :helpers].sum(axis=1) / total).max())

    def weigh(self, placement: RequestPlacement | None) -> float:
        """Keep a placement if it has room and is the best; return its price over its latency."""
        if placement is None:
            return np.inf
        costs = evaluate_request(self.problem, self.task, placement)
        if not self.left.has_room(costs.load):
            return np.inf
        fleet = PRICE_OF_THE_FLEET * self._expected * self._share_of(costs.load, self.left)
        price = float((self.prices * costs.load).sum()) + fleet * (self.known.bound_s or 0.0)
        if costs.latency_s + price < self._least:
            self.best, self._least = placement, costs.latency_s + price
        return price / costs.latency_s

    def on_the_path(self) -> RequestPlacement | None:
        """Return the best path's placement, on the nodes with most left."""
        requests, path = self.known.requests, self.known.path
        if path.value is None:
            return None
        deal = Assembler(requests.fleet)
        deal.load[:, :-1] = self._used[:, : self.problem.helpers]
        return self._on_all_nodes(deal.place(requests.task, path))

    def constructed(self, spreader: Spreader, multiple: float) -> RequestPlacement | None:
        """Return a placement constructed within what is left at a multiple of the prices."""
        where = [*range(self.problem.helpers), self.task.source]
        room, prices = self.left.left[:, where].astype(float), multiple * self.prices[:, where]
        idle = np.broadcast_to(multiple * LEAST_SHARE * self._unit, prices.shape)
        found = spreader.place(room, prices, idle)
        return None if isinstance(found, NoRoom) else self._on_all_nodes(found)

    def _on_all_nodes(self, placed: RequestPlacement) -> RequestPlacement:
        nodes = len(self.problem.node_ids)
        return self.known.requests.for_member(self.task, placed, nodes)
