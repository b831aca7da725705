"""Latency and load of a placement (Eq. 5-7), vectorised; no node pays for what it does not do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from optmodel.placement.placement import Flows, Placement, RequestPlacement, restricted
from optmodel.problem import BoolArray, FloatArray, IntArray, LayerTask, Problem, RequestTask


@dataclass(frozen=True, eq=False)
class RequestEvaluation:
    """What the placement of one request costs."""

    layer_latency_s: FloatArray
    """T[l] in seconds (Eq. 5); shape (layers,)."""
    load: IntArray
    """Bytes, multiplications and bits sent of each node (left-hand sides of 8b, 8c, 8d); shape (3,
    nodes)."""

    @property
    def latency_s(self) -> float:
        """Latency of the request, in seconds."""
        return float(self.layer_latency_s.sum())


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a placement costs."""

    layer_latency_s: Mapping[str, FloatArray]
    """T[r, l] in seconds, by request id (Eq. 5); shape (layers,)."""
    load: IntArray
    """Bytes, multiplications and bits sent of each node, over all requests (8b, 8c, 8d); shape (3,
    nodes)."""

    @property
    def latency_s(self) -> float:
        """The objective of Eq. 5: latency summed over requests, in seconds."""
        return sum(float(layers.sum()) for layers in self.layer_latency_s.values())


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
    return Evaluation(latency, load)


def evaluate_request(
    problem: Problem, task: RequestTask, placed: RequestPlacement
) -> RequestEvaluation:
    """Evaluate one request by itself; what it takes grows with the nodes that take part."""
    part = _taking_part(placed)
    found = _evaluate(task, restricted(placed, part), problem.speed[part], problem.rate[part])
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
    counts, layers = placed.counts, task.layers
    work = np.array([layer.multiplications for layer in layers])
    weights = np.array([layer.weight_bytes for layer in layers])
    finish = counts * work[:, np.newaxis] / speed
    sent = np.zeros(len(speed), dtype=np.int64)
    _add_moved(finish, sent, rate, task, placed.flows)
    _add_broadcast(finish, sent, rate, task, counts)
    latency = np.where(counts > 0, finish, 0.0).max(axis=1, initial=0.0)
    return RequestEvaluation(latency, np.stack([weights @ counts, work @ counts, sent]))


def _add_moved(
    finish: FloatArray, sent: IntArray, rate: FloatArray, task: RequestTask, flows: Flows
) -> None:
    """Add what each node waits for its slowest map, and sends, after mapwise layers."""
    mapwise = [0 if _broadcasts(layer) else layer.output_bits for layer in task.layers[:-1]]
    bits = np.array(mapwise, dtype=np.int64)
    at = np.flatnonzero(flows.sender != flows.receiver)
    at = at[flows.layer[at] < len(bits)]
    layer, sender, receiver = flows.layer[at], flows.sender[at], flows.receiver[at]
    moved = flows.maps[at] * bits[layer]
    slowest = np.zeros_like(finish)
    np.maximum.at(slowest, (layer + 1, receiver), moved / rate[sender])
    np.add.at(sent, sender, moved)
    finish += slowest


def _add_broadcast(
    finish: FloatArray, sent: IntArray, rate: FloatArray, task: RequestTask, counts: IntArray
) -> None:
    """Add what each node receives from the slowest other sender, and sends, after all others."""
    after = [k for k, layer in enumerate(task.layers[:-1]) if _broadcasts(layer)]
    each = np.array([task.layers[k].output_bits for k in after], dtype=np.int64)
    behind = [k + 1 for k in after]
    bits, sends = counts[behind] * each[:, np.newaxis], counts[after] > 0
    finish[behind] += bits / _heard_rates(rate, sends)
    sent += np.where(sends, bits.sum(axis=1, keepdims=True) - bits, 0).sum(axis=0)


def _broadcasts(layer: LayerTask) -> bool:
    return layer.transfer == "broadcast"


def _heard_rates(rate: FloatArray, sends: BoolArray) -> FloatArray:
    """Return the rate of the slowest sender other than the node itself; infinite without one.

    `sends` and what is returned have shape (layers, nodes).
    """
    rates = np.where(sends, rate, np.inf)
    slowest = rates.min(axis=1, initial=np.inf, keepdims=True)
    next_slowest = rates.min(axis=1, initial=np.inf, where=rates > slowest, keepdims=True)
    at_slowest = rates == slowest
    alone = at_slowest.sum(axis=1, keepdims=True) == 1
    heard: FloatArray = np.where(at_slowest & alone, next_slowest, slowest)
    return heard


def transfer_bits(task: RequestTask, placed: RequestPlacement, layer: int) -> FloatArray:
    """Return O[i, j, l], the bits sent after `layer` (Eq. 6), shape (senders, receivers)."""
    if task.layers[layer].transfer == "mapwise":
        units = placed.flows.matrix(layer, placed.counts.shape[1])
    else:
        units = np.outer(placed.counts[layer] > 0, placed.counts[layer + 1])
    bits: FloatArray = units.astype(np.float64) * task.layers[layer].output_bits
    np.fill_diagonal(bits, 0.0)
    return bits
