"""Place a request layer by layer, each in runs of segments on hosts that a rule chooses."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter

import numpy as np

from optmodel.online.segment_runs import SegmentRun, placement_of
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, LayerTask, Problem, RequestTask

UNLIMITED = np.iinfo(np.int64).max
"""What nobody can afford in place of a sender that there is not."""
NOBODY = -1, UNLIMITED
"""In the place of a sender, and what it can afford."""


class NoPlaceError(Exception):
    """No node may take a segment (from 0), for the conditions that failed."""

    def __init__(self, segment: int, condition: str) -> None:
        super().__init__(condition)
        self.segment, self.condition = segment, condition

    def rejection(self, task: RequestTask, layer: int) -> Rejection:
        """Return the rejection of a request that got as far as a layer (from 0)."""
        return Rejection(
            request=task.request.id,
            layer=task.layers[layer].name,
            segment=self.segment + 1,
            condition=self.condition,
        )


@dataclass(frozen=True, eq=False)
class OpenLayer:
    """A layer that is being placed, and what is left of the budgets.

    Segments of a `block` must stay together: all of the first fc (8g), one elsewhere.
    """

    problem: Problem
    ledger: BudgetLedger
    layer: LayerTask
    block: int


@dataclass(frozen=True, eq=False)
class LayerArrival:
    """What reaches each of some equal blocks of segments."""

    blocks: int
    """Number of blocks."""
    bits: int
    """Bits of one map."""
    senders: tuple[int, ...]
    maps: tuple[int, ...]
    """Who sends, and how many maps each of them sends to a node other than itself, per block; shape
    (senders,)."""
    first: tuple[int, ...]
    """Who sends to the first segment of a block."""


class ArrivalSenders:
    """Who sends the blocks of an arrival, how long, and how much more they can afford.

    Parameters
    ----------
    bits : list of int, shape (nodes,)
        Bandwidth that every node has left; `settle` takes what was sent off it.
    rate : list of float, shape (nodes,)
        Bits per second.
    arrival : LayerArrival
        What is sent.

    Attributes
    ----------
    slowest : int
        The slowest sender, or one of them; -1 without senders.
    slowest_s, next_s : float
        How long it takes for one segment, and how long the slowest of the others.
    scarcest : int
        The sender that can afford least, or one of them; -1 without senders.
    """

    def __init__(self, bits: list[int], rate: list[float], arrival: LayerArrival) -> None:
        self._bits = bits
        # To itself a node sends nothing: the slowest sender hears the next slowest (Eq. 6).
        slow = sorted(arrival.first, key=rate.__getitem__)[:2]
        seconds = [arrival.bits / rate[node] for node in slow]
        self.slowest = slow[0] if slow else -1
        self.slowest_s, self.next_s, *_ = (*seconds, 0.0, 0.0)
        self._each = {
            node: arrival.bits * maps
            for node, maps in zip(arrival.senders, arrival.maps, strict=True)
        }
        self._could = {node: bits[node] // each for node, each in self._each.items()}
        self._sent, self._kept = 0, dict.fromkeys(self._each, 0)
        self._find_scarcest()

    def _find_scarcest(self) -> None:
        """Find who could send least; what a sender keeps itself it does not send."""
        # The second is for the scarcest itself, which does not send to itself.
        scarce = sorted(self._could.items(), key=itemgetter(1))[:2]
        (self.scarcest, self._least), (_, self._next), *_ = *scarce, NOBODY, NOBODY

    def affordable(self, node: int) -> int:
        """Return how many more blocks all others can afford to send to a node."""
        return (self._next if node == self.scarcest else self._least) - self._sent

    @property
    def affords(self) -> int:
        """How many more blocks the scarcest can afford to send."""
        return self._least - self._sent

    def bandwidth(self, node: int) -> int:
        """Return the bits that a node has left."""
        each = self._each.get(node)
        if each is None:
            return self._bits[node]
        return self._bits[node] - each * (self._sent - self._kept[node])

    def send(self, node: int, blocks: int) -> None:
        """Send some blocks to a node, at the expense of all others."""
        self._sent += blocks
        # What a sender keeps it has not sent after all: it can afford as much more.
        if node in self._kept:
            self._kept[node] += blocks
            self._could[node] += blocks
            self._find_scarcest()

    def settle(self) -> None:
        """Take what was sent off the bandwidth that the senders have left."""
        for node in self._each:
            self._bits[node] = self.bandwidth(node)


class LayerFiller(ABC):
    """Places one layer run by run; what a rule must say is who takes the next run.

    Hosts are told by their place among those that may compute the layer, from 0.

    Parameters
    ----------
    layer : OpenLayer
        The layer; its ledger is charged once all of it is placed.

    Attributes
    ----------
    nodes : tuple of int, shape (hosts,)
        The node that each host is, ascending (8h).
    place_of : dict
        The place of each node among the hosts.
    room : list of int, shape (hosts,)
        How many more blocks each host may take if senders can afford it.
    computing_s : list of float, shape (hosts,)
        Seconds that one segment computes on each host.
    bits : list of int, shape (nodes,)
        Bandwidth that every node has left.
    """

    def __init__(self, layer: OpenLayer) -> None:
        self.layer, self.nodes = layer, layer.layer.hosts
        self.place_of = {node: at for at, node in enumerate(self.nodes)}
        self._limits = self._room_by_condition()
        self.room: list[int] = reduce(np.minimum, self._limits.values()).tolist()
        seconds = layer.layer.multiplications / layer.problem.speed[list(self.nodes)]
        self.computing_s: list[float] = seconds.tolist()
        # Lists: numbers are read and changed one by one, at which arrays are slow.
        self.bits: list[int] = layer.ledger.bandwidth_bits.tolist()
        self._rate: list[float] = layer.problem.rate.tolist()
        self._blocks = [0] * len(self.nodes)

    def _room_by_condition(self) -> dict[str, np.ndarray]:
        """Return how many blocks each host may take at first, by condition of Algorithm 1."""
        hosts, ledger = list(self.nodes), self.layer.ledger
        layer, block = self.layer.layer, self.layer.block
        needs = (
            ("cond1 (memory)", ledger.memory_bytes, layer.weight_bytes * block),
            ("cond1 (compute)", ledger.compute_mult, layer.multiplications * block),
        )
        # What needs nothing of a budget fits any number of times: no division by 0.
        room = {name: left[hosts] // need for name, left, need in needs if need}
        return room | {"cond4 (privacy)": np.full(len(hosts), layer.cap // block)}

    @abstractmethod
    def choose(self, senders: ArrivalSenders, left: int) -> tuple[int, int] | None:
        """Return a host and how many blocks it takes, one to `most`; None if no host has room.

        Parameters
        ----------
        senders : ArrivalSenders
            Who sends the blocks.
        left : int
            Equal blocks that wait.
        """

    def most(self, at: int, senders: ArrivalSenders, left: int) -> int:
        """Return how many of the blocks that wait a host may take."""
        return min(self.room[at], senders.affordable(self.nodes[at]), left)

    def fill(self, arrivals: Sequence[LayerArrival]) -> list[SegmentRun]:
        """Return runs, given what reaches the segments in their order, and charge the ledger.

        Raises
        ------
        NoPlaceError
            Where no host has room.
        """
        runs: list[SegmentRun] = []
        for arrival in arrivals:
            senders, left = ArrivalSenders(self.bits, self._rate, arrival), arrival.blocks
            while left:
                chosen = self.choose(senders, left)
                if chosen is None:
                    raise self._no_place(senders)
                at, blocks = chosen
                senders.send(self.nodes[at], blocks)
                self.room[at] -= blocks
                self._blocks[at] += blocks
                runs.append(SegmentRun(self.nodes[at], blocks * self.layer.block))
                left -= blocks
            senders.settle()
        self._charge()
        return runs

    def _charge(self) -> None:
        """Take what the layer uses off the ledger."""
        ledger, layer, hosts = self.layer.ledger, self.layer.layer, list(self.nodes)
        segments = np.array(self._blocks) * self.layer.block
        ledger.compute_mult[hosts] -= layer.multiplications * segments
        ledger.memory_bytes[hosts] -= layer.weight_bytes * segments
        ledger.bandwidth_bits[:] = self.bits

    def _no_place(self, senders: ArrivalSenders) -> NoPlaceError:
        """Return how many hosts fail which condition."""
        held = np.array(self._blocks)
        can = {name: blocks - held for name, blocks in self._limits.items()}
        affordable = [senders.affordable(node) for node in self.nodes]
        can["cond2 (bandwidth of a sender)"] = np.array(affordable)
        failed = {name: int((blocks < 1).sum()) for name, blocks in can.items()}
        in_order = sorted(failed, key=lambda name: name.split()[0])
        counts = [f"{name} on {failed[name]}" for name in in_order if failed[name]]
        segments = sum(self._blocks) * self.layer.block
        return NoPlaceError(segments, f"{', '.join(counts)} of {len(self.nodes)} node(s)")


def fill(
    problem: Problem,
    ledger: BudgetLedger,
    task: RequestTask,
    filler_of: Callable[[OpenLayer], LayerFiller],
) -> RequestPlacement | Rejection:
    """Place one request on what the ledger has left, and charge the ledger.

    A rejection leaves the ledger charged with what was placed before it.
    """
    runs: list[list[SegmentRun]] = []
    try:
        for layer in task.layers:
            if not layer.hosts:
                raise NoPlaceError(0, "cond4: no share of its maps is admissible (Nf = 0)")
            block = layer.segments if layer.whole else 1
            opened = OpenLayer(problem, ledger, layer, block)
            runs.append(filler_of(opened).fill(_arrivals(task, runs, block)))
    except NoPlaceError as failure:
        # Each layer placed has its runs: the one after them failed.
        return failure.rejection(task, len(runs))
    return placement_of(runs, task, len(problem.node_ids))


def _arrivals(task: RequestTask, runs: list[list[SegmentRun]], block: int) -> list[LayerArrival]:
    """Return what reaches the segments of the next layer, in their order (Eq. 6)."""
    k = len(runs)
    blocks = task.layers[k].segments // block
    if k == 0:
        return [LayerArrival(blocks, 0, (), (), ())]
    bits, before = task.layers[k - 1].output_bits, runs[-1]
    held: Counter[int] = Counter()
    for run in before:
        held[run.node] += run.segments
    senders = tuple(sorted(held))
    if task.layers[k - 1].transfer == "broadcast":
        return [LayerArrival(blocks, bits, senders, (block,) * len(senders), senders)]
    if block > 1:
        # nrm is that of the first segment, which the holder of the first map sends to.
        maps = tuple(held[node] for node in senders)
        return [LayerArrival(1, bits, senders, maps, (before[0].node,))]
    # Map by map: who holds a map sends it to the one segment that needs it.
    return [LayerArrival(run.segments, bits, (run.node,), (1,), (run.node,)) for run in before]
