"""The exact optimum of an arc: thresholds first, whole-number decisions second.

A placement has a latency on the first layer, on each layer that only passes maps on, and on the
last one. The first two kinds take few values. For each choice of them, counting bounds the last
latency from below; decisions then find the least value that can be had.
"""

import time
from dataclasses import dataclass
from itertools import product

import numpy as np

from optmodel.problem import IntArray
from optmodel.stages.arc import Arc, ArcPlacement, ArcSolution
from optmodel.stages.decision import Thresholds
from optmodel.stages.level_search import LevelSearch, Undecided
from optmodel.stages.relaxation import (
    first_thresholds,
    held_before_last,
    last_thresholds,
    least_work,
    quick_bound,
)


@dataclass(frozen=True, order=True)
class Candidate:
    """Latencies of all layers but the last, and what that leaves for the last.

    Attributes
    ----------
    total : int
        Lower bound on the stage's latency, in ticks.
    first : int
        Latency of the first layer.
    early : tuple of int
        Latencies of the layers between.
    """

    total: int
    first: int
    early: tuple[int, ...]

    def limits(self, last: int) -> tuple[int, ...]:
        """Return these latencies with one of the last layer."""
        return (self.first, *self.early, last)

    @property
    def spent(self) -> int:
        """Latency before the last layer."""
        return self.first + sum(self.early)


def candidates(arc: Arc, early: tuple[int, ...], most: int) -> list[Candidate]:
    """Return the first latencies with a bound of at most `most`, the smallest first."""
    spent = sum(early)
    least_last = least_work(arc) or 0
    first = first_thresholds(arc, most - spent - least_last)
    last = last_thresholds(arc, first, early)
    return [
        Candidate(spent + a + b, a, early)
        for a, b in zip(first.tolist(), last.tolist(), strict=True)
        if spent + a + b <= most
    ]


def early_latencies(arc: Arc) -> list[tuple[int, ...]]:
    """Return what the layers between can take, the least sum first: nothing moves in the first."""
    choices = []
    for sends, caps in zip(arc.send[:-1], arc.caps, strict=False):
        values = {0}
        for send, cap in set(zip(sends, caps, strict=True)):
            values.update(range(0, send * cap + 1, send) if send else ())
        choices.append(sorted(values))
    return sorted(product(*choices), key=sum)


def solve_several_layers(arc: Arc, cutoff: int, tolerance: float, deadline: float) -> ArcSolution:
    """Solve an arc of two or more layers.

    Parameters
    ----------
    arc : Arc
        The arc.
    cutoff : int
        Placements of more ticks are of no interest; without one, the bound is cutoff + 1.
    tolerance : float
        Relative gap at which the arc counts as solved.
    deadline : float
        `time.perf_counter()` at which to stop with what is known.
    """
    descent = _Descent(arc, cutoff, tolerance, deadline)
    least = quick_bound(arc) or 0
    for early in early_latencies(arc):
        if sum(early) + least > descent.most:
            break
        choices = candidates(arc, early, descent.most)
        if descent.value is None and choices:
            descent.sketch(min(choices))
        if descent.stopped(sum(early) + least):
            break
        descent.search(choices)
    return descent.solution()


class _Descent:
    """The best placement of an arc so far, and the search for better ones.

    Attributes
    ----------
    most : int
        Only placements of at most so many ticks are of interest: better than the best one by more
        than the tolerance.
    """

    def __init__(self, arc: Arc, cutoff: int, tolerance: float, deadline: float) -> None:
        self.arc, self.tolerance, self.deadline = arc, tolerance, deadline
        self.most = cutoff
        self.best: ArcPlacement | None = None
        self.value: int | None = None
        self.undecided: list[int] = []
        self.known: list[IntArray] = []

    def solution(self) -> ArcSolution:
        """Return what was found and proven."""
        proven = min([self.most + 1, *self.undecided])
        bound = proven if self.value is None else min(proven, self.value)
        return ArcSolution(bound, self.best, self.value)

    def stopped(self, least: int) -> bool:
        """Tell whether time is up; placements of `least` ticks and more then stay undecided."""
        late = time.perf_counter() >= self.deadline
        if late:
            self.undecided.append(least)
        return late

    def sketch(self, choice: Candidate) -> None:
        """Find some placement for a choice in no time, so that there is one at any deadline."""
        values = _last_latencies(self.arc, choice, self.most)
        a, b = 0, len(values)
        while a < b:
            middle = (a + b) // 2
            placement = Thresholds(self.arc, choice.limits(values[middle])).sketch()
            if placement is None:
                a = middle + 1
            else:
                b = middle
                self._keep(placement)

    def search(self, choices: list[Candidate]) -> None:
        """Search all choices: the most promising one first, the others in blocks."""
        if choices:
            best = min(choices)
            self._search_one(best)
            self._search_block([choice for choice in choices if choice is not best])

    def _search_block(self, choices: list[Candidate]) -> None:
        """Rule out choices of increasing first latency together, or halve them.

        What one of them admits, the largest first latency of all admits with the largest last one.
        """
        choices = [choice for choice in choices if choice.total <= self.most]
        if not choices or self.stopped(min(choices).total):
            return
        if len(choices) == 1:
            self._search_one(choices[0])
            return
        loosest = self.most - choices[0].spent
        if self._ruled_out(choices[-1], loosest):
            return
        half = len(choices) // 2
        self._search_block(choices[:half])
        self._search_block(choices[half:])

    def _search_one(self, choice: Candidate) -> None:
        """Find the least last latency for a choice.

        Prices on maps rule out values up to some point; the least value beyond is the answer most
        often. If it is not, the next ones are tried in growing steps, and the last step is halved.
        """
        values = _last_latencies(self.arc, choice, self.most)
        low, high = self._first_in_doubt(choice, values), len(values)
        probe, step, found = low, 1, False
        while low < high and values[low] + choice.spent <= self.most:
            answer = self._decide(choice, values[probe])
            if answer is None:
                self.undecided.append(values[low] + choice.spent)
                return
            if answer:
                found, high = True, probe
            else:
                low, step = probe + 1, 2 * step
            probe = (low + high) // 2 if found else min(low + step - 1, high - 1)

    def _first_in_doubt(self, choice: Candidate, values: list[int]) -> int:
        """Return the first of the last latencies that prices do not rule out, by bisection.

        The bound from counting is tried first, for it is right often.
        """
        low, high, probe = 0, len(values), 0
        while low < high:
            if self._ruled_out(choice, values[probe]):
                low = probe + 1
            else:
                high = probe
            probe = (low + high) // 2
        return low

    def _ruled_out(self, choice: Candidate, last: int) -> bool:
        return LevelSearch(Thresholds(self.arc, choice.limits(last)), self.known).ruled_out()

    def _decide(self, choice: Candidate, last: int) -> bool | None:
        """Tell whether there is a placement within these latencies; None if time is up."""
        search = LevelSearch(Thresholds(self.arc, choice.limits(last)), self.known)
        try:
            placement = search.decide(self.deadline)
        except Undecided:
            return None
        if placement is None:
            return False
        self._keep(placement)
        return True

    def _keep(self, placement: ArcPlacement) -> None:
        ticks = placement.ticks(self.arc)
        if self.value is None or ticks < self.value:
            self.best, self.value = placement, ticks
            self.most = min(self.most, ticks - 1 - int(self.tolerance * ticks))


def _last_latencies(arc: Arc, candidate: Candidate, most: int) -> list[int]:
    """Return the values that the last layer's latency can take without exceeding the total."""
    low, high = candidate.total - candidate.spent, most - candidate.spent
    held = held_before_last(arc, np.array([candidate.first]), candidate.early)[0]
    received = {0}
    for send, maps in set(zip(arc.send[-1], held.tolist(), strict=True)):
        if send:
            received.update(range(0, min(send * maps, high) + 1, send))
    theta = np.array(sorted(received), dtype=np.int64)
    values = []
    for work, cap in set(zip(arc.work, arc.caps[-1], strict=True)):
        every = (np.arange(cap + 1)[:, np.newaxis] * work + theta).ravel()
        values.append(every[(every >= low) & (every <= high)])
    chosen: list[int] = np.unique(np.concatenate(values)).tolist()
    return chosen
