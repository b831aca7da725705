"""The exact optimum of an arc: thresholds first, whole-number decisions second.

A placement has a latency on the first layer, on each layer that only passes maps on, and on the
last one. The first two kinds take few values. For each choice of them, counting bounds the last
latency from below; decisions then find the least value that can be had.
"""

from dataclasses import dataclass

import numpy as np

from optmodel.problem import IntArray
from optmodel.search import Allowance
from optmodel.stages.arcs.arc import ArcNumbers, ArcPlacement, ArcSolution
from optmodel.stages.arcs.decision import LayerThresholds
from optmodel.stages.arcs.level_search import DecisionUndecided, LevelSearch
from optmodel.stages.arcs.relaxation import (
    MOST_CUTS,
    first_thresholds,
    held_before_last,
    last_thresholds,
    least_work,
)
from optmodel.stages.arcs.staying import simple_placement

MOST_GROUPS = 100
"""Arcs of more groups are bounded by counting, and placed without moving maps: their linear
programs take seconds each."""


@dataclass(frozen=True, order=True)
class LatencyCandidate:
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


def candidates(arc: ArcNumbers, most: int, allowance: Allowance) -> list[LatencyCandidate]:
    """Return the first latencies if nothing moves early, those with a bound of at most `most`."""
    early = (0,) * (len(arc.send) - 1)
    first = first_thresholds(arc, most - (least_work(arc) or 0))
    last = last_thresholds(arc, first, early, most, allowance)
    return [
        LatencyCandidate(a + b, a, early)
        for a, b in zip(first.tolist(), last.tolist(), strict=True)
        if a + b <= most
    ]


def early_latencies(arc: ArcNumbers) -> list[list[int]]:
    """Return what each of the layers between can take; nothing moves in the least of them."""
    choices = []
    for sends, caps in zip(arc.send[:-1], arc.caps, strict=False):
        values = {0}
        for send, cap in set(zip(sends, caps, strict=True)):
            values.update(range(0, send * cap + 1, send) if send else ())
        choices.append(sorted(values))
    return choices


def solve_several_layers(
    arc: ArcNumbers, cutoff: int, tolerance: float, allowance: Allowance
) -> ArcSolution:
    """Solve an arc of two or more layers.

    Parameters
    ----------
    arc : ArcNumbers
        The arc.
    cutoff : int
        Placements of more ticks are of no interest; without one, the bound is cutoff + 1.
    tolerance : float
        Relative gap at which the arc counts as solved.
    allowance : Allowance
        What it may take; then what is known is returned.
    """
    descent = _Descent(arc, cutoff, tolerance, allowance)
    values = sum(cap + 1 for _, cap in set(zip(arc.receive, arc.caps[0], strict=True)))
    groups = len(arc.sizes)
    if not allowance.affords(values * groups):
        return ArcSolution(0)
    descent.begin(first_thresholds(arc, cutoff - (least_work(arc) or 0)))
    if groups > MOST_GROUPS or not allowance.affords(values * MOST_CUTS * groups):
        # Nothing is proven: a bound of 0.
        descent.undecided.append(0)
        return descent.solution()
    # The most promising choice first: what it finds cuts the boxes that follow.
    choices = candidates(arc, descent.most, allowance)
    if choices:
        if descent.value is None:
            descent.sketch(min(choices))
        if not allowance.over:
            descent.search_one(min(choices))
    descent.search_all()
    return descent.solution()


class _Descent:
    """The best placement of an arc so far, and the search for better ones.

    Attributes
    ----------
    most : int
        Only placements of at most so many ticks are of interest: better than the best one by more
        than the tolerance.
    """

    def __init__(
        self, arc: ArcNumbers, cutoff: int, tolerance: float, allowance: Allowance
    ) -> None:
        self.arc, self.tolerance, self.allowance = arc, tolerance, allowance
        self.most = cutoff
        self.least_last = least_work(arc) or 0
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
        """Tell whether to stop; placements of `least` ticks and more then stay undecided."""
        late = self.allowance.over
        if late:
            self.undecided.append(least)
        return late

    def begin(self, first: IntArray) -> None:
        """Start from a placement that moves no map, where that is short enough."""
        placement = simple_placement(self.arc, first)
        if placement is not None and placement.ticks(self.arc) <= self.most:
            self._keep(placement)

    def sketch(self, choice: LatencyCandidate) -> None:
        """Find some placement for a choice in no time, so that there is one wherever it stops."""
        values = self._last_latencies(choice)
        a, b = 0, len(values or ())
        while values and a < b:
            middle = (a + b) // 2
            self.allowance.spend(self.arc.nodes**2)
            placement = LayerThresholds(self.arc, choice.limits(values[middle])).sketch()
            if placement is None:
                a = middle + 1
            else:
                b = middle
                self._keep(placement)

    def search_all(self) -> None:
        """Search all latencies of the layers but the last."""
        first = first_thresholds(self.arc, self.most - self.least_last).tolist()
        self._search_box([first, *early_latencies(self.arc)])

    def _search_box(self, box: list[list[int]]) -> None:
        """Rule out all latencies in a box together, or halve it.

        What one of them admits, the largest of all admit with the largest last one.
        """
        box = self._trimmed(box)
        if not all(box):
            return
        least = sum(values[0] for values in box)
        if self.stopped(least + self.least_last):
            return
        if all(len(values) == 1 for values in box):
            [[first], *early] = box
            choice = LatencyCandidate(least + self.least_last, first, tuple(e for [e] in early))
            self.search_one(choice)
            return
        if self._ruled_out((*(values[-1] for values in box), self.most - least)):
            return
        # Where the largest values allow most beyond the least ones, a proof for all is weakest.
        widest = max(range(len(box)), key=lambda k: box[k][-1] - box[k][0])
        half = len(box[widest]) // 2
        for part in (box[widest][:half], box[widest][half:]):
            self._search_box([*box[:widest], part, *box[widest + 1 :]])

    def _trimmed(self, box: list[list[int]]) -> list[list[int]]:
        """Leave out what takes too long even with the least of all other layers."""
        spare = self.most - self.least_last - sum(values[0] for values in box if values)
        return [[v for v in values if v - values[0] <= spare] for values in box]

    def search_one(self, choice: LatencyCandidate) -> None:
        """Find the least last latency for a choice.

        Prices on maps rule out values up to some point; the least value beyond is the answer most
        often. If it is not, the next ones are tried in growing steps, and the last step is halved.
        """
        values = self._last_latencies(choice)
        if values is None:
            self.undecided.append(choice.total)
            return
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

    def _first_in_doubt(self, choice: LatencyCandidate, values: list[int]) -> int:
        """Return the first of the last latencies that prices do not rule out, by bisection.

        The bound from counting is tried first, for it is right often.
        """
        low, high, probe = 0, len(values), 0
        while low < high:
            if self._ruled_out(choice.limits(values[probe])):
                low = probe + 1
            else:
                high = probe
            probe = (low + high) // 2
        return low

    def _ruled_out(self, limits: tuple[int, ...]) -> bool:
        return LevelSearch(
            LayerThresholds(self.arc, limits), self.known, self.allowance
        ).ruled_out()

    def _decide(self, choice: LatencyCandidate, last: int) -> bool | None:
        """Tell whether there is a placement within these latencies; None if it stopped before."""
        thresholds = LayerThresholds(self.arc, choice.limits(last))
        search = LevelSearch(thresholds, self.known, self.allowance)
        try:
            placement = search.decide()
        except DecisionUndecided:
            return None
        if placement is None:
            return False
        self._keep(placement)
        return True

    def _last_latencies(self, choice: LatencyCandidate) -> list[int] | None:
        """Return the values that the last layer's latency can take without exceeding the total.

        None if they are too many for what is allowed.
        """
        arc, spent = self.arc, choice.spent
        low, high = choice.total - spent, self.most - spent
        held = held_before_last(arc, np.array([choice.first]), choice.early)[0]
        # A last latency is what some node receives for and computes: both take few values.
        received = {0}
        for send, maps in set(zip(arc.send[-1], held.tolist(), strict=True)):
            if send:
                received.update(range(0, min(send * maps, high) + 1, send))
        theta = np.array(sorted(received), dtype=np.int64)
        kinds = set(zip(arc.work, arc.caps[-1], strict=True))
        entries = len(theta) * sum(cap + 1 for _, cap in kinds)
        if not self.allowance.affords(entries):
            return None
        self.allowance.spend(entries)
        values = []
        for work, cap in kinds:
            every = (np.arange(cap + 1)[:, np.newaxis] * work + theta).ravel()
            values.append(every[(every >= low) & (every <= high)])
        chosen: list[int] = np.unique(np.concatenate(values)).tolist()
        return chosen

    def _keep(self, placement: ArcPlacement) -> None:
        ticks = placement.ticks(self.arc)
        if self.value is None or ticks < self.value:
            self.best, self.value = placement, ticks
            # From here on only what is better by more than the tolerance is looked for.
            self.most = min(self.most, ticks - 1 - int(self.tolerance * ticks))
