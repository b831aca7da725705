"""Place a layer in runs of segments, each on a host that a rule chooses among those with room."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import reduce
from operator import itemgetter

import numpy as np

from optmodel.online.filling import UNLIMITED, LayerArrival, OpenLayer
from optmodel.online.outcome import NoPlaceError
from optmodel.online.runs import SegmentRun

NOBODY = -1, UNLIMITED
"""In the place of a sender, and what it can afford."""


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
        The node that each host is.
    place_of : dict
        The place of each node among the hosts.
    room : list of int, shape (hosts,)
        How many more blocks each host may take if senders can afford it.
    computing_s : list of float, shape (hosts,)
        Seconds that one segment computes on each host.
    """

    def __init__(self, layer: OpenLayer) -> None:
        self.layer, self.nodes = layer, layer.layer.hosts
        self.place_of = {node: at for at, node in enumerate(self.nodes)}
        self.room: list[int] = reduce(np.minimum, layer.room.values()).tolist()
        seconds = layer.layer.multiplications / layer.problem.speed[layer.hosts]
        self.computing_s: list[float] = seconds.tolist()
        self.bits: list[int] = layer.ledger.bandwidth_bits.tolist()
        self._rate: list[float] = layer.problem.rate.tolist()
        self._blocks = [0] * len(self.nodes)

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
        """Place the layer, and charge the ledger; `Filler` has the contract."""
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
        self.layer.charge(np.array(self._blocks))
        self.layer.ledger.bandwidth_bits[:] = self.bits
        return runs

    def _no_place(self, senders: ArrivalSenders) -> NoPlaceError:
        """Return how many hosts fail which condition."""
        held = np.array(self._blocks)
        can = {name: blocks - held for name, blocks in self.layer.room.items()}
        affordable = [senders.affordable(node) for node in self.nodes]
        can["cond2 (bandwidth of a sender)"] = np.array(affordable)
        failed = {name: int((blocks < 1).sum()) for name, blocks in can.items()}
        in_order = sorted(failed, key=lambda name: name.split()[0])
        counts = [f"{name} on {failed[name]}" for name in in_order if failed[name]]
        segments = sum(self._blocks) * self.layer.block
        return NoPlaceError(segments, f"{', '.join(counts)} of {len(self.nodes)} node(s)")
