"""Latency and load of a placement (Eq. 5-7), vectorised; no node pays for what it does not do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optmodel.placement import Placement, RequestPlacement, relocated_to
from optmodel.problem import BoolArray, FloatArray, IntArray, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class RequestEvaluation:
    """What the placement of one request costs.

    Attributes
    ----------
    layer_latency_s : ndarray, shape (layers,)
        T[l] in seconds (Eq. 5).
    load : ndarray of int, shape (3, nodes)
        Bytes, multiplications and bits sent of each node (left-hand sides of 8b, 8c, 8d).
    """

    layer_latency_s: FloatArray
    load: IntArray

    @property
    def latency_s(self) -> float:
        """Latency of the request, in seconds."""
        return float(self.layer_latency_s.sum())


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a placement costs.

    Attributes
    ----------
    layer_latency_s : mapping of str to ndarray, shape (layers,)
        T[r, l] in seconds, by request id (Eq. 5).
    memory_bytes, compute_mult, bandwidth_bits : ndarray of int, shape (nodes,)
        Load of each node, over all requests (left-hand sides of 8b, 8c, 8d).
    """

    layer_latency_s: Mapping[str, FloatArray]
    memory_bytes: IntArray
    compute_mult: IntArray
    bandwidth_bits: IntArray

    @property
    def request_latency_s(self) -> dict[str, float]:
        """Latency of each placed request, in seconds."""
        return {name: float(layers.sum()) for name, layers in self.layer_latency_s.items()}

    @property
    def latency_s(self) -> float:
        """The objective of Eq. 5: latency summed over requests, in seconds."""
        return sum(self.request_latency_s.values())


def evaluate(problem: Problem, placement: Placement) -> Evaluation:
    """Evaluate every placed request of a batch."""
    load = np.zeros((3, len(problem.node_ids)), dtype=np.int64)
    latency: dict[str, FloatArray] = {}
    for task in problem.tasks:
        placed = placement.requests.get(task.request.id)
        if placed is not None:
            found = evaluate_request(problem, task, placed)
            latency[task.request.id] = found.layer_latency_s
            load += found.load
    return Evaluation(latency, *load)


def evaluate_request(
    problem: Problem, task: RequestTask, placed: RequestPlacement
) -> RequestEvaluation:
    """Evaluate one request by itself; what it takes grows with the nodes that take part."""
    part = _taking_part(placed)
    found = _evaluate(task, relocated_to(placed, part), problem.speed[part], problem.rate[part])
    load = np.zeros((3, placed.counts.shape[1]), dtype=np.int64)
    load[:, part] = found.load
    return RequestEvaluation(found.layer_latency_s, load)


def _taking_part(placed: RequestPlacement) -> IntArray:
    """Return the nodes that compute, send or receive, in order."""
    takes_part: BoolArray = np.logical_or.reduce(placed.counts != 0, axis=0)
    takes_part[placed.flows.sender] = True
    takes_part[placed.flows.receiver] = True
    return np.flatnonzero(takes_part)


def _evaluate(
    task: RequestTask, placed: RequestPlacement, speed: FloatArray, rate: FloatArray
) -> RequestEvaluation:
    """Evaluate a placement on nodes of these speeds and rates."""
    counts, flows, layers = placed.counts, placed.flows, task.layers
    latency = np.zeros(len(layers))
    sent = np.zeros(len(speed), dtype=np.int64)
    for k, layer in enumerate(layers):
        finish = counts[k] * layer.multiplications / speed
        if k and layers[k - 1].transfer == "mapwise":
            at = (flows.layer == k - 1) & (flows.sender != flows.receiver)
            sender, receiver = flows.sender[at], flows.receiver[at]
            bits = flows.maps[at] * layers[k - 1].output_bits
            slowest = np.zeros(len(finish))
            np.maximum.at(slowest, receiver, bits / rate[sender])
            np.add.at(sent, sender, bits)
            finish += slowest
        elif k:
            senders = np.flatnonzero(counts[k - 1])
            bits = counts[k] * layers[k - 1].output_bits
            finish += bits / _heard_rate(rate, senders)
            sent[senders] += bits.sum() - bits[senders]
        latency[k] = finish[counts[k] > 0].max(initial=0.0)
    weights = [layer.weight_bytes for layer in layers]
    work = [layer.multiplications for layer in layers]
    return RequestEvaluation(latency, np.stack([weights @ counts, work @ counts, sent]))


def _heard_rate(rate: FloatArray, senders: IntArray) -> FloatArray:
    """Return the rate of the slowest sender other than the node itself; infinite without one."""
    heard = np.full(len(rate), np.inf)
    if senders.size:
        slowest, *others = senders[np.argsort(rate[senders], kind="stable")][:2]
        heard[:] = rate[slowest]
        heard[slowest] = rate[others[0]] if others else np.inf
    return heard


def sent_bits(problem: Problem, placement: Placement) -> FloatArray:
    """Return the bits from each sender to each receiver (Eq. 6), shape (senders, receivers)."""
    total = np.zeros((len(problem.node_ids),) * 2)
    for task in problem.tasks:
        placed = placement.requests.get(task.request.id)
        if placed is not None:
            for k in range(len(task.layers) - 1):
                total += transfer_bits(task, placed, k)
    return total


def transfer_bits(task: RequestTask, placed: RequestPlacement, layer: int) -> FloatArray:
    """Return O[i, j, l], the bits sent after `layer` (Eq. 6), shape (senders, receivers)."""
    if task.layers[layer].transfer == "mapwise":
        units = placed.flows.matrix(layer, placed.counts.shape[1])
    else:
        units = np.outer(placed.counts[layer] > 0, placed.counts[layer + 1])
    bits: FloatArray = units.astype(np.float64) * task.layers[layer].output_bits
    np.fill_diagonal(bits, 0.0)
    return bits
