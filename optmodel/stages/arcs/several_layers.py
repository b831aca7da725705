"""The exact optimum of an arc: thresholds first, whole-number decisions second.

A placement has a latency on the first layer, on each layer that only passes maps on, and on the
last one. The first two kinds take few values. Boxes of them are ruled out together or halved; for
a single choice, decisions find the least last latency that can be had.
"""

import numpy as np

from optmodel.problem import IntArray
from optmodel.search import Allowance
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement, ArcSolution
from optmodel.stages.arcs.counting_bounds import (
    first_thresholds,
    held_before_last,
    least_work,
)
from optmodel.stages.arcs.layer_thresholds import LayerThresholds
from optmodel.stages.arcs.level_search import DecisionUndecided, LevelSearch
from optmodel.stages.arcs.staying_maps import simple_placement


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
    search = _LatencySearch(arc, cutoff, tolerance, allowance)
    values = sum(cap + 1 for _, cap in set(zip(arc.receive, arc.caps[0], strict=True)))
    if not allowance.affords(values * len(arc.sizes)):
        return ArcSolution(0)
    search.begin(first_thresholds(arc, cutoff - search.least_last))
    # Fewer now: what was found to begin with leaves less of interest.
    first = first_thresholds(arc, search.most - search.least_last).tolist()
    search.search_box([first, *early_latencies(arc)])
    return search.solution()


class _LatencySearch:
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
        # All that was not ruled out takes longer than what is of interest, or was left undecided.
        proven = min([self.most + 1, *self.undecided])
        bound = proven if self.value is None else min(proven, self.value)
        return ArcSolution(bound, self.best, self.value)

    def begin(self, first: IntArray) -> None:
        """Start from a placement that moves no map, where that is short enough."""
        placement = simple_placement(self.arc, first)
        if placement is not None and placement.ticks(self.arc) <= self.most:
            self._keep(placement)

    def search_box(self, box: list[list[int]]) -> None:
        """Rule out all latencies in a box of the layers but the last together, or halve it.

        What one of them admits, the largest of all admit with the largest last one.
        """
        box = self._trimmed(box)
        if not all(box):
            return
        least = sum(values[0] for values in box)
        if self.allowance.over:
            # All of the box takes this long at least: it stays in the bound.
            self.undecided.append(least + self.least_last)
            return
        if all(len(values) == 1 for values in box):
            self._search_last(tuple(value for [value] in box))
            return
        if self._ruled_out((*(values[-1] for values in box), self.most - least)):
            return
        # Where the largest values allow most beyond the least ones, a proof for all is weakest.
        widest = max(range(len(box)), key=lambda k: box[k][-1] - box[k][0])
        half = len(box[widest]) // 2
        # The lesser half first: what it finds trims the other one.
        for part in (box[widest][:half], box[widest][half:]):
            self.search_box([*box[:widest], part, *box[widest + 1 :]])

    def _trimmed(self, box: list[list[int]]) -> list[list[int]]:
        """Leave out what takes too long even with the least of all other layers."""
        spare = self.most - self.least_last - sum(values[0] for values in box if values)
        return [[v for v in values if v - values[0] <= spare] for values in box]

    def _search_last(self, spent: tuple[int, ...]) -> None:
        """Find the least last latency behind given latencies of all other layers.

        Prices on maps rule out values up to some point; the least value beyond is the answer most
        often. If it is not, the next ones are tried in growing steps, and the last step is halved.
        """
        values, before = self._last_latencies(spent), sum(spent)
        if values is None:
            self.undecided.append(before + self.least_last)
            return
        low, high = self._first_in_doubt(spent, values), len(values)
        probe, step, found = low, 1, False
        # `most` falls as placements are found: what is left may be of no interest any more.
        while low < high and values[low] + before <= self.most:
            answer = self._decide((*spent, values[probe]))
            if answer is None:
                self.undecided.append(values[low] + before)
                return
            if answer:
                found, high = True, probe
            else:
                low, step = probe + 1, 2 * step
            probe = (low + high) // 2 if found else min(low + step - 1, high - 1)

    def _first_in_doubt(self, spent: tuple[int, ...], values: list[int]) -> int:
        """Return the first of the last latencies that prices do not rule out, by bisection."""
        low, high, probe = 0, len(values), 0
        while low < high:
            if self._ruled_out((*spent, values[probe])):
                low = probe + 1
            else:
                high = probe
            probe = (low + high) // 2
        return low

    def _ruled_out(self, limits: tuple[int, ...]) -> bool:
        return LevelSearch(
            LayerThresholds(self.arc, limits), self.known, self.allowance
        ).ruled_out()

    def _decide(self, limits: tuple[int, ...]) -> bool | None:
        """Tell whether there is a placement within these latencies; None if it stopped before."""
        search = LevelSearch(LayerThresholds(self.arc, limits), self.known, self.allowance)
        try:
            placement = search.decide()
        except DecisionUndecided:
            return None
        if placement is None:
            return False
        self._keep(placement)
        return True

    def _last_latencies(self, spent: tuple[int, ...]) -> list[int] | None:
        """Return the values that the last layer's latency can take without exceeding the total.

        None if they are too many for what is allowed.
        """
        arc, low, high = self.arc, self.least_last, self.most - sum(spent)
        held = held_before_last(arc, np.array([spent[0]]), spent[1:])[0]
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
