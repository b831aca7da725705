"""Time as whole ticks: how long a tick is, durations in ticks, and what rounding costs.

Durations are rounded down, so that a placement never takes more ticks than it takes time: the
least number of ticks is a lower bound on the least latency. A tick is as long as the asked accuracy
allows, since small numbers are easier to search with, but long enough that every duration stays
below 2^31 and the objective below 2^53.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from optmodel.count.variables import layers
from optmodel.privacy import exact
from optmodel.problem import LayerTask, Problem

LARGEST_DURATION = 2**31 - 1
"""Largest coefficient in ticks; CP-SAT has open reports of wrong proofs beyond it."""
LARGEST_OBJECTIVE = 2**53
"""CP-SAT states objective and bound as doubles, in which larger whole numbers are not exact."""


@dataclass(frozen=True)
class Ticks:
    """Durations of one problem in ticks.

    Attributes
    ----------
    problem : Problem
        Whose durations.
    accuracy : float
        Share of a rough latency of the batch that rounding may cost.
    """

    problem: Problem
    accuracy: float

    @cached_property
    def length_s(self) -> Fraction:
        """Seconds per tick."""
        spans = [(self._longest_s(r, k), layer.cap) for r, k, layer in layers(self.problem)]
        single = max((span for span, _ in spans), default=Fraction(0)) / LARGEST_DURATION
        total = sum((span * cap for span, cap in spans), Fraction(0)) / LARGEST_OBJECTIVE
        rough = Fraction(100 * self.problem.time_unit_s)
        wanted = Fraction(self.accuracy) * rough / self._rounded_units
        return max(single, total, wanted) or Fraction(1)

    def of(self, time_s: Fraction) -> int:
        """Return a duration in ticks, rounded down."""
        return floor(time_s / self.length_s)

    def latest(self, r: int, k: int) -> int:
        """Return a number of ticks that layer `k` of request `r` takes at most."""
        return ceil(self._longest_s(r, k) * self._layer(r, k).cap / self.length_s)

    @property
    def lost_s(self) -> Fraction:
        """Largest difference between a placement's latency and its ticks, in seconds.

        A layer's latency is a reception and a computation of at most cap units each, and each
        unit loses less than a tick.
        """
        return self._rounded_units * self.length_s

    @cached_property
    def _rounded_units(self) -> int:
        return sum(2 * layer.cap for _, _, layer in layers(self.problem)) or 1

    def compute_s(self, r: int, k: int, i: int) -> Fraction:
        """Return c_l / e_i, what node `i` computes a segment in (Eq. 7), in seconds."""
        return self._layer(r, k).multiplications / exact(float(self.problem.speed[i]))

    def transfer_s(self, r: int, k: int, i: int) -> Fraction:
        """Return what node `i` sends a map of layer `k` in (Eq. 7), in seconds."""
        return self._layer(r, k).output_bits / exact(float(self.problem.rate[i]))

    def _layer(self, r: int, k: int) -> LayerTask:
        return self.problem.tasks[r].layers[k]

    def _longest_s(self, r: int, k: int) -> Fraction:
        """Return the longest reception plus computation of one segment, in seconds."""
        slowest = max((self.compute_s(r, k, i) for i in self._layer(r, k).hosts), default=0)
        senders = self._layer(r, k - 1).hosts if k else ()
        return slowest + max((self.transfer_s(r, k - 1, i) for i in senders), default=Fraction(0))
