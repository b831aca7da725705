"""Algorithm 1 segment by segment, as the reading of the paper decides it: the reference."""

from dataclasses import dataclass

import numpy as np

from heuristics.policy import PolicyOutcome
from optmodel.online import NoPlaceError, NrmWeights
from optmodel.placement import Placement, Rejection, RequestPlacement
from optmodel.problem import (
    BoolArray,
    BudgetLedger,
    FloatArray,
    IntArray,
    LayerTask,
    Problem,
    RequestTask,
)


@dataclass(frozen=True, eq=False)
class _Arrival:
    """What reaches one segment, or all segments of a layer that must be whole.

    Attributes
    ----------
    senders : ndarray of int, shape (senders,)
        Nodes that send.
    bits : ndarray of int, shape (senders,)
        Bits that each of them sends to a node other than itself.
    """

    senders: IntArray
    bits: IntArray

    def slowest(self, problem: Problem, hosts: IntArray) -> FloatArray:
        """Return the longest transfer to each host in seconds, none from itself."""
        seconds = self.bits / problem.rate[self.senders]
        from_others = self.senders[:, np.newaxis] != hosts
        slowest: FloatArray = np.where(from_others, seconds[:, np.newaxis], 0.0).max(
            axis=0, initial=0.0
        )
        return slowest

    def affordable(self, ledger: BudgetLedger, hosts: IntArray) -> BoolArray:
        """Return for each host whether all senders have the bandwidth to reach it (cond2)."""
        short = ledger.bandwidth_bits[self.senders] < self.bits
        from_others = self.senders[:, np.newaxis] != hosts
        affordable: BoolArray = ~(short[:, np.newaxis] & from_others).any(axis=0)
        return affordable

    def charge(self, ledger: BudgetLedger, node: int) -> None:
        """Take the transfer to `node` off the senders' bandwidth (line 22)."""
        others = self.senders != node
        ledger.bandwidth_bits[self.senders[others]] -= self.bits[others]


def plain_algorithm1(problem: Problem, weights: NrmWeights | None = None) -> PolicyOutcome:
    """Place requests in order of arrival, each segment on the node of least nrm.

    Each segment of each layer goes to the helper j with the least nrm(j) among those that have
    the memory and computation for it (cond1), whose senders have the bandwidth for it (cond2),
    and that stay within Nf (cond4); t(j) is the longest transfer of this one segment plus its
    computation, without the load already on j, exactly as printed.

    How the printed listing is read stands in docs/reading.md.

    Parameters
    ----------
    problem : Problem
        The batch.
    weights : NrmWeights, optional
        alpha and beta of nrm.

    Returns
    -------
    PolicyOutcome
        The placed requests, and for each rejected one the layer and the condition that failed.
    """
    weights = weights or NrmWeights()
    ledger = BudgetLedger.of(problem)
    placed: dict[str, RequestPlacement] = {}
    rejected: list[Rejection] = []
    for task in problem.tasks:
        attempt = ledger.copy()
        labels: list[IntArray] = []
        try:
            for k in range(len(task.layers)):
                labels.append(_place_layer(problem, attempt, task, labels, weights, k))
        except NoPlaceError as failure:
            rejected.append(failure.rejection(task, len(labels)))
            continue
        ledger = attempt
        mapwise = [layer.transfer == "mapwise" for layer in task.layers]
        placed[task.request.id] = RequestPlacement.from_labels(
            labels, mapwise, len(problem.node_ids)
        )
    return PolicyOutcome(Placement(placed), tuple(rejected))


def _place_layer(
    problem: Problem,
    ledger: BudgetLedger,
    task: RequestTask,
    labels: list[IntArray],
    weights: NrmWeights,
    k: int,
) -> IntArray:
    """Return the node of each segment of layer `k`, and charge the ledger (lines 8-24)."""
    layer = task.layers[k]
    if not layer.hosts:
        raise NoPlaceError(0, "cond4: no share of its maps is admissible (Nf = 0)")
    hosts = np.array(layer.hosts)
    held = np.zeros(len(hosts), dtype=np.int64)
    chosen = np.empty(layer.segments, dtype=np.int64)
    block = layer.segments if layer.whole else 1
    for p in range(0, layer.segments, block):
        arrival = _arrival(task, labels, k, slice(p, p + block))
        failed = _failed_conditions(ledger, layer, arrival, hosts, held, block)
        fits = np.flatnonzero(~np.any(list(failed.values()), axis=0))
        if not len(fits):
            raise NoPlaceError(p, _describe(failed))
        nrm = _nrm(
            problem, ledger, layer, _arrival(task, labels, k, slice(p, p + 1)), hosts, weights
        )
        best = fits[np.argmin(nrm[fits])]
        node = int(hosts[best])
        chosen[p : p + block] = node
        held[best] += block
        ledger.compute_mult[node] -= layer.multiplications * block
        ledger.memory_bytes[node] -= layer.weight_bytes * block
        arrival.charge(ledger, node)
    return chosen


def _arrival(task: RequestTask, labels: list[IntArray], k: int, segments: slice) -> _Arrival:
    """Return what must reach these segments of layer `k`, wherever they are computed (Eq. 6)."""
    if k == 0:
        return _Arrival(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    before = task.layers[k - 1]
    if before.transfer == "mapwise":
        senders, maps = np.unique(labels[k - 1][segments], return_counts=True)
    else:
        senders = np.unique(labels[k - 1])
        maps = np.full(len(senders), segments.stop - segments.start)
    return _Arrival(senders, maps * before.output_bits)


def _nrm(
    problem: Problem,
    ledger: BudgetLedger,
    layer: LayerTask,
    arrival: _Arrival,
    hosts: IntArray,
    weights: NrmWeights,
) -> FloatArray:
    """Return nrm(j) of one segment for each host (lines 16-17)."""
    t = arrival.slowest(problem, hosts) + layer.multiplications / problem.speed[hosts]
    return weights.nrm(t, ledger.bandwidth_bits[hosts])


def _failed_conditions(
    ledger: BudgetLedger,
    layer: LayerTask,
    arrival: _Arrival,
    hosts: IntArray,
    held: IntArray,
    block: int,
) -> dict[str, BoolArray]:
    """Return for each condition which hosts fail it."""
    return {
        "cond1 (memory)": ledger.memory_bytes[hosts] < layer.weight_bytes * block,
        "cond1 (compute)": ledger.compute_mult[hosts] < layer.multiplications * block,
        "cond2 (bandwidth of a sender)": ~arrival.affordable(ledger, hosts),
        "cond4 (privacy)": held + block > layer.cap,
    }


def _describe(failed: dict[str, BoolArray]) -> str:
    """Return how many hosts fail which condition."""
    hosts = len(next(iter(failed.values())))
    counts = [f"{name} on {int(at.sum())}" for name, at in failed.items() if at.any()]
    return f"{', '.join(counts)} of {hosts} node(s)"
