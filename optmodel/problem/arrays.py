"""An instance as numpy arrays: what models, heuristics and the evaluator compute on.

Nodes are indexed helpers first, then sources; layers and segments from 0.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optmodel.problem.instance import Instance, Request
from optmodel.problem.network import Network
from optmodel.problem.privacy import Protection, protect

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Transfer = Literal["broadcast", "mapwise"]
TRANSFERS: tuple[Transfer, ...] = ("broadcast", "mapwise")

MEMORY, COMPUTE, BANDWIDTH = range(3)
"""Rows of budgets and loads: 8b, 8c and 8d."""
BUDGET_FIELDS = ("memory_bytes", "compute_budget_mult", "bandwidth_budget_bits")
NODE_FIELDS = ("compute_mult_per_s", "rate_bits_per_s", *BUDGET_FIELDS)
"""All of a node that Eq. 5-8 ask about."""


@dataclass(frozen=True)
class LayerTask:
    """One layer of one request, ready to be placed."""

    name: str
    """Name of the layer."""
    segments: int
    """P of layer l-1."""
    multiplications: int
    weight_bytes: int
    """Both of one segment (Eq. 2-4)."""
    transfer: Transfer
    """How its output travels (Eq. 6). After a conv or fc, every active node sends its partial sums
    of each map to whoever computes that map's next segment; after an act or pool, the holder of a
    map sends that map."""
    output_bits: int
    """Bits of one transferred map, or of an fc's whole output."""
    whole: bool
    """Whether all segments must be on one node (8g)."""
    hosts: tuple[int, ...]
    """Nodes that may compute segments (8h); empty if none may."""
    cap: int
    """Most segments that one of the hosts may hold (8f, and P of layer l-1 at most)."""


@dataclass(frozen=True)
class RequestTask:
    """One request, ready to be placed."""

    request: Request
    """As it stands in the instance."""
    network: Network
    """The network it uses."""
    source: int
    """Node index of its source."""
    protection: Protection
    """Caps and split point at its tolerance."""
    layers: tuple[LayerTask, ...]
    """The layers, first to last."""

    @property
    def unattainable(self) -> tuple[int, ...]:
        """Layers (from 0) that no node may host."""
        return tuple(k for k, layer in enumerate(self.layers) if not layer.hosts)


@dataclass(frozen=True)
class Problem:
    """An instance with its nodes as arrays and its requests as tasks."""

    instance: Instance
    """Where it comes from."""
    tasks: tuple[RequestTask, ...]
    """One per request, in order of arrival."""

    @classmethod
    def of(cls, instance: Instance) -> "Problem":
        """Derive costs, hosts and caps of every layer of every request."""
        return cls(instance, tuple(_task(instance, request) for request in instance.requests))

    @cached_property
    def node_ids(self) -> tuple[str, ...]:
        """Names of the nodes, shape (nodes,)."""
        return tuple(node.id for node in self.instance.nodes)

    @cached_property
    def helpers(self) -> int:
        """Number of helpers; nodes from here on are sources."""
        return len(self.instance.devices)

    @cached_property
    def node_data(self) -> FloatArray:
        """All of a node that Eq. 5-8 ask about: the rows are `NODE_FIELDS`, shape (5, nodes)."""
        fields = attrgetter(*NODE_FIELDS)
        return np.array([fields(node) for node in self.instance.nodes], dtype=float).T.copy()

    @property
    def speed(self) -> FloatArray:
        """Compute speed e of each node, in multiplications per second."""
        speed: FloatArray = self.node_data[0]
        return speed

    @property
    def rate(self) -> FloatArray:
        """Rate rho of each node, in bits per second."""
        rate: FloatArray = self.node_data[1]
        return rate

    @property
    def budgets(self) -> FloatArray:
        """Bytes (8b), multiplications (8c) and bits to send (8d) of each node, shape (3, nodes)."""
        return self.node_data[2:]

    @cached_property
    def whole_budgets(self) -> IntArray:
        """All three in whole units, for loads are whole, shape (3, nodes)."""
        return np.floor(self.budgets).astype(np.int64)

    def kind_of(self, task: RequestTask) -> Hashable:
        """Return what is equal for requests that are equal in all that Eq. 5-8 ask about."""
        return task.network, task.request.tolerated_ssim, *self.node_data[:, task.source].tolist()

    @cached_property
    def time_unit_s(self) -> float:
        """Seconds per time unit of the models: a hundredth of a rough latency of the batch.

        Solvers work with absolute tolerances, so latencies must be neither tiny nor huge numbers.
        """
        rough = sum(
            self._rough_latency_s(task, k) for task in self.tasks for k in range(len(task.layers))
        )
        return rough / 100 if rough > 0 else 1.0

    def _rough_latency_s(self, task: RequestTask, k: int) -> float:
        """Return what layer `k` takes if its work is spread evenly and one map is received."""
        layer, hosts = task.layers[k], list(task.layers[k].hosts)
        work = layer.segments * layer.multiplications / self.speed[hosts].sum() if hosts else 0.0
        senders = list(task.layers[k - 1].hosts) if k else []
        if not senders or senders == hosts == [task.source]:
            return float(work)
        return float(work + task.layers[k - 1].output_bits / self.rate[senders].max())


def _task(instance: Instance, request: Request) -> RequestTask:
    network = instance.network_of(request)
    protection = protect(network, instance.ssim_table, request.tolerated_ssim)
    names = [node.id for node in instance.sources]
    source = len(instance.devices) + names.index(request.source)
    layers = tuple(
        _layer_task(instance, network, protection, source, k) for k in range(len(network.layers))
    )
    return RequestTask(request, network, source, protection, layers)


def _layer_task(
    instance: Instance, network: Network, protection: Protection, source: int, k: int
) -> LayerTask:
    layer = network.layers[k]
    cap = protection.cap(k)
    hosts = _hosts(instance, network, cap, source, k)
    on_source = hosts == (source,)
    return LayerTask(
        name=layer.name,
        segments=layer.input_maps,
        multiplications=layer.multiplications_per_segment,
        weight_bytes=layer.weights_per_segment * instance.word_bits // 8,
        transfer="mapwise" if layer.kind in ("act", "pool") else "broadcast",
        output_bits=layer.bits_per_output(instance.word_bits),
        whole=k == network.first_fc,
        hosts=hosts,
        cap=layer.input_maps if cap is None or on_source else min(cap, layer.input_maps),
    )


def _hosts(
    instance: Instance, network: Network, cap: int | None, source: int, k: int
) -> tuple[int, ...]:
    """Return the nodes that may compute layer `k` (8h)."""
    first_or_last = k in (0, len(network.layers) - 1)
    exposed_fc = k == network.first_fc and cap is not None
    if first_or_last or exposed_fc or (cap == 0 and instance.unattainable == "source"):
        return (source,)
    return () if cap == 0 else _first(len(instance.devices))


@lru_cache(maxsize=4)
def _first(number: int) -> tuple[int, ...]:
    """Return the indices of the helpers, one tuple for all layers of all requests."""
    return tuple(range(number))
