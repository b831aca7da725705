"""Placements of one request against each other: latency, and prices on what they use up."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmodel.limits import least_load
from optmodel.online.known_paths import KnownPath
from optmodel.online.patterns import PatternDealer, PlacementPattern
from optmodel.placement import CostedPlacement, RequestPlacement, expanded
from optmodel.problem import BudgetLedger, FloatArray, IntArray, Problem, RequestTask


@dataclass(frozen=True)
class PriceWeights:
    """What the budgets are worth, in latencies of the request that is placed.

    With u the share of a budget that is used, the bound L of the request's latency, and B the
    budget of an average node, a byte, multiplication or bit on a node costs

        node · L / B · (idle + (steepness^u - 1) / (steepness - 1))

    and using the share s of all that the fleet has left costs fleet · (expected + n) · L · s, where
    n requests like this one are in the fleet already.
    """

    node: float = 10.0
    """Latencies that all of an average node's budget costs when little is left of it."""
    steepness: float = 1000.0
    """Of the growth: a full node is about its square root times as dear as one half full."""
    idle: float = 0.01
    """The share of the price that remains on an idle node."""
    fleet: float = 3.0
    """Latencies that all that the fleet has left costs for each request that is expected."""
    expected: float = 2.0
    """Requests that are expected on an idle fleet."""


class PlacementWeighing:
    """The best placement of one request so far, on what is left.

    Budgets have prices: a node's grow exponentially with what is used of it, the fleet's with the
    number of requests it carries, as many of which are expected to come. Nothing is saved on an
    idle fleet that has no room for a second request of the kind.

    Attributes
    ----------
    used : ndarray, shape (3, nodes)
        Share of each budget that is used.
    prices : ndarray, shape (3, nodes)
        Seconds per byte, multiplication and bit sent on each node.
    idle_price : ndarray, shape (3, 1)
        The same on a device of average budgets that is idle.
    """

    def __init__(
        self,
        problem: Problem,
        task: RequestTask,
        left: BudgetLedger,
        known: KnownPath,
        weights: PriceWeights,
    ) -> None:
        self.problem, self.task, self.left, self.known = problem, task, left, known
        self.weights = weights
        budgets, helpers = BudgetLedger.of(problem).left, problem.helpers
        # A budget of nothing counts as used up, not as idle.
        share = np.divide(left.left, budgets, out=np.zeros(budgets.shape), where=budgets > 0)
        self.used: FloatArray = 1 - share
        self._room = left.left[:, :helpers].sum(axis=1, dtype=float)
        self._taken = (budgets - left.left)[:, :helpers].sum(axis=1, dtype=float)
        self._bound_s = known.bound_s or 0.0
        # Where the whole fleet has none of a budget, no load asks for its price.
        average = np.maximum(budgets[:, :helpers].mean(axis=1, keepdims=True), 1.0)
        unit = weights.node * self._bound_s / average
        scarce = (weights.steepness**self.used - 1) / (weights.steepness - 1)
        self.prices: FloatArray = unit * (weights.idle + scarce)
        self.prices[:, helpers:] = 0.0  # A source serves nobody else's requests.
        self.idle_price: FloatArray = weights.idle * unit
        self._expected = weights.expected
        self._least = np.inf
        self._best: tuple[PlacementPattern, IntArray] | None = None

    @property
    def best(self) -> RequestPlacement | None:
        """The placement of least latency and price that has room; None if there is none."""
        if self._best is None:
            return None
        pattern, nodes = self._best
        return expanded(pattern.parts.placement, nodes, len(self.problem.node_ids))

    @cached_property
    def usage(self) -> FloatArray:
        """Share of each kind of budget that is used over all devices, shape (3,)."""
        shares: FloatArray = self._taken / np.maximum(self._taken + self._room, 1)
        return shares

    def expect_like(self, pattern: PlacementPattern | None) -> None:
        """Expect as many requests as the fleet carries, counted in loads like this one."""
        budgets = np.maximum(self._taken + self._room, 1)
        # The thriftiest placement is the measure: so many of it make up what is used.
        if pattern is not None:
            one = float((pattern.on_helpers / budgets).max())
            self._expected = self.weights.expected + float(self.usage.max()) / max(one, 1e-9)
        # Idle, and without room for a second one: nobody is there to save for.
        if not self.used.any() and (2 * least_load(self.task) > budgets).any():
            self.prices, self._expected = np.zeros_like(self.prices), 0.0

    def pattern_of(self, placement: RequestPlacement) -> PlacementPattern:
        """Return what a placement costs, and what it is like on equal nodes."""
        costed = CostedPlacement.of(self.problem, self.task, placement)
        return PlacementPattern.of(self.known, costed)

    def weigh(self, placement: RequestPlacement | None) -> tuple[float, PlacementPattern | None]:
        """Keep a placement if it has room and is the best.

        Returns
        -------
        float
            Its price over its latency; infinite if it has no room.
        PlacementPattern or None
            What it is like on equal nodes.
        """
        if placement is None:
            return np.inf, None
        pattern = self.pattern_of(placement)
        return self._weigh(pattern, np.flatnonzero(placement.counts.any(axis=0))), pattern

    def weigh_dealt(self, pattern: PlacementPattern) -> float:
        """Keep a pattern, dealt to the idlest nodes, as `weigh` does; return its price as there."""
        nodes = self._dealer.nodes(pattern)
        return np.inf if nodes is None else self._weigh(pattern, nodes)

    @cached_property
    def _dealer(self) -> PatternDealer:
        return PatternDealer(self.known, self.used, self.task.source)

    def _weigh(self, pattern: PlacementPattern, nodes: IntArray) -> float:
        if (pattern.parts.load > self.left.left[:, nodes]).any():
            return np.inf
        # Prices are those before this load: a placement pays for what others have used.
        price = float((self.prices[:, nodes] * pattern.parts.load).sum())
        fleet = float((pattern.on_helpers / np.maximum(self._room, 1)).max())
        price += self.weights.fleet * self._expected * fleet * self._bound_s
        if pattern.parts.latency_s + price < self._least:
            self._best, self._least = (pattern, nodes), pattern.parts.latency_s + price
        # What takes no time sends and computes nothing, so that it has no price either.
        return price / pattern.parts.latency_s if pattern.parts.latency_s else 0.0
