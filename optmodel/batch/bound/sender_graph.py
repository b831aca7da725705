"""The cheapest path over numbers of senders: a lower bound on a request class at given prices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.batch.bound.priced_arc import PriceReply
from optmodel.batch.bound.sender_ranges import SenderPlan, SenderRange
from optmodel.batch.bound.sender_stage import ReachedSenders, SenderStage
from optmodel.batch.bound.stage_use import StageUse
from optmodel.batch.options import BoundOptions
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray
from optmodel.stages import ArcBook, SenderSignature, stages_of

EVERY_SIGNATURE = 10**6
"""More than there can be: signatures of these stages follow from numbers of senders, none are
pooled."""

Befores = tuple[Sequence[SenderRange], Sequence[SenderSignature | None]]
"""The senders before a stage, and their signatures."""


@dataclass(frozen=True, eq=False)
class SenderPath:
    """A path, and what it uses."""

    value_s: float
    """Latency plus priced use; infinite if there is no path."""
    latency_s: float
    """The latency in it."""
    ends: tuple[int, ...]
    """The senders behind each stage, shape (stages,)."""
    uses: tuple[StageUse, ...]
    """What each stage uses, shape (stages,)."""


class SenderGraph:
    """The stages of a class, from senders to senders.

    Attributes
    ----------
    outdated : set
        What replies rested on and is known better now: stages and ranges that were halved; stages,
        signatures before and senders behind whose arcs were solved.
    """

    def __init__(
        self, requests: RequestClass, book: ArcBook, options: BoundOptions | None = None
    ) -> None:
        self.options = options or BoundOptions()
        self.outdated: set[object] = set()
        fleet, task = requests.fleet, requests.task
        self.tick_s = float(fleet.tick_s)
        self.stages: list[SenderStage] = []
        befores: list[SenderSignature | None] = [None]
        for stage in stages_of(fleet, task, EVERY_SIGNATURE):
            self.stages.append(SenderStage(fleet, task, stage, befores, book, self.options))
            # Each once, in the order in which they come: a set would have none of its own.
            befores = list(dict.fromkeys(self.stages[-1].signatures))

    def cheapest(self, prices: FloatArray, closely: bool = True) -> PriceReply:
        """Return the cheapest path.

        Parameters
        ----------
        prices : ndarray, shape (3, groups)
            Seconds per byte, multiplication and bit sent, at least 0; the source's are 0.
        closely : bool
            Whether to solve its arcs, which takes time.
        """
        rounds = self.options.rounds if closely else self.options.rough_rounds
        path = self.cheapest_path(self.tariffs(prices), closely, rounds)
        load = np.zeros_like(prices)
        # Not strict: without a path there are no uses, and the load stays nothing.
        for stage, use in zip(self.stages, path.uses, strict=False):
            load += stage.tariff.load(use)
        return PriceReply(path.value_s, path.latency_s, load, self.rests_on(path))

    def tariffs(self, prices: FloatArray) -> list[StageUse]:
        """Return what each stage pays for what it uses, at prices of shape (3, groups)."""
        return [stage.tariff.prices(prices) for stage in self.stages]

    def cheapest_path(
        self, prices: Sequence[StageUse], closely: bool, rounds: int | None = None
    ) -> SenderPath:
        """Return the cheapest path after looking more closely at those that seemed to be.

        That is, halving ranges of senders on them and, if asked closely, solving their arcs, which
        takes time.
        """
        path = self.path(prices)
        for _ in range(rounds or self.options.rounds):
            if not self._refine(path, closely):
                break
            path = self.path(prices)
        return path

    def path(self, prices: Sequence[StageUse]) -> SenderPath:
        """Return the cheapest path at prices for the uses of each stage."""
        reached: list[ReachedSenders] = []
        value: FloatArray = np.zeros(1)
        befores: Befores = [], [None]
        for stage, each in zip(self.stages, prices, strict=True):
            if not len(value):
                return SenderPath(np.inf, np.inf, (), ())
            reached.append(stage.reach(value, *befores, each))
            value = reached[-1].value_s
            befores = stage.ends, stage.signatures
        if not len(value) or not np.isfinite(value.min()):
            return SenderPath(np.inf, np.inf, (), ())
        return self._traced(reached, prices)

    def plan(self, path: SenderPath) -> SenderPlan:
        """Return the numbers of senders on a path, the least of each range."""
        ends = zip(self.stages, path.ends, strict=True)
        return tuple(stage.ends[n].low for stage, n in ends)

    def _traced(self, reached: Sequence[ReachedSenders], prices: Sequence[StageUse]) -> SenderPath:
        n = int(reached[-1].value_s.argmin())
        ends, uses, ticks = [n], [], 0
        for k in reversed(range(len(reached))):
            before = int(reached[k].before[n])
            senders, signature = self._before(k, before)
            ticks += int(reached[k].ticks[n])
            uses.append(self.stages[k].use(signature, senders, reached[k], n, prices[k]))
            n = before
            ends.append(n)
        value = float(reached[-1].value_s.min())
        # `ends` goes backwards, and its last entry is the start, before the first stage.
        return SenderPath(value, ticks * self.tick_s, tuple(ends[-2::-1]), tuple(uses[::-1]))

    def _before(self, k: int, n: int) -> tuple[SenderRange | None, SenderSignature | None]:
        """Return the senders number n before stage k and their signature."""
        if not k:
            return None, None
        return self.stages[k - 1].ends[n], self.stages[k - 1].signatures[n]

    def _steps(self, path: SenderPath) -> list[tuple[int, SenderSignature | None, int]]:
        """Return for each stage of a path its number, the signature before and the ends."""
        befores = [0, *path.ends[:-1]]
        signatures = [self._before(k, n)[1] for k, n in enumerate(befores[: len(path.ends)])]
        return list(zip(range(len(path.ends)), signatures, path.ends, strict=True))

    def rests_on(self, path: SenderPath) -> frozenset[object]:
        """Return the senders on a path, and which of its arcs were not solved."""
        steps = [(k, s, self.stages[k].ends[n]) for k, s, n in self._steps(path)]
        senders = {(k, ends) for k, _, ends in steps}
        return frozenset(senders | {step for step in steps if step not in self.outdated})

    def _refine(self, path: SenderPath, closely: bool) -> bool:
        """Cut the ranges of senders on a path, solve its other arcs; False if all is done."""
        steps = self._steps(path)
        known = len(self.outdated)
        # Arcs first: halving puts other senders in the place of an end.
        for k, signature, n in steps if closely else ():
            ends = self.stages[k].ends[n]
            if ends.exact and (k, signature, ends) not in self.outdated:
                self.stages[k].solve(signature, n)
                self.outdated.add((k, signature, ends))
        for k, _, n in steps:
            ends = self.stages[k].ends[n]
            if not ends.exact:
                self.stages[k].split(n)
                self.outdated.add((k, ends))
        return len(self.outdated) > known


def ranges_of_senders(requests: RequestClass) -> int:
    """Return how many ranges of senders a stage may have at first: each group none, one or more."""
    return math.prod(min(len(group.nodes), 2) + 1 for group in requests.fleet.groups)
