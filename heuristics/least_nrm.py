"""One layer of Algorithm 1: hosts in order of nrm, which only rises while the layer is placed."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from math import inf

import numpy as np

from heuristics.filling import UNLIMITED, Arrival, Offer, OpenLayer
from heuristics.runs import Run
from optmodel.problem import FloatArray, IntArray

BITS_PER_MEGABIT = 1e6


@dataclass(frozen=True)
class Weights:
    """Weights of nrm(j) = alpha · t(j) + beta / b_j, with t in seconds and b_j in megabits.

    The paper fixes 0.7 and 0.3 and gives no units. Neither may be negative.
    """

    alpha: float = 0.7
    beta: float = 0.3

    def nrm(self, segment_s: FloatArray, bandwidth_bits: IntArray) -> FloatArray:
        """Return nrm of nodes (line 17), infinite where no bandwidth is left."""
        scarcity = np.full(len(segment_s), inf)
        megabits = bandwidth_bits / BITS_PER_MEGABIT
        np.divide(self.beta, megabits, out=scarcity, where=megabits > 0)
        nrm: FloatArray = self.alpha * segment_s + scarcity
        return nrm


class LeastNrm:
    """Gives segments to the host of least nrm that has room, ties to the lowest (lines 9-19).

    Hosts differ in nrm by computation and bandwidth, and all of them receive from the slowest
    sender, which alone hears the next slowest. While a layer is placed bandwidth only falls, so
    that nrm only rises, and a full host stays full. So hosts wait in a heap for each time of
    reception, whose top is brought up to date before it is taken.

    Parameters
    ----------
    weights : Weights
        alpha and beta of nrm.
    layer : OpenLayer
        The layer.
    """

    def __init__(self, weights: Weights, layer: OpenLayer) -> None:
        self.weights, self.layer = weights, layer
        self._nodes = layer.layer.hosts
        self._place_of = {node: at for at, node in enumerate(self._nodes)}
        self._bits: list[int] = layer.ledger.bandwidth_bits.tolist()
        self._rate: list[float] = layer.problem.rate.tolist()
        self._room: list[int] = layer.capacity.tolist()
        self._computing = layer.layer.multiplications / layer.problem.speed[layer.hosts]
        self._computing_s: list[float] = self._computing.tolist()
        self._heaps: dict[float, list[tuple[float, int]]] = {}

    def fill(self, arrivals: Sequence[Arrival]) -> list[Run]:
        """Place the layer, and charge the ledger."""
        blocks = [0] * len(self._nodes)
        runs: list[Run] = []
        for arrival in arrivals:
            left = self._fill(arrival, blocks, runs)
            if left:
                self._charge(blocks)
                raise Offer(self.layer, arrival, left).no_place()
        self._charge(blocks)
        return runs

    def _fill(self, arrival: Arrival, blocks: list[int], runs: list[Run]) -> int:
        """Place the blocks of an arrival, and return how many find no host."""
        senders, left = _Senders(self._bits, self._rate, arrival), arrival.blocks
        while left:
            best = self._choose(senders)
            if best is None:
                break
            node = self._nodes[best]
            most = min(self._room[best], senders.affordable(node), left)
            senders.send(node, most)
            self._room[best] -= most
            blocks[best] += most
            runs.append(Run(node, most * self.layer.block))
            left -= most
        senders.settle()
        return left

    def _charge(self, blocks: list[int]) -> None:
        self.layer.ledger.bandwidth_bits[:] = self._bits
        self.layer.hold(np.array(blocks))

    def _choose(self, senders: "_Senders") -> int | None:
        """Return the host of least nrm among those with room that the senders can afford to reach.

        One that is short of bandwidth can still keep what it has, if it is the only one.
        """
        if senders.affords < 1:
            at = self._place_of.get(senders.scarcest)
            others_can = senders.affordable(senders.scarcest) >= 1
            return at if at is not None and self._room[at] and others_can else None
        least = self._least(senders, senders.slowest_s)
        spared = self._place_of.get(senders.slowest)
        if least is None or spared is None or not self._room[spared]:
            return least and least[1]
        return min(least, (self._nrm(spared, senders, senders.next_s), spared))[1]

    def _least(self, senders: "_Senders", received_s: float) -> tuple[float, int] | None:
        """Return the least nrm of a host with room, and the host; None if all are full."""
        if received_s not in self._heaps:
            self._heaps[received_s] = self._heap(received_s)
        heap = self._heaps[received_s]
        while heap:
            known, at = heap[0]
            if not self._room[at]:
                heappop(heap)
                continue
            nrm = self._nrm(at, senders, received_s)
            if nrm == known:
                return heap[0]
            heapreplace(heap, (nrm, at))
        return None

    def _heap(self, received_s: float) -> list[tuple[float, int]]:
        """Return the hosts by their nrm before the arrival that is being placed, or above it."""
        bandwidth = np.array(self._bits)[self.layer.hosts]
        nrm = self.weights.nrm(received_s + self._computing, bandwidth)
        heap = list(zip(nrm.tolist(), range(len(nrm)), strict=True))
        heapify(heap)
        return heap

    def _nrm(self, at: int, senders: "_Senders", received_s: float) -> float:
        bits = senders.bandwidth(self._nodes[at])
        scarcity = self.weights.beta / (bits / BITS_PER_MEGABIT) if bits else inf
        return self.weights.alpha * (received_s + self._computing_s[at]) + scarcity


class _Senders:
    """Who sends the blocks of an arrival, how long, and how much more they can afford.

    Parameters
    ----------
    bits : list of int, shape (nodes,)
        Bandwidth that every node has left; `settle` takes what was sent off it.
    rate : list of float, shape (nodes,)
        Bits per second.
    arrival : Arrival
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

    def __init__(self, bits: list[int], rate: list[float], arrival: Arrival) -> None:
        self._bits = bits
        times = [arrival.bits / rate[node] for node in arrival.first]
        self.slowest_s = max(times, default=0.0)
        at = times.index(self.slowest_s) if times else 0
        self.slowest = arrival.first[at] if times else -1
        self.next_s = max(times[:at] + times[at + 1 :], default=0.0)
        self._each = {
            node: arrival.bits * maps
            for node, maps in zip(arrival.senders, arrival.maps, strict=True)
        }
        self._could = {node: bits[node] // each for node, each in self._each.items()}
        self._sent, self._kept = 0, dict.fromkeys(self._each, 0)
        self._find_scarcest()

    def _find_scarcest(self) -> None:
        """Find who could send least; what a sender keeps itself it does not send."""
        could = self._could
        self.scarcest = min(could, key=could.__getitem__, default=-1)
        self._least = could.get(self.scarcest, UNLIMITED)
        others = [blocks for node, blocks in could.items() if node != self.scarcest]
        self._next = min(others, default=UNLIMITED)

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
