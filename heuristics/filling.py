"""Place a request layer by layer, in runs of segments, each on a node that a rule chooses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from heuristics.ledger import Ledger
from heuristics.outcome import NoPlaceError
from heuristics.runs import Run, placement_of
from optmodel.placement import RequestPlacement
from optmodel.problem import FloatArray, IntArray, LayerTask, Problem, RequestTask
from optmodel.solution import Rejection

UNLIMITED = np.iinfo(np.int64).max
"""Room of a node where a segment needs nothing."""


@dataclass(frozen=True, eq=False)
class Arrival:
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


@dataclass(frozen=True, eq=False)
class Offer:
    """Segments that wait for a node, and the nodes that may take them.

    Attributes
    ----------
    problem : Problem
        The fleet.
    ledger : Ledger
        What is left of its budgets; not to be changed.
    layer : LayerTask
        The layer.
    arrival : Arrival
        What reaches each block of segments.
    hosts : ndarray of int, shape (hosts,)
        Nodes that may compute the layer (8h).
    held : ndarray of int, shape (hosts,)
        Segments of the layer that each of them already holds.
    block : int
        Segments that must stay together: all of the first fc (8g), one elsewhere.
    left : int
        Blocks that wait.
    """

    problem: Problem
    ledger: Ledger
    layer: LayerTask
    arrival: Arrival
    hosts: IntArray
    held: IntArray
    block: int
    left: int

    @cached_property
    def room(self) -> dict[str, IntArray]:
        """How many more blocks each host may take, by condition of Algorithm 1."""
        layer, block = self.layer, self.block
        return {
            "cond1 (memory)": self._whole(self.ledger.memory_bytes, layer.weight_bytes * block),
            "cond1 (compute)": self._whole(self.ledger.compute_mult, layer.multiplications * block),
            "cond2 (bandwidth of a sender)": self.arrival.affordable(self.ledger, self.hosts),
            "cond4 (privacy)": (layer.cap - self.held) // block,
        }

    def _whole(self, left: IntArray, need: int) -> IntArray:
        return left[self.hosts] // need if need else np.full(len(self.hosts), UNLIMITED)

    @cached_property
    def most(self) -> IntArray:
        """How many more blocks each host may take, shape (hosts,)."""
        most: IntArray = np.minimum(np.min(list(self.room.values()), axis=0), self.left)
        return most

    @cached_property
    def segment_s(self) -> FloatArray:
        """Latency of one segment on each host by itself: its longest transfer, its computation."""
        computing = self.layer.multiplications / self.problem.speed[self.hosts]
        return self.arrival.seconds(self.problem, self.hosts) + computing

    def describe(self) -> str:
        """Return how many hosts fail which condition."""
        failed = {name: int((blocks < 1).sum()) for name, blocks in self.room.items()}
        counts = [f"{name} on {number}" for name, number in failed.items() if number]
        return f"{', '.join(counts)} of {len(self.hosts)} node(s)"


Rule = Callable[[Offer], tuple[int, int]]
"""Chooses an index into the hosts of an offer, and how many blocks that host takes, at most what
it has room for and at least one. Some host has room for one."""


def fill(
    problem: Problem, ledger: Ledger, task: RequestTask, rule: Rule
) -> RequestPlacement | Rejection:
    """Place one request on what the ledger has left, and charge the ledger.

    A rejection leaves the ledger charged with what was placed before it.
    """
    runs: list[list[Run]] = []
    try:
        for _ in task.layers:
            runs.append(_fill_layer(problem, ledger, task, runs, rule))
    except NoPlaceError as failure:
        return failure.rejection(task, len(runs))
    return placement_of(runs, task, len(problem.node_ids))


def _fill_layer(
    problem: Problem, ledger: Ledger, task: RequestTask, runs: list[list[Run]], rule: Rule
) -> list[Run]:
    """Return the runs of the next layer, and charge the ledger."""
    layer = task.layers[len(runs)]
    if not layer.hosts:
        raise NoPlaceError(0, "cond4: no share of its maps is admissible (Nf = 0)")
    hosts = np.array(layer.hosts)
    held = np.zeros(len(hosts), dtype=np.int64)
    block = layer.segments if layer.whole else 1
    chosen: list[Run] = []
    for arrival in _arrivals(task, runs, block):
        left = arrival.blocks
        while left:
            offer = Offer(problem, ledger, layer, arrival, hosts, held, block, left)
            if not offer.most.any():
                raise NoPlaceError(sum(run.segments for run in chosen), offer.describe())
            best, blocks = rule(offer)
            node, segments = int(hosts[best]), blocks * block
            held[best] += segments
            ledger.compute_mult[node] -= layer.multiplications * segments
            ledger.memory_bytes[node] -= layer.weight_bytes * segments
            arrival.charge(ledger, node, blocks)
            chosen.append(Run(node, segments))
            left -= blocks
    return chosen


def _arrivals(task: RequestTask, runs: list[list[Run]], block: int) -> list[Arrival]:
    """Return what reaches the segments of the next layer, in their order (Eq. 6)."""
    k = len(runs)
    blocks = task.layers[k].segments // block
    if k == 0:
        nobody = np.empty(0, dtype=np.int64)
        return [Arrival(blocks, 0, nobody, nobody, nobody)]
    bits, before = task.layers[k - 1].output_bits, runs[-1]
    nodes = np.array([run.node for run in before])
    if task.layers[k - 1].transfer == "broadcast":
        senders = np.unique(nodes)
        return [Arrival(blocks, bits, senders, np.full(len(senders), block), senders)]
    if block > 1:
        senders, at = np.unique(nodes, return_inverse=True)
        maps = np.zeros(len(senders), dtype=np.int64)
        np.add.at(maps, at, [run.segments for run in before])
        return [Arrival(1, bits, senders, maps, nodes[:1])]
    one = np.ones(1, dtype=np.int64)
    return [
        Arrival(run.segments, bits, nodes[n : n + 1], one, nodes[n : n + 1])
        for n, run in enumerate(before)
    ]
