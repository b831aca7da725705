"""Simple policies to compare with: layer-wise, random, everything on the source."""

import numpy as np

from heuristics.filling import Offer, by_offers, fill
from heuristics.ledger import Ledger
from optmodel.placement import RequestPlacement
from optmodel.problem import IntArray, Problem, RequestTask
from optmodel.solution import Rejection

MOST_DRAWS = 20
"""Draws of a random placement before the request is rejected."""


class _Undrawn:
    """A policy that draws nothing.

    Parameters
    ----------
    seed : int
        Not used.
    """

    def __init__(self, *, seed: int = 0) -> None:
        pass


class LayerWise(_Undrawn):
    """Keeps each layer together: whole on one device, or on as few as the caps allow.

    The layer-wise distribution that the paper compares with (its reference [11]) gives each layer
    to one device. Where maps are at risk (8f) that breaks the cap, so a device is filled to the
    cap, and the next one takes over. The device is the one that would finish what it can take at
    the least time per segment.
    """

    def place(
        self, problem: Problem, task: RequestTask, left: Ledger
    ) -> RequestPlacement | Rejection:
        """Place one request, or name the layer and the condition that failed."""
        return fill(problem, left, task, by_offers(_most_together))


def _most_together(offer: Offer, most: IntArray) -> tuple[int, int]:
    """Choose a host that takes most segments, the fastest of these."""
    widest = (most == most.max()).nonzero()[0]
    best = int(widest[offer.segment_s[widest].argmin()])
    return best, int(most[best])


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
        self, problem: Problem, task: RequestTask, left: Ledger
    ) -> RequestPlacement | Rejection:
        """Place one request; after some draws without success, return why the last one failed."""
        drawn = by_offers(self._drawn)
        answer = fill(problem, left.copy(), task, drawn)
        for _ in range(MOST_DRAWS - 1):
            if isinstance(answer, RequestPlacement):
                break
            answer = fill(problem, left.copy(), task, drawn)
        return answer

    def _drawn(self, offer: Offer, most: IntArray) -> tuple[int, int]:
        host = int(self._random.choice(np.flatnonzero(most)))
        return host, int(self._random.integers(1, most[host], endpoint=True))


class OnSource(_Undrawn):
    """Computes everything where the image is: nothing leaks, and the camera does all the work.

    The model allows the source the first and last layer, and what must not leave it (8h). So this
    serves a request only where every layer must stay; elsewhere it says which layer may not.
    """

    def place(
        self, problem: Problem, task: RequestTask, left: Ledger
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
        return fill(problem, left, task, by_offers(_on_the_only_host))


def _on_the_only_host(offer: Offer, most: IntArray) -> tuple[int, int]:
    return 0, int(most[0])
