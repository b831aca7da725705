"""Latency, traffic and load of a placement (Eq. 5-7), vectorised."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import FloatArray, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a placement costs.

    Attributes
    ----------
    layer_latency_s : mapping of str to ndarray, shape (layers,)
        T[r, l] in seconds, by request id (Eq. 5).
    sent_bits : ndarray, shape (nodes, nodes)
        Bits from each sender to each receiver, over all requests and layers (Eq. 6).
    memory_bytes, compute_mult : ndarray, shape (nodes,)
        Load of each node (left-hand sides of 8b and 8c).
    """

    layer_latency_s: Mapping[str, FloatArray]
    sent_bits: FloatArray
    memory_bytes: FloatArray
    compute_mult: FloatArray

    @property
    def request_latency_s(self) -> dict[str, float]:
        """Latency of each placed request, in seconds."""
        return {name: float(layers.sum()) for name, layers in self.layer_latency_s.items()}

    @property
    def latency_s(self) -> float:
        """The objective of Eq. 5: latency summed over requests, in seconds."""
        return sum(self.request_latency_s.values())

    @property
    def bandwidth_bits(self) -> FloatArray:
        """Bits that each node sends (left-hand side of 8d), shape (nodes,)."""
        total: FloatArray = self.sent_bits.sum(axis=1)
        return total


def evaluate(problem: Problem, placement: Placement) -> Evaluation:
    """Evaluate every placed request of a batch."""
    nodes = len(problem.node_ids)
    sent, memory, compute = np.zeros((nodes, nodes)), np.zeros(nodes), np.zeros(nodes)
    latency: dict[str, FloatArray] = {}
    for task in problem.tasks:
        placed = placement.requests.get(task.request.id)
        if placed is None:
            continue
        transfers = [transfer_bits(task, placed, k) for k in range(len(task.layers) - 1)]
        latency[task.request.id] = _layer_latency(problem, task, placed, transfers)
        sent += sum(transfers, np.zeros((nodes, nodes)))
        memory += [layer.weight_bytes for layer in task.layers] @ placed.counts
        compute += [layer.multiplications for layer in task.layers] @ placed.counts
    return Evaluation(latency, sent, memory, compute)


def transfer_bits(task: RequestTask, placed: RequestPlacement, layer: int) -> FloatArray:
    """Return O[i, j, l], the bits sent after `layer` (Eq. 6), shape (senders, receivers)."""
    if task.layers[layer].transfer == "mapwise":
        units = placed.flows.matrix(layer, placed.counts.shape[1])
    else:
        units = np.outer(placed.counts[layer] > 0, placed.counts[layer + 1])
    bits: FloatArray = units.astype(np.float64) * task.layers[layer].output_bits
    np.fill_diagonal(bits, 0.0)
    return bits


def _layer_latency(
    problem: Problem,
    task: RequestTask,
    placed: RequestPlacement,
    transfers: list[FloatArray],
) -> FloatArray:
    """Return T[r, l]: the slowest node's longest reception plus its computation (Eq. 5, 7)."""
    latency = np.zeros(len(task.layers))
    for k, layer in enumerate(task.layers):
        busy = placed.counts[k] > 0
        finish = placed.counts[k] * layer.multiplications / problem.speed
        if k:
            finish += (transfers[k - 1] / problem.rate[:, np.newaxis]).max(axis=0)
        latency[k] = finish[busy].max(initial=0.0)
    return latency
