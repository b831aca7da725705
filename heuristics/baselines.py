"""Simple policies to compare with: layer-wise, random, everything on the source."""

from functools import partial

import numpy as np

from optmodel.online import ArrivalSenders, LayerFiller, OpenLayer, fill
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, Problem, RequestTask

MOST_DRAWS = 20
"""Draws of a random placement before the request is rejected."""


class _WithoutDraws:
    """A policy that draws nothing, so that the seed is not used."""

    def __init__(self, *, seed: int = 0) -> None:
        pass


class LayerWise(_WithoutDraws):
    """Keeps each layer together: whole on one device, or on as few as the caps allow.

    The layer-wise distribution that the paper compares with (its reference [11]) gives each layer
    to one device. Where maps are at risk (8f) that breaks the cap, so a device is filled to the
    cap, and the next one takes over. The device is the one that would finish what it can take at
    the least time per segment.
    """

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request, or name the layer and the condition that failed."""
        return fill(problem, left, task, _MostTogether)


class _MostTogether(LayerFiller):
    """Gives a run to a host that takes most segments, to the fastest of these."""

    def choose(self, senders: ArrivalSenders, left: int) -> tuple[int, int] | None:
        """Return a host that takes most, and all that it takes."""
        # It takes most of all: where it takes nothing, nobody does.
        best = min(range(len(self.nodes)), key=lambda at: self._rank(at, senders, left))
        most = self.most(best, senders, left)
        return (best, most) if most else None

    def _rank(self, at: int, senders: ArrivalSenders, left: int) -> tuple[int, float]:
        """Return what makes a host come first: most blocks, then the fastest segment."""
        # The slowest sender does not wait for itself.
        slowest = self.nodes[at] == senders.slowest
        received_s = senders.next_s if slowest else senders.slowest_s
        return -self.most(at, senders, left), received_s + self.computing_s[at]


class AtRandom:
    """Draws a host and a number of segments, again and again, until a request is placed.

    Parameters
    ----------
    seed : int
        Of the draws.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request; after some draws without success, return why the last one failed."""
        drawn = partial(_RandomRuns, self._random)
        for _ in range(MOST_DRAWS):
            # A draw that fails has charged the ledger for the layers that it did place.
            answer = fill(problem, left.copy(), task, drawn)
            if isinstance(answer, RequestPlacement):
                break
        return answer


class _RandomRuns(LayerFiller):
    """Draws who takes a run, among those with room, and how long it is."""

    def __init__(self, random: np.random.Generator, layer: OpenLayer) -> None:
        super().__init__(layer)
        self._random = random

    def choose(self, senders: ArrivalSenders, left: int) -> tuple[int, int] | None:
        """Return a host with room, and as many blocks as are drawn."""
        most = [self.most(at, senders, left) for at in range(len(self.nodes))]
        hosts = np.flatnonzero(most)
        if not len(hosts):
            return None
        host = int(self._random.choice(hosts))
        return host, int(self._random.integers(1, most[host], endpoint=True))


class OnSource(_WithoutDraws):
    """Computes everything where the image is: nothing leaks, and the camera does all the work.

    The model allows the source the first and last layer, and what must not leave it (8h). So this
    serves a request only where every layer must stay; elsewhere it says which layer may not.
    """

    def place(
        self, problem: Problem, task: RequestTask, left: BudgetLedger
    ) -> RequestPlacement | Rejection:
        """Place one request on its source, or name the layer that may not be there."""
        for layer in task.layers:
            if task.source not in layer.hosts:
                return Rejection(
                    request=task.request.id,
                    layer=layer.name,
                    segment=1,
                    condition="8h: the layer may not be on the source",
                )
        return fill(problem, left, task, _MostTogether)
