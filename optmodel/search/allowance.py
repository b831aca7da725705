"""What a search may take: steps, alike on every machine, and the time limit of a user."""

import math
import time
from typing import Self

ENTRIES_PER_STEP = 4_000
"""Entries of arrays that are worked through in the time of one step more."""
ENTRIES_PER_S = 2e7
"""Entries that a slow machine works through in a second."""
MOST_ENTRIES = 2**25
"""Entries of one array, whatever there is time for: a quarter of a gigabyte."""


class Allowance:
    """Steps that may be spent, and the moment at which all ends.

    Steps decide wherever nobody set a time limit, so that equal questions get equal answers however
    busy the machine is. The moment is that of a limit which the user set, and of no other.

    Parameters
    ----------
    steps : float
        Steps to spend; a few thousand pass in a second.
    deadline : float
        `time.perf_counter()` at which to stop.
    """

    def __init__(self, steps: float = math.inf, deadline: float = math.inf) -> None:
        self.steps, self.deadline = steps, deadline
        self._whole: Allowance | None = None

    @classmethod
    def of_seconds(cls, left_s: float | None) -> Self:
        """Return as many steps as pass in so many seconds from now; None for no limit."""
        return cls() if left_s is None else cls(deadline=time.perf_counter() + left_s)

    @property
    def left_s(self) -> float | None:
        """Seconds until the deadline; None if there is none."""
        return None if self.deadline == math.inf else self.deadline - time.perf_counter()

    def part(self, steps: float = math.inf, share: float = 1.0) -> "Allowance":
        """Return a part of what is left: so many steps, and a share of the time."""
        deadline = self.deadline
        if math.isfinite(deadline) and share < 1:
            now = time.perf_counter()
            deadline = now + share * (deadline - now)
        part = Allowance(steps, deadline)
        part._whole = self
        return part

    @property
    def over(self) -> bool:
        """Whether all steps are spent or the time is up."""
        if self.steps <= 0 or (self._whole is not None and self._whole.steps <= 0):
            return True
        return self.deadline < math.inf and time.perf_counter() >= self.deadline

    def spend(self, entries: float = 0) -> None:
        """Take a step off, and more for entries of arrays that are worked through in it."""
        steps = 1 + entries / ENTRIES_PER_STEP
        self.steps -= steps
        if self._whole is not None:
            self._whole.spend(entries)

    def affords(self, entries: float) -> bool:
        """Tell whether so many entries may be worked through at once, which nothing can stop."""
        if self.over or entries > MOST_ENTRIES or entries / ENTRIES_PER_STEP > self.steps:
            return False
        if self.deadline == math.inf:
            return True
        return entries <= ENTRIES_PER_S * (self.deadline - time.perf_counter())
