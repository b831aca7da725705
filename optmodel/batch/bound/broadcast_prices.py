"""Prices on each broadcast, in place of one on bandwidth: a node fits whole broadcasts only.

A price on bandwidth lets nodes broadcast in fractions, for what fits all nodes of a group together
counts as feasible. With a price for each broadcast the bound is what requests pay, less what each
node can earn; and a node earns by a set of broadcasts that fits it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.batch.bound.broadcast_packs import BroadcastKinds, BroadcastPack, BroadcastPacker
from optmodel.batch.bound.cutting_planes import ROUNDING, CuttingPlane, CuttingPlanes, climb
from optmodel.batch.bound.sender_graph import SenderGraph, SenderPath
from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.bound.stage_use import StageUse
from optmodel.batch.options import BoundOptions
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray


@dataclass(frozen=True, eq=False)
class BroadcastPrices:
    """Seconds for each helper group, made of one vector."""

    memory: FloatArray
    compute: FloatArray
    """`memory` and `compute`: for all that the nodes of a group have, each shape (groups,)."""
    bandwidth: FloatArray
    """For all that one node may send, where it moves maps; shape (groups,)."""
    active: FloatArray
    """For one broadcast, shape (broadcasts, groups)."""
    kept: FloatArray
    """For keeping all maps behind a broadcast, shape (broadcasts, groups)."""

    @property
    def vector(self) -> FloatArray:
        """All prices one after another."""
        rows = [self.memory, self.compute, self.bandwidth, self.active, self.kept]
        return np.concatenate([row.ravel() for row in rows])

    @classmethod
    def of(cls, vector: FloatArray, groups: int) -> "BroadcastPrices":
        """Read a vector."""
        rows = vector.reshape(-1, groups)
        # Three rows for budgets, then as many for broadcasts as for the maps kept behind them.
        half = 3 + (len(rows) - 3) // 2
        return cls(rows[0], rows[1], rows[2], rows[3:half], rows[half:])


class BroadcastSearch:
    """Looks for the prices on broadcasts that bound a batch best.

    Parameters
    ----------
    classes : sequence of RequestClass
        The batch.
    graphs : sequence of SenderGraph
        Of each class.
    broadcasts : BroadcastKinds
        Those of the batch.
    budgets : ndarray, shape (3, groups)
        Of one node of each helper group.
    options : BoundOptions
        How the search steps, and when it ends.

    Attributes
    ----------
    plans : dict of tuple of SenderPlan to float
        What the classes would do at the prices tried, and the best bound that these gave, in
        seconds.
    """

    def __init__(
        self,
        classes: Sequence[RequestClass],
        graphs: Sequence[SenderGraph],
        broadcasts: BroadcastKinds,
        budgets: FloatArray,
        options: BoundOptions,
    ) -> None:
        self.graphs, self.options = graphs, options
        self.plans: dict[tuple[SenderPlan, ...], float] = {}
        self.sizes = np.array([len(group.nodes) for group in classes[0].fleet.groups[:-1]])
        self.numbers = np.array([len(requests.members) for requests in classes], dtype=float)
        self.broadcasts = broadcasts
        self.packers = [
            BroadcastPacker(self.broadcasts, g, b) for g, b in enumerate(budgets[2].tolist())
        ]
        self.totals, self.bandwidth = budgets[:2] * self.sizes, budgets[2]
        self.maps = np.array(
            [graphs[c].stages[k + 1].maps for c, k in self.broadcasts.class_and_stage]
        )

    def improving(self, prices: FloatArray, bound_s: float) -> Iterator[float]:
        """Yield valid bounds, from prices on budgets on.

        Parameters
        ----------
        prices : ndarray, shape (3, groups)
            Seconds per byte, multiplication and bit, with the bound that they give.
        bound_s : float
            This bound, in seconds.
        """
        groups = len(self.sizes)
        costs = np.zeros((3 + 2 * len(self.maps), groups))
        # Broadcasts cost the bound what nodes earn by them, and these are terms of their own.
        costs[:2] = 1.0
        # One term per class, for each of its members, and one per group, for each of its nodes.
        numbers = np.concatenate([self.numbers, self.sizes])
        # Planes of what nodes earn rest on nothing that can become outdated.
        outdated = [graph.outdated for graph in self.graphs] + [set()] * groups
        planes = CuttingPlanes(numbers, costs.ravel(), bound_s, outdated, self.options)
        start = self._of_budgets(prices).vector
        best_s = self._ask(start, planes, closely=True)
        yield best_s

        def ask(vector: FloatArray, closely: bool) -> float:
            return self._ask(vector, planes, closely)

        tolerance = self.options.broadcast_tolerance
        climbing = climb(planes, ask, start, best_s, closely=True, tolerance=tolerance)
        yield from (found_s for _, found_s in climbing)

    def _of_budgets(self, prices: FloatArray) -> BroadcastPrices:
        """Return prices on broadcasts that say the same as prices on budgets."""
        bits, own = self.broadcasts.bits[:, np.newaxis], self.broadcasts.own[:, np.newaxis]
        return BroadcastPrices(
            memory=prices[0] * self.totals[0],
            compute=prices[1] * self.totals[1],
            bandwidth=prices[2] * self.bandwidth,
            active=prices[2] * bits,
            kept=prices[2] * own * self.maps[:, np.newaxis],
        )

    def _ask(self, vector: FloatArray, planes: CuttingPlanes, closely: bool) -> float:
        """Return the bound that prices give, rounded down, and add what it says of others."""
        prices = BroadcastPrices.of(vector, len(self.sizes))
        paths = [
            graph.cheapest_path(self._uses(prices, c), closely)
            for c, graph in enumerate(self.graphs)
        ]
        packs = [self._pack(prices, g) for g in range(len(self.sizes))]
        for c, path in enumerate(paths):
            if np.isfinite(path.value_s):
                rests_on = self.graphs[c].rests_on(path)
                planes.planes.append(CuttingPlane(c, path.latency_s, self._used(c, path), rests_on))
        # What a node earns is a maximum over its packs, hence convex: a plane each, like requests.
        for g, pack in enumerate(packs):
            planes.planes.append(CuttingPlane(len(paths) + g, 0.0, self._earned(g, pack)))
        values = np.array([path.value_s for path in paths])
        earned = np.array([pack.value_s for pack in packs])
        paid = float(prices.memory.sum() + prices.compute.sum() + self.sizes @ np.abs(earned))
        bound = float(self.numbers @ values - self.sizes @ earned)
        bound -= float(prices.memory.sum() + prices.compute.sum())
        # A difference of large sums: far more than floats can be off by.
        bound -= ROUNDING * (float(self.numbers @ np.abs(values)) + paid)
        if np.isfinite(bound):
            plans = [graph.plan(path) for graph, path in zip(self.graphs, paths, strict=True)]
            self.plans[*plans] = max(bound, self.plans.get((*plans,), -np.inf))
        return bound

    def _per_unit(self, prices: FloatArray, totals: FloatArray) -> FloatArray:
        """Return prices per unit of budgets, and 0 for the source."""
        each = np.divide(prices, totals, out=np.zeros_like(prices), where=totals > 0)
        # A source carries the same load in every placement (8h).
        return np.append(each, 0.0)

    def _uses(self, prices: BroadcastPrices, c: int) -> list[StageUse]:
        """Return the prices of what each stage of a class uses."""
        memory = self._per_unit(prices.memory, self.totals[0])
        compute = self._per_unit(prices.compute, self.totals[1])
        bit, nothing = self._per_unit(prices.bandwidth, self.bandwidth), np.zeros(len(memory))
        stages = self.graphs[c].stages
        active, kept = [nothing] * len(stages), [nothing] * len(stages)
        for b, (of, k) in enumerate(self.broadcasts.class_and_stage):
            if of == c:
                active[k] = np.append(prices.active[b], 0.0)
                kept[k + 1] = np.append(prices.kept[b] / self.maps[b], 0.0)
        return [
            StageUse(
                segments=stage.tariff.segment @ np.stack([memory, compute]),
                active=active[k],
                kept=kept[k],
                moved=stage.tariff.moved * bit,
            )
            for k, stage in enumerate(stages)
        ]

    def _used(self, c: int, path: SenderPath) -> FloatArray:
        """Return what a path pays for each second of a price."""
        shape = (len(self.maps), len(self.sizes))
        active, kept, loads = np.zeros(shape), np.zeros(shape), np.zeros((3, len(self.sizes)))
        for stage, use in zip(self.graphs[c].stages, path.uses, strict=True):
            loads[:2] += np.outer(stage.tariff.segment, use.segments[:-1])
            loads[2] += stage.tariff.moved * use.moved[:-1]
        for b, (of, k) in enumerate(self.broadcasts.class_and_stage):
            if of == c:
                active[b] = path.uses[k].active[:-1]
                # A kept map is not sent, so its price is spared.
                kept[b] = -path.uses[k + 1].kept[:-1] / self.maps[b]
        room = np.vstack([self.totals, self.bandwidth])
        shares = np.divide(loads, room, out=np.zeros_like(loads), where=room > 0)
        return BroadcastPrices(shares[0], shares[1], shares[2], active, kept).vector

    def _pack(self, prices: BroadcastPrices, g: int) -> BroadcastPack:
        room = self.bandwidth[g]
        bit = float(prices.bandwidth[g] / room) if room > 0 else 0.0
        return self.packers[g].best(prices.active[:, g], prices.kept[:, g] / self.maps, bit)

    def _earned(self, g: int, pack: BroadcastPack) -> FloatArray:
        """Return what a node's earnings take from the bound for each second of a price."""
        groups = len(self.sizes)
        active, kept = (np.zeros((len(self.maps), groups)) for _ in range(2))
        # Signs are those of a cost: what a node earns lowers the bound.
        active[:, g], kept[:, g] = -pack.sent, pack.kept / self.maps
        room = self.bandwidth[g]
        bandwidth = np.zeros(groups)
        bandwidth[g] = -pack.left / room if room > 0 else 0.0
        nothing = np.zeros(groups)
        return BroadcastPrices(nothing, nothing, bandwidth, active, kept).vector
