"""A request that is placed stage by stage, and what its stages leave of the budgets."""

from functools import lru_cache

import numpy as np

from optmodel.placement import Flows, RequestPlacement
from optmodel.problem import (
    FloatArray,
    IntArray,
    LayerTask,
    RequestTask,
    StageCut,
    broadcast_bits,
    how_many_fit,
)
from optmodel.stages import ArcPlacement


class PartialPlacement:
    """The first stages of a request.

    Parameters
    ----------
    task : RequestTask
        The request.
    left : ndarray, shape (3, nodes)
        Bytes, multiplications and bits that are left before it is placed.

    Attributes
    ----------
    counts : ndarray of int, shape (layers, nodes)
        Segments of each layer on each node; 0 in layers to come.
    left : ndarray, shape (3, nodes)
        What is left, charged as if whoever sends next broadcast all maps.
    """

    def __init__(self, task: RequestTask, left: FloatArray) -> None:
        self.task, self.left = task, left.copy()
        self.counts: IntArray = np.zeros((len(task.layers), left.shape[1]), dtype=np.int64)
        self._moves: list[tuple[int, IntArray, IntArray, IntArray]] = []

    def senders(self, cut: StageCut) -> IntArray:
        """Return the nodes that send to a stage."""
        return np.flatnonzero(self.counts[cut.first - 1]) if cut.first else np.zeros(0, np.int64)

    def add(self, cut: StageCut, found: ArcPlacement) -> None:
        """Place the next stage, and take its load from what is left."""
        layers, counts, left = self.task.layers, self.counts, self.left
        counts[cut.first : cut.last + 1] = found.counts
        last = layers[cut.last]
        left[0] -= counts[cut.last] * last.weight_bytes
        left[1] -= counts[cut.last] * last.multiplications
        for k, moved in enumerate(found.flows, start=cut.first):
            self._moves.append((k, *moved))
            left[2] -= moved.sent(left.shape[1]) * layers[k].output_bits
        # Senders were charged for all maps; those that they keep need not be sent.
        senders = self.senders(cut)
        if senders.size:
            left[2, senders] += layers[cut.first - 1].output_bits * counts[cut.first, senders]
        left[2] -= broadcast_bits(self.task, cut) * (counts[cut.last] > 0)

    def finished(self) -> RequestPlacement:
        """Return the placement once all stages are placed."""
        return RequestPlacement(self.counts, Flows.from_moves(self._moves))


def heard_rates(senders: IntArray, rate: FloatArray) -> FloatArray:
    """Return the rate of the slowest sender that each node hears; infinite if it hears none."""
    slow = senders[np.argsort(rate[senders], kind="stable")]
    heard = np.full(len(rate), rate[slow[0]] if slow.size else np.inf)
    # No node sends to itself: the slowest sender hears the next slowest.
    heard[slow[:1]] = rate[slow[1]] if slow.size > 1 else np.inf
    return heard


def segments_within(layer: LayerTask, left: FloatArray) -> IntArray:
    """Return how many segments of a layer each node has memory and compute for, within its cap."""
    fit = how_many_fit(np.maximum(left, 0.0).astype(np.int64), layer)
    return np.minimum(fit, segment_caps(layer, left.shape[1]))


@lru_cache(maxsize=2**10)
def segment_caps(layer: LayerTask, nodes: int) -> IntArray:
    """Return the cap of a layer on its hosts, 0 on other nodes."""
    most = np.zeros(nodes, dtype=np.int64)
    most[list(layer.hosts)] = layer.cap
    # The array is shared by all who ask.
    most.flags.writeable = False
    return most
