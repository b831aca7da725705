"""Time as whole ticks: how long a tick is, durations in ticks, and what rounding costs.

Durations are rounded down, so that a placement never takes more ticks than it takes time: the
least number of ticks is a lower bound on the least latency. A tick is as long as the asked accuracy
allows, since small numbers are easier to search with, but long enough that the terms of one sign of
every row sum to at most `LARGEST_ACTIVITY`.

Where rates lie far apart, such ticks are coarse, as they must count what the slowest node takes. A
placement that is known makes them finer: nothing that takes longer than it matters. Its latency is
the horizon. Every placement within the horizon is a point of the model, at most `lost_s` faster in
ticks than in time, and the others take longer than the horizon.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import floor

from optmodel.milp import LARGEST_ACTIVITY, layers
from optmodel.problem import LayerTask, Problem, exact

COARSE = Fraction(1, 1000)
"""Share of a horizon that rounding may cost before a shorter horizon is looked for."""


@dataclass(frozen=True)
class CpsatTicks:
    """Durations of one problem in ticks."""

    problem: Problem
    """Whose durations."""
    accuracy: float
    """Share of a rough latency of the batch that rounding may cost; it costs more where ticks as
    short as that would make numbers too large."""
    horizon_s: Fraction | None = None
    """Only placements that take at most so long are of interest, in seconds; None for all."""

    @cached_property
    def length_s(self) -> Fraction:
        """Seconds per tick."""
        largest = max((self._activity_s(r, k) for r, k, _ in layers(self.problem)), default=0)
        # Where nothing takes time, any length will do.
        return max(Fraction(largest) / LARGEST_ACTIVITY, self._wanted_s) or Fraction(1)

    @property
    def coarse(self) -> bool:
        """Whether rounding costs more than wanted, and much of the horizon."""
        known_s = self.horizon_s or Fraction(0)
        return self.length_s > self._wanted_s and self.lost_s > COARSE * known_s

    @cached_property
    def _wanted_s(self) -> Fraction:
        rough = Fraction(100 * self.problem.time_unit_s)
        return Fraction(self.accuracy) * self._within_horizon(rough) / self._rounded_units

    def of(self, time_s: Fraction) -> int:
        """Return a duration in ticks, rounded down; one tick beyond the horizon is enough."""
        # In rationals: a float could round up, and the bound would hold no more.
        ticks = floor(time_s / self.length_s)
        return ticks if self.horizon_s is None else min(ticks, self._horizon + 1)

    def within_horizon(self, ticks: int) -> Fraction:
        """Return a number of ticks in seconds, at most the horizon."""
        return self._within_horizon(ticks * self.length_s)

    def latest(self, r: int, k: int) -> int:
        """Return a number of ticks that layer `k` of request `r` takes at most."""
        longest = floor(self._activity_s(r, k) / self.length_s)
        return longest if self.horizon_s is None else min(longest, self._horizon)

    def most(self, r: int, k: int, i: int) -> int:
        """Return how many segments of a layer node `i` holds at most within the horizon."""
        cap, segment_s = self._layer(r, k).cap, self.compute_s(r, k, i)
        if self.horizon_s is None or not segment_s:
            return cap
        return min(cap, floor(self.horizon_s / segment_s))

    @property
    def lost_s(self) -> Fraction:
        """Largest difference between a placement's latency and its ticks, in seconds.

        A layer's latency is a reception and a computation of at most cap units each, and each
        unit loses less than a tick.
        """
        return self._rounded_units * self.length_s

    @cached_property
    def _rounded_units(self) -> int:
        # A reception and a computation of each segment.
        return sum(2 * layer.cap for _, _, layer in layers(self.problem)) or 1

    def compute_s(self, r: int, k: int, i: int) -> Fraction:
        """Return c_l / e_i, what node `i` computes a segment in (Eq. 7), in seconds."""
        return self._layer(r, k).multiplications / exact(float(self.problem.speed[i]))

    def transfer_s(self, r: int, k: int, i: int) -> Fraction:
        """Return what node `i` sends a map of layer `k` in (Eq. 7), in seconds."""
        return self._layer(r, k).output_bits / exact(float(self.problem.rate[i]))

    def _layer(self, r: int, k: int) -> LayerTask:
        return self.problem.tasks[r].layers[k]

    @cached_property
    def _horizon(self) -> int:
        return floor((self.horizon_s or 0) / self.length_s)

    def _within_horizon(self, time_s: Fraction) -> Fraction:
        return time_s if self.horizon_s is None else min(time_s, self.horizon_s)

    def _activity_s(self, r: int, k: int) -> Fraction:
        """Return the most that receptions and computations of a layer sum to, in seconds.

        As the rows of Eq. 5 sum them: any node may hold as many segments as it ever can and receive
        each of them from the slowest sender.
        """
        senders = self._layer(r, k - 1).hosts if k else ()
        slowest = max((self.transfer_s(r, k - 1, i) for i in senders), default=Fraction(0))
        return max(
            (
                (self._within_horizon(slowest) + self._within_horizon(self.compute_s(r, k, j)))
                * self.most(r, k, j)
                for j in self._layer(r, k).hosts
            ),
            default=Fraction(0),
        )
