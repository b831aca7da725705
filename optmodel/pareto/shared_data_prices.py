"""Prices on shared data: each bounds the latency of all placements by the data that they share.

Let a bit that a helper sends cost π seconds, and let L(π) be at most the least latency plus cost of
any placement (`optmodel.batch`, cheapest paths over numbers of senders). What the source sends is
the same in every placement (8h). So with S bits of helpers,

    latency >= L(π) - π · S   and, for π > 0,   S >= (L(π) - latency) / π.
"""

import math
from dataclasses import dataclass

import numpy as np

from optmodel.batch import ROUNDING, BoundOptions, SenderGraph, SenderPlan, graph_of
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray
from optmodel.stages import ArcBook


@dataclass(frozen=True)
class PricedBit:
    """What a price on bits says of all placements.

    The price is in seconds per bit that a helper sends. The value bounds latency plus cost from
    below, in seconds, infinite if there is no placement. The plan says how many nodes of each group
    send behind each stage for about this value; None if kinds of devices are too many to tell.
    """

    price_s: float
    value_s: float
    plan: SenderPlan | None


class BitPricer:
    """Bounds one request at prices on bits."""

    def __init__(self, requests: RequestClass, book: ArcBook) -> None:
        self._groups = len(requests.fleet.groups)
        self._graph = graph_of(requests, book, BoundOptions())

    def at(self, price_s: float) -> PricedBit:
        """Return what a price says, in seconds per bit."""
        prices: FloatArray = np.zeros((3, self._groups))
        prices[2, :-1] = price_s
        if not isinstance(self._graph, SenderGraph):
            return PricedBit(price_s, self._graph.cheapest(prices).value_s, None)
        path = self._graph.cheapest_path(self._graph.tariffs(prices), closely=True)
        plan = self._graph.plan(path) if np.isfinite(path.value_s) else None
        return PricedBit(price_s, path.value_s, plan)


@dataclass(frozen=True)
class DataBounds:
    """What placements take and share at least, by what some prices say.

    Of prices with finite values, 0 among them, and of what the source sends in any placement.
    """

    priced: tuple[PricedBit, ...]
    source_bits: int

    @property
    def least_latency_s(self) -> float:
        """Lower bound on the latency of every placement, in seconds: a price of 0 alone tells."""
        return max(_down(one.value_s, 0.0) for one in self.priced if not one.price_s)

    def latency_s(self, shared_bits: int) -> float:
        """Return a lower bound on the latency of all that share at most so many bits, in seconds.

        Rounded down by more than floats can be off by.
        """
        sent = shared_bits - self.source_bits
        return max(_down(one.value_s, one.price_s * sent) for one in self.priced)

    def shared_bits(self, latency_s: float) -> int:
        """Return a lower bound on what placements of at most this latency share, in bits."""
        least = [_down(one.value_s, latency_s) / one.price_s for one in self.priced if one.price_s]
        return self.source_bits + max(math.ceil(max(least, default=0.0)), 0)


def _down(value: float, less: float) -> float:
    return value - less - ROUNDING * (abs(value) + abs(less))
