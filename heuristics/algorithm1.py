"""Algorithm 1 of the paper, the online greedy, on runs of segments instead of single ones."""

from dataclasses import dataclass

import numpy as np

from heuristics.ledger import Ledger
from heuristics.outcome import Outcome
from heuristics.plain_algorithm1 import BITS_PER_MEGABIT, Weights
from heuristics.runs import Run, placement_of
from optmodel.placement import Placement, RequestPlacement
from optmodel.problem import FloatArray, IntArray, LayerTask, Problem, RequestTask
from optmodel.solution import Rejection

UNLIMITED = np.iinfo(np.int64).max
"""Room of a node where a segment needs nothing."""


class _NoPlaceError(Exception):
    """No node may take a segment; carries the segment (from 0) and the failed conditions."""

    def __init__(self, segment: int, condition: str) -> None:
        super().__init__(condition)
        self.segment = segment
        self.condition = condition


@dataclass(frozen=True, eq=False)
class _Arrival:
    """What reaches each of some equal blocks of segments.

    Attributes
    ----------
    blocks : int
        Number of blocks.
    bits : int
        Bits of one map.
    senders, maps : ndarray of int, shape (senders,)
        Who sends, and how many maps each of them sends to a node other than itself, per block.
    first : ndarray of int
        Who sends to the first segment of a block.
    """

    blocks: int
    bits: int
    senders: IntArray
    maps: IntArray
    first: IntArray

    def seconds(self, problem: Problem, hosts: IntArray) -> FloatArray:
        """Return the longest transfer of one segment to each host, none from itself."""
        each = (self.bits / problem.rate[self.first])[:, np.newaxis]
        seconds: FloatArray = np.where(self.first[:, np.newaxis] != hosts, each, 0.0).max(
            axis=0, initial=0.0
        )
        return seconds

    def affordable(self, ledger: Ledger, hosts: IntArray) -> IntArray:
        """Return how many blocks all senders have the bandwidth to send to each host."""
        each = (ledger.bandwidth_bits[self.senders] // (self.bits * self.maps))[:, np.newaxis]
        blocks: IntArray = np.where(self.senders[:, np.newaxis] != hosts, each, UNLIMITED).min(
            axis=0, initial=UNLIMITED
        )
        return blocks

    def charge(self, ledger: Ledger, node: int, blocks: int) -> None:
        """Take the transfers of some blocks to `node` off the senders' bandwidth (line 22)."""
        others = self.senders != node
        ledger.bandwidth_bits[self.senders[others]] -= blocks * self.bits * self.maps[others]


def algorithm1(problem: Problem, weights: Weights | None = None) -> Outcome:
    """Place requests in order of arrival, each segment on the node of least nrm.

    Places exactly what `heuristics.plain_algorithm1` places, which lists how the printed listing
    is read. It is faster because a node keeps the least nrm until it cannot take another segment:
    what it receives lowers the bandwidth of the senders other than itself, which raises their nrm
    and no node's falls. So segments with equal senders are placed in runs.

    Parameters
    ----------
    problem : Problem
        The batch.
    weights : Weights, optional
        alpha and beta of nrm.

    Returns
    -------
    Outcome
        The placed requests, and for each rejected one the layer and the condition that failed.
    """
    ledger = Ledger.of(problem)
    placed: dict[str, RequestPlacement] = {}
    rejected: list[Rejection] = []
    for task in problem.tasks:
        attempt = ledger.copy()
        found = place_request(problem, attempt, task, weights or Weights())
        if isinstance(found, Rejection):
            rejected.append(found)
        else:
            ledger, placed[task.request.id] = attempt, found
    return Outcome(Placement(placed), tuple(rejected))


def place_request(
    problem: Problem, ledger: Ledger, task: RequestTask, weights: Weights
) -> RequestPlacement | Rejection:
    """Place one request on what the ledger has left, and charge the ledger (lines 6-26).

    A rejection leaves the ledger charged with what was placed before it.
    """
    runs: list[list[Run]] = []
    try:
        for _ in task.layers:
            runs.append(_place_layer(problem, ledger, task, runs, weights))
    except _NoPlaceError as failure:
        return Rejection(
            request=task.request.id,
            layer=task.layers[len(runs)].name,
            segment=failure.segment + 1,
            condition=failure.condition,
        )
    return placement_of(runs, task, len(problem.node_ids))


def _place_layer(
    problem: Problem,
    ledger: Ledger,
    task: RequestTask,
    runs: list[list[Run]],
    weights: Weights,
) -> list[Run]:
    """Return the runs of the next layer, and charge the ledger (lines 8-24)."""
    layer = task.layers[len(runs)]
    if not layer.hosts:
        raise _NoPlaceError(0, "cond4: no share of its maps is admissible (Nf = 0)")
    hosts = np.array(layer.hosts)
    held = np.zeros(len(hosts), dtype=np.int64)
    block = layer.segments if layer.whole else 1
    chosen: list[Run] = []
    for arrival in _arrivals(task, runs, block):
        t = arrival.seconds(problem, hosts) + layer.multiplications / problem.speed[hosts]
        left = arrival.blocks
        while left:
            room = _room(ledger, layer, arrival, hosts, held, block)
            fits = np.flatnonzero(np.min(list(room.values()), axis=0) > 0)
            if not fits.size:
                raise _NoPlaceError(sum(run.segments for run in chosen), _describe(room))
            best = fits[np.argmin(_nrm(ledger, t, hosts, weights)[fits])]
            node = int(hosts[best])
            blocks = min(left, *(int(each[best]) for each in room.values()))
            held[best] += blocks * block
            ledger.compute_mult[node] -= layer.multiplications * blocks * block
            ledger.memory_bytes[node] -= layer.weight_bytes * blocks * block
            arrival.charge(ledger, node, blocks)
            chosen.append(Run(node, blocks * block))
            left -= blocks
    return chosen


def _arrivals(task: RequestTask, runs: list[list[Run]], block: int) -> list[_Arrival]:
    """Return what reaches the segments of the next layer, in their order (Eq. 6)."""
    k = len(runs)
    blocks = task.layers[k].segments // block
    if k == 0:
        nobody = np.empty(0, dtype=np.int64)
        return [_Arrival(blocks, 0, nobody, nobody, nobody)]
    bits, before = task.layers[k - 1].output_bits, runs[-1]
    nodes = np.array([run.node for run in before])
    if task.layers[k - 1].transfer == "broadcast":
        senders = np.unique(nodes)
        return [_Arrival(blocks, bits, senders, np.full(len(senders), block), senders)]
    if block > 1:
        senders, at = np.unique(nodes, return_inverse=True)
        maps = np.zeros(len(senders), dtype=np.int64)
        np.add.at(maps, at, [run.segments for run in before])
        return [_Arrival(1, bits, senders, maps, nodes[:1])]
    one = np.ones(1, dtype=np.int64)
    return [
        _Arrival(run.segments, bits, nodes[n : n + 1], one, nodes[n : n + 1])
        for n, run in enumerate(before)
    ]


def _nrm(ledger: Ledger, t: FloatArray, hosts: IntArray, weights: Weights) -> FloatArray:
    """Return nrm(j) of one segment for each host (lines 16-17)."""
    with np.errstate(divide="ignore"):
        scarcity = weights.beta / (ledger.bandwidth_bits[hosts] / BITS_PER_MEGABIT)
    nrm: FloatArray = weights.alpha * t + scarcity
    return nrm


def _room(
    ledger: Ledger,
    layer: LayerTask,
    arrival: _Arrival,
    hosts: IntArray,
    held: IntArray,
    block: int,
) -> dict[str, IntArray]:
    """Return for each condition how many more blocks each host may take."""

    def whole(left: IntArray, need: int) -> IntArray:
        return left[hosts] // need if need else np.full(len(hosts), UNLIMITED)

    return {
        "cond1 (memory)": whole(ledger.memory_bytes, layer.weight_bytes * block),
        "cond1 (compute)": whole(ledger.compute_mult, layer.multiplications * block),
        "cond2 (bandwidth of a sender)": arrival.affordable(ledger, hosts),
        "cond4 (privacy)": (layer.cap - held) // block,
    }


def _describe(room: dict[str, IntArray]) -> str:
    """Return how many hosts fail which condition."""
    failed = {name: int((blocks < 1).sum()) for name, blocks in room.items()}
    hosts = len(next(iter(room.values())))
    counts = [f"{name} on {number}" for name, number in failed.items() if number]
    return f"{', '.join(counts)} of {hosts} node(s)"
