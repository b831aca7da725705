"""Nodes in groups of equal ones, and time in whole ticks."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from optmodel.problem.arrays import LayerTask, Problem, RequestTask
from optmodel.problem.budget_ledger import how_many_fit
from optmodel.problem.privacy import exact

TICKS_PER_UNIT = 10**12
"""Of the problem's time unit, which is a hundredth of a rough latency of the batch."""
MOST_TICKS = 2**58
"""No request may take more, so that sums stay far inside 64 bits."""


@dataclass(frozen=True)
class NodeGroup:
    """Nodes that are equal in everything Eq. 5-8 ask about."""

    nodes: tuple[int, ...]
    """Their indices."""
    speed: float
    rate: float
    """Multiplications and bits per second of each, respectively."""


class Fleet:
    """The groups of a problem's nodes and the durations on them.

    Parameters
    ----------
    problem : Problem
        Whose nodes are grouped; every source is a group of its own.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.groups = tuple(self._groups())
        self._ticks: dict[tuple[int, float], int] = {}

    def _groups(self) -> list[NodeGroup]:
        alike: dict[tuple[float, ...], list[int]] = {}
        for i, data in enumerate(self.problem.node_data.T.tolist()):
            own = float(i) if i >= self.problem.helpers else -1.0
            alike.setdefault((own, *data), []).append(i)
        speed, rate = self.problem.speed, self.problem.rate
        return [
            NodeGroup(tuple(nodes), float(speed[nodes[0]]), float(rate[nodes[0]]))
            for nodes in alike.values()
        ]

    def groups_of(self, task: RequestTask) -> list[int]:
        """Return the groups whose nodes may take part in a request: helpers and its source."""
        return [
            g
            for g, group in enumerate(self.groups)
            if group.nodes[0] < self.problem.helpers or group.nodes[0] == task.source
        ]

    @cached_property
    def tick_s(self) -> Fraction:
        """Seconds per tick: a power of ten of the time unit, coarser for very uneven fleets."""
        alike = {
            (task.request.network, task.request.tolerated_ssim): task for task in self.problem.tasks
        }
        longest = max(self._longest_s(task) for task in alike.values())
        return max(Fraction(self.problem.time_unit_s) / TICKS_PER_UNIT, longest / MOST_TICKS)

    def seconds(self, ticks: int) -> float:
        """Return a duration in seconds, rounded down: a lower bound in ticks stays one."""
        exactly = ticks * self.tick_s
        rounded = float(exactly)
        return rounded if Fraction(rounded) <= exactly else math.nextafter(rounded, -math.inf)

    def _longest_s(self, task: RequestTask) -> Fraction:
        """Return what no placement of a request exceeds: all on the slowest speed and rate."""
        work = sum(layer.segments * layer.multiplications for layer in task.layers)
        bits = sum(
            following.segments * layer.output_bits for layer, following in pairwise(task.layers)
        )
        speed = exact(min(group.speed for group in self.groups))
        rate = exact(min(group.rate for group in self.groups))
        return work / speed + bits / rate

    def work(self, layer: LayerTask, group: NodeGroup) -> int:
        """Return c_l / e in ticks, rounded down (Eq. 7)."""
        return self._ticks_at(layer.multiplications, group.speed)

    def sending(self, layer: LayerTask, rate: float) -> int:
        """Return the ticks to send one map that a layer puts out, rounded down (Eq. 6)."""
        return self._ticks_at(layer.output_bits, rate)

    def _ticks_at(self, amount: int, per_s: float) -> int:
        """Return the ticks for an amount at a rate per second, worked out once for equal ones."""
        if (amount, per_s) not in self._ticks:
            self._ticks[amount, per_s] = int(amount / exact(per_s) / self.tick_s)
        return self._ticks[amount, per_s]

    def most_segments(self, layer: LayerTask) -> tuple[int, ...]:
        """Return how many segments of a layer one node of each group may hold, all else empty."""
        firsts = [group.nodes[0] for group in self.groups]
        fit = how_many_fit(self.problem.whole_budgets[:, firsts], layer)
        return tuple(np.where(np.isin(firsts, layer.hosts), fit, 0).tolist())
