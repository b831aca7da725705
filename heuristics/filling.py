"""Place a request layer by layer, in runs of segments, each on a node that a policy chooses."""

from collections import Counter
from collections.abc import Callable, Sequence
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


@dataclass(eq=False)
class Arrival:
    """What reaches each of some equal blocks of segments; not to be changed.

    Attributes
    ----------
    blocks : int
        Number of blocks.
    bits : int
        Bits of one map.
    senders, maps : tuple of int, shape (senders,)
        Who sends, and how many maps each of them sends to a node other than itself, per block.
    first : tuple of int
        Who sends to the first segment of a block.
    """

    blocks: int
    bits: int
    senders: tuple[int, ...]
    maps: tuple[int, ...]
    first: tuple[int, ...]

    def seconds(self, problem: Problem, hosts: IntArray) -> FloatArray:
        """Return the longest transfer of one segment to each host, none from itself."""
        if not self.first:
            return np.zeros(len(hosts))
        first = np.array(self.first, dtype=np.int64)
        each = self.bits / problem.rate[first]
        at = int(each.argmax())
        seconds = np.full(len(hosts), each[at])
        each[at] = 0.0
        seconds[hosts == first[at]] = each.max()
        return seconds

    def affordable(self, ledger: Ledger, hosts: IntArray) -> IntArray:
        """Return how many blocks all senders have the bandwidth to send to each host."""
        if not self.senders:
            return np.full(len(hosts), UNLIMITED)
        senders, each = self._each
        most = ledger.bandwidth_bits[senders] // each
        at = int(most.argmin())
        blocks = np.full(len(hosts), most[at])
        most[at] = UNLIMITED
        blocks[hosts == senders[at]] = most.min()
        return blocks

    def charge(self, ledger: Ledger, node: int, blocks: int) -> None:
        """Take the transfers of some blocks to `node` off the senders' bandwidth (line 22)."""
        senders, each = self._each
        ledger.bandwidth_bits[senders] -= blocks * np.where(senders != node, each, 0)

    @cached_property
    def _each(self) -> tuple[IntArray, IntArray]:
        """The senders, and the bits that each sends to a node other than itself, per block."""
        maps = np.array(self.maps, dtype=np.int64)
        return np.array(self.senders, dtype=np.int64), self.bits * maps


@dataclass(frozen=True, eq=False)
class OpenLayer:
    """A layer that is being placed, and the nodes that may take its segments.

    Attributes
    ----------
    problem : Problem
        The fleet.
    ledger : Ledger
        What is left of its budgets.
    layer : LayerTask
        The layer.
    block : int
        Segments that must stay together: all of the first fc (8g), one elsewhere.
    """

    problem: Problem
    ledger: Ledger
    layer: LayerTask
    block: int

    @cached_property
    def hosts(self) -> IntArray:
        """Nodes that may compute the layer (8h), ascending, shape (hosts,)."""
        return np.array(self.layer.hosts)

    @cached_property
    def held(self) -> IntArray:
        """Segments of the layer that each host already holds, shape (hosts,)."""
        return np.zeros(len(self.hosts), dtype=np.int64)

    def room(self, affordable: IntArray) -> dict[str, IntArray]:
        """Return how many more blocks each host may take, by condition of Algorithm 1.

        Parameters
        ----------
        affordable : ndarray of int, shape (hosts,)
            How many blocks all senders can afford to send to each host.
        """
        layer, block = self.layer, self.block
        return {
            "cond1 (memory)": self._whole(self.ledger.memory_bytes, layer.weight_bytes * block),
            "cond1 (compute)": self._whole(self.ledger.compute_mult, layer.multiplications * block),
            "cond2 (bandwidth of a sender)": affordable,
            "cond4 (privacy)": (layer.cap - self.held) // block,
        }

    def _whole(self, left: IntArray, need: int) -> IntArray:
        hosts = self.hosts
        return left[hosts] // need if need else np.full(len(hosts), UNLIMITED)

    @cached_property
    def capacity(self) -> IntArray:
        """How many more blocks each host may take if senders can afford it, shape (hosts,)."""
        room = self.room(affordable=np.full_like(self.hosts, UNLIMITED))
        least: IntArray = np.min(list(room.values()), axis=0)
        return least

    def hold(self, blocks: IntArray | int, at: int | slice = slice(None)) -> None:
        """Let each host, or the one at a place, hold so many blocks more; nothing is sent yet."""
        self.capacity[at] -= blocks
        segments, hosts = blocks * self.block, self.hosts[at]
        self.held[at] += segments
        self.ledger.compute_mult[hosts] -= self.layer.multiplications * segments
        self.ledger.memory_bytes[hosts] -= self.layer.weight_bytes * segments


@dataclass(eq=False)
class Offer:
    """Blocks of segments that wait for a node, and what each host could take of them.

    Attributes
    ----------
    open : OpenLayer
        The layer and its hosts; not to be changed.
    arrival : Arrival
        What reaches each block of segments.
    left : int
        Blocks that wait.
    """

    open: OpenLayer
    arrival: Arrival
    left: int

    @property
    def most(self) -> IntArray:
        """How many more blocks each host may take, shape (hosts,)."""
        affordable = self.arrival.affordable(self.open.ledger, self.open.hosts)
        most: IntArray = np.minimum(np.minimum(self.open.capacity, affordable), self.left)
        return most

    @cached_property
    def segment_s(self) -> FloatArray:
        """Latency of one segment on each host by itself: its longest transfer, its computation."""
        problem, hosts = self.open.problem, self.open.hosts
        computing = self.open.layer.multiplications / problem.speed[hosts]
        return self.arrival.seconds(problem, hosts) + computing

    def give(self, host: int, blocks: int) -> Run:
        """Let a host, by its place among the hosts, take some blocks, and charge the ledger."""
        run = Run(int(self.open.hosts[host]), blocks * self.open.block)
        self.open.hold(blocks, host)
        self.arrival.charge(self.open.ledger, run.node, blocks)
        self.left -= blocks
        return run

    def no_place(self) -> NoPlaceError:
        """Return how many hosts fail which condition."""
        room = self.open.room(self.arrival.affordable(self.open.ledger, self.open.hosts))
        failed = {name: int((blocks < 1).sum()) for name, blocks in room.items()}
        counts = [f"{name} on {number}" for name, number in failed.items() if number]
        hosts = len(self.open.hosts)
        return NoPlaceError(int(self.open.held.sum()), f"{', '.join(counts)} of {hosts} node(s)")


Filler = Callable[[OpenLayer, Sequence[Arrival]], list[Run]]
"""Places a layer, given what reaches its segments in their order, and charges the ledger.

Raises NoPlaceError where no host has room."""
Rule = Callable[[Offer, IntArray], tuple[int, int]]
"""Chooses a host, by its place among the hosts, and how many blocks it takes: one at least, and at
most what each has room for, which is told. Some host has room for one."""


def by_offers(rule: Rule) -> Filler:
    """Return what places a layer run by run, looking at what each host could take."""

    def fill_layer(layer: OpenLayer, arrivals: Sequence[Arrival]) -> list[Run]:
        """Place a layer, offer by offer."""
        chosen: list[Run] = []
        for arrival in arrivals:
            offer = Offer(layer, arrival, arrival.blocks)
            while offer.left:
                most = offer.most
                if not most.any():
                    raise offer.no_place()
                chosen.append(offer.give(*rule(offer, most)))
        return chosen

    return fill_layer


def fill(
    problem: Problem, ledger: Ledger, task: RequestTask, filler: Filler
) -> RequestPlacement | Rejection:
    """Place one request on what the ledger has left, and charge the ledger.

    A rejection leaves the ledger charged with what was placed before it.
    """
    runs: list[list[Run]] = []
    try:
        for layer in task.layers:
            if not layer.hosts:
                raise NoPlaceError(0, "cond4: no share of its maps is admissible (Nf = 0)")
            block = layer.segments if layer.whole else 1
            opened = OpenLayer(problem, ledger, layer, block)
            runs.append(filler(opened, _arrivals(task, runs, block)))
    except NoPlaceError as failure:
        return failure.rejection(task, len(runs))
    return placement_of(runs, task, len(problem.node_ids))


def _arrivals(task: RequestTask, runs: list[list[Run]], block: int) -> list[Arrival]:
    """Return what reaches the segments of the next layer, in their order (Eq. 6)."""
    k = len(runs)
    blocks = task.layers[k].segments // block
    if k == 0:
        return [Arrival(blocks, 0, (), (), ())]
    bits, before = task.layers[k - 1].output_bits, runs[-1]
    held: Counter[int] = Counter()
    for run in before:
        held[run.node] += run.segments
    senders = tuple(sorted(held))
    if task.layers[k - 1].transfer == "broadcast":
        return [Arrival(blocks, bits, senders, (block,) * len(senders), senders)]
    if block > 1:
        maps = tuple(held[node] for node in senders)
        return [Arrival(1, bits, senders, maps, (before[0].node,))]
    return [Arrival(run.segments, bits, (run.node,), (1,), (run.node,)) for run in before]
