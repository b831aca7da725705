"""Placements of one request against each other: latency, and prices on what they use up."""

from functools import cached_property

import numpy as np

from optmodel.online.patterns import PatternDealer, PlacementPattern
from optmodel.online.stage_paths import KnownPath
from optmodel.placement import CostedPlacement, RequestPlacement, expanded
from optmodel.problem import BudgetLedger, FloatArray, IntArray, Problem, RequestTask

PRICE_OF_A_NODE, STEEPNESS, LEAST_SHARE = 10.0, 1000.0, 0.01
"""Using all of a budget of an average node costs so many latencies of the request when little is
left; the price falls with what is left, to this share of it on an idle node."""
PRICE_OF_THE_FLEET, LEAST_EXPECTED = 3.0, 2.0
"""Using all that the fleet has left costs so many latencies for each request that is expected:
as many as there are already, and a few."""


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
        self, problem: Problem, task: RequestTask, left: BudgetLedger, known: KnownPath
    ) -> None:
        self.problem, self.task, self.left, self.known = problem, task, left, known
        budgets, helpers = BudgetLedger.of(problem).left, problem.helpers
        share = np.divide(left.left, budgets, out=np.zeros(budgets.shape), where=budgets > 0)
        self.used: FloatArray = 1 - share
        self._room = left.left[:, :helpers].sum(axis=1, dtype=float)
        self._taken = (budgets - left.left)[:, :helpers].sum(axis=1, dtype=float)
        self._bound_s = known.bound_s or 0.0
        average = np.maximum(budgets[:, :helpers].mean(axis=1, keepdims=True), 1.0)
        unit = PRICE_OF_A_NODE * self._bound_s / average
        scarce = (STEEPNESS**self.used - 1) / (STEEPNESS - 1)
        self.prices: FloatArray = unit * (LEAST_SHARE + scarce)
        self.prices[:, helpers:] = 0.0  # A source serves nobody else's requests.
        self.idle_price: FloatArray = LEAST_SHARE * unit
        self._expected = LEAST_EXPECTED
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
        if pattern is not None:
            one = float((pattern.on_helpers / budgets).max())
            self._expected = LEAST_EXPECTED + float(self.usage.max()) / max(one, 1e-9)
        if not self.used.any() and (2 * self.known.least_load > budgets).any():
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
        Pattern or None
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
        price = float((self.prices[:, nodes] * pattern.parts.load).sum())
        fleet = float((pattern.on_helpers / np.maximum(self._room, 1)).max())
        price += PRICE_OF_THE_FLEET * self._expected * fleet * self._bound_s
        if pattern.parts.latency_s + price < self._least:
            self._best, self._least = (pattern, nodes), pattern.parts.latency_s + price
        # What takes no time sends and computes nothing, so that it has no price either.
        return price / pattern.parts.latency_s if pattern.parts.latency_s else 0.0
