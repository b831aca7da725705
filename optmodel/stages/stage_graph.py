"""The shortest path over sender signatures: the optimum of one request with slack budgets.

Arcs are solved only where a shortest path by their bounds leads through them; all others keep a
bound from counting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from optmodel.problem import Fleet, IntArray, RequestTask
from optmodel.search import Allowance
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcSolution
from optmodel.stages.arcs.counting_bounds import UNREACHABLE, quick_bound, quick_bounds
from optmodel.stages.arcs.one_layer import solve_one_layer
from optmodel.stages.arcs.several_layers import solve_several_layers
from optmodel.stages.request_stage import RequestStage, StageArc, arcs_between, stages_of
from optmodel.stages.sender_signature import SenderSignature

MOST_SIGNATURES = 1000
"""Signatures that a stage tells apart: enough for 43 nodes that all differ."""

ENTRIES_PER_GROUP = 200
"""What bounding an arc by counting takes for each of its groups, as entries of arrays."""
AT_ONCE = 2_500
"""Groups of arcs that are bounded whatever is allowed, in some hundredths of a second."""


class ArcBook:
    """Arcs that were solved, for whichever request, layer or tolerance.

    Solved means: up to a relative gap.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self._known: dict[ArcNumbers, ArcSolution] = {}

    def look(self, arc: ArcNumbers) -> ArcSolution:
        """Return what is known of an arc, a bound from counting at least."""
        if arc not in self._known:
            bound = quick_bound(arc)
            self._known[arc] = ArcSolution(UNREACHABLE if bound is None else bound)
        return self._known[arc]

    def solve(self, arc: ArcNumbers, cutoff: int, allowance: Allowance) -> ArcSolution:
        """Return the optimum of an arc, or that it exceeds the cutoff."""
        known = self.look(arc)
        # Strictly more: an optimum of just the cutoff is still asked for.
        if self.solved(known) or known.bound > cutoff:
            return known
        # No placement takes longer than `longest`: without one up to there, there is none.
        most = min(cutoff, arc.longest)
        if len(arc.caps) == 1:
            found = solve_one_layer(arc, most)
        else:
            found = solve_several_layers(arc, most, self.tolerance, allowance)
        if found.value is None and cutoff >= arc.longest and found.bound > arc.longest:
            found = ArcSolution(UNREACHABLE)
        self._known[arc] = ArcSolution(max(found.bound, known.bound), found.placement, found.value)
        return self._known[arc]

    def solved(self, known: ArcSolution) -> bool:
        """Tell whether the optimum of an arc is known, or that there is none."""
        if known.bound >= UNREACHABLE:
            return True
        return known.value is not None and known.value - known.bound <= (
            self.tolerance * known.value
        )


@dataclass(frozen=True, eq=False)
class PathStep:
    """One stage on a path: which arc, and what is known of it."""

    stage: RequestStage
    behind: SenderSignature
    """Of the nodes that compute its last layer."""
    choice: StageArc
    solution: ArcSolution
    """What is known of the arc; on a `StagePath`, with a placement."""


@dataclass(frozen=True, eq=False)
class StagePath:
    """What the stages say of one request."""

    bound: int
    """Lower bound on its latency in ticks; UNREACHABLE if it has no placement."""
    steps: tuple[PathStep, ...]
    """The best path found, every step with a placement; empty if none is known."""
    value: int | None
    """Its latency in ticks; None if no path is known."""


NO_PATH = StagePath(UNREACHABLE, (), None)
"""Some layer has no host, or not room enough."""


class ArcMatrix:
    """The arcs of one stage of a request: a bound for each pair of signatures, arcs on demand.

    `befores` are the signatures of the nodes that may send to it, None before the first stage.
    """

    def __init__(
        self,
        fleet: Fleet,
        task: RequestTask,
        stage: RequestStage,
        befores: tuple[SenderSignature | None, ...],
        book: ArcBook,
    ) -> None:
        self.stage, self.book, self.befores = stage, book, befores
        self._between = partial(arcs_between, fleet, task, stage)
        self._made: dict[tuple[int, int], list[StageArc]] = {}
        self._bounds: IntArray | None = None

    def choices(self, a: int, b: int) -> list[StageArc]:
        """Return the arcs between two signatures, given by their places."""
        if (a, b) not in self._made:
            self._made[a, b] = list(self._between(self.befores[a], self.stage.ends[b]))
        return self._made[a, b]

    def bounds(self, allowance: Allowance) -> IntArray:
        """Return lower bounds in ticks, shape (befores, ends), sharper where an arc was looked at.

        What bounds the first of several layers depends on the signature before alone, what bounds
        the last one on the signature behind alone. Pairs that nothing is left for have the bound 0.
        """
        if self._bounds is None:
            before, behind = range(len(self.befores)), range(len(self.stage.ends))
            if self.stage.first == self.stage.last:
                rows = [self._each(allowance, behind, partial(self._least, a)) for a in before]
                self._bounds = np.array(rows, dtype=np.int64)
            else:
                first = self._each(allowance, before, self._first)
                last = self._each(allowance, behind, self._last)
                # Cut back after each sum, so that sums along a path do not overflow.
                self._bounds = np.minimum(np.add.outer(first, last), UNREACHABLE)
        return self._bounds

    def _each(self, allowance: Allowance, places: range, bound: Callable[[int], int]) -> list[int]:
        """Return a bound for each place; 0 once what is allowed is spent, but for a few places."""
        found = []
        pairs = len(places) * (len(self.befores) if self.stage.first == self.stage.last else 1)
        few = pairs * len(self.stage.groups) <= AT_ONCE
        for place in places:
            over = not few and allowance.over
            found.append(0 if over else bound(place))
            if not over:
                allowance.spend(ENTRIES_PER_GROUP * len(self.stage.groups))
        return found

    def _first(self, a: int) -> int:
        return quick_bounds(self.choices(a, 0)[0].arc)[0]

    def _last(self, b: int) -> int:
        return quick_bounds(self.choices(0, b)[0].arc)[1]

    def solve(self, a: int, b: int, slack: int, allowance: Allowance) -> PathStep:
        """Solve the most promising arc between two signatures, up to a slack beyond its bound."""
        choices = self.choices(a, b)
        # One arc or two; the other one is solved once its bound is the lesser.
        choice = min(choices, key=lambda c: self.book.look(c.arc).bound)
        bound = self.book.look(choice.arc).bound
        solution = self.book.solve(choice.arc, min(bound + slack, UNREACHABLE), allowance)
        bounds = self.bounds(allowance)
        # Of two arcs between the pair the lesser bound counts, which solving one cannot lower.
        bounds[a, b] = max(bounds[a, b], self._least(a, b))
        return PathStep(self.stage, self.stage.ends[b], choice, solution)

    def _least(self, a: int, b: int) -> int:
        return min((self.book.look(c.arc).bound for c in self.choices(a, b)), default=UNREACHABLE)


class StageGraph:
    """The graph of one request: signatures between stages, arcs with bounds.

    Other requests with equal numbers have an equal graph.
    """

    def __init__(self, fleet: Fleet, task: RequestTask, book: ArcBook) -> None:
        self.book = book
        self._best = StagePath(0, (), None)
        self.stages = stages_of(fleet, task, MOST_SIGNATURES)
        befores = [(None,), *(stage.ends for stage in self.stages[:-1])]
        self._matrices = [
            ArcMatrix(fleet, task, stage, before, book)
            for stage, before in zip(self.stages, befores, strict=True)
        ]

    @property
    def known(self) -> StagePath:
        """What is known by now, whatever interrupted the search for more."""
        return self._best

    def shortest(self, allowance: Allowance) -> StagePath:
        """Return the shortest path, or the best one and a bound where what is allowed ends.

        May be called again and goes on from what is known.
        """
        if not all(stage.ends for stage in self.stages):
            return NO_PATH
        before: tuple[int, list[int]] | None = None
        while True:
            best = self._best
            length, places = self._by_bounds(allowance)
            if length >= UNREACHABLE:
                return NO_PATH
            # The path by bounds is no longer than the best: its length bounds every path.
            worst = UNREACHABLE if best.value is None else best.value
            best = self._best = StagePath(length, best.steps, best.value)
            if worst - length <= self.book.tolerance * worst or allowance.over:
                return best
            if before == (length, places):
                return best  # An arc on it is too large to be solved.
            before = length, places
            # An arc that exceeds its bound by more is on no path better than the best.
            steps = self._solve_along(places, worst - length, allowance)
            if steps is not None:
                value = sum(step.solution.value or 0 for step in steps)
                if value < worst:
                    self._best = StagePath(length, steps, value)

    def _by_bounds(self, allowance: Allowance) -> tuple[int, list[int]]:
        """Return the length of the shortest path by bounds, and its signatures."""
        length: IntArray = np.zeros(1, dtype=np.int64)
        origins: list[IntArray] = []
        for matrix in self._matrices:
            # Cut back, or lengths over several stages would overflow.
            sums = np.minimum(length[:, np.newaxis] + matrix.bounds(allowance), UNREACHABLE)
            origins.append(sums.argmin(axis=0))
            length = sums.min(axis=0)
        place = int(length.argmin())
        places = [place]
        for origin in reversed(origins):
            places.append(int(origin[places[-1]]))
        return int(length.min()), places[::-1]

    def _solve_along(
        self, places: list[int], slack: int, allowance: Allowance
    ) -> tuple[PathStep, ...] | None:
        """Solve the arcs of a path; return its steps if each has a placement."""
        steps = [
            matrix.solve(places[k], places[k + 1], slack, allowance)
            for k, matrix in enumerate(self._matrices)
        ]
        return tuple(steps) if all(step.solution.value is not None for step in steps) else None
