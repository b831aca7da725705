"""Which broadcasts fit one node's bandwidth, and which of these sets is worth most to it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from optmodel.batch.bound.sender_graph import SenderGraph
from optmodel.placement import RequestClass
from optmodel.problem import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class BroadcastKinds:
    """The broadcasts of all classes: one for each stage but the last that helpers may compute."""

    class_and_stage: tuple[tuple[int, int], ...]
    """Class and stage of each."""
    bits: FloatArray
    """What an active node sends, maps for itself included; shape (broadcasts,)."""
    own: FloatArray
    """Bits of one map, which need not be sent where the node receives the map itself; shape
    (broadcasts,)."""
    keeps: FloatArray
    """Most maps behind each broadcast that one node may keep, shape (broadcasts, groups)."""
    members: IntArray
    """Requests of the class: how often a node can broadcast it, shape (broadcasts,)."""

    @property
    def packs(self) -> int:
        """How many sets of broadcasts there are."""
        return math.prod(int(n) + 1 for n in self.members)

    @classmethod
    def of_batch(
        cls, classes: Sequence[RequestClass], graphs: Sequence[SenderGraph]
    ) -> "BroadcastKinds":
        """Return the broadcasts of all classes of a batch that helpers may have to send."""
        places = [
            (c, k)
            for c, graph in enumerate(graphs)
            for k, stage in enumerate(graph.stages[:-1])
            # The last group is the source alone: what it sends has no price.
            if any(any(senders.high[:-1]) for senders in stage.ends)
        ]
        behind = [graphs[c].stages[k + 1] for c, k in places]
        keeps = [[min(cap, s.maps) for cap in s.stage.caps[0]] for s in behind]
        return cls(
            class_and_stage=tuple(places),
            bits=np.array([graphs[c].stages[k].tariff.active for c, k in places]),
            own=np.array([stage.tariff.kept for stage in behind]),
            keeps=np.array(keeps, dtype=float).reshape(len(places), len(classes[0].fleet.groups)),
            members=np.array([len(classes[c].members) for c, _ in places], dtype=np.int64),
        )


@dataclass(frozen=True, eq=False)
class BroadcastPack:
    """What earns a node most, and how much."""

    value_s: float
    """What it earns."""
    sent: FloatArray
    kept: FloatArray
    """How often it sends each broadcast, and how many maps it need not send; each shape
    (broadcasts,)."""
    left: float
    """Bits that are left for maps it moves."""


class BroadcastPacker:
    """The sets of broadcasts that fit a node of one group.

    Parameters
    ----------
    broadcasts : BroadcastKinds
        Those of the batch.
    group : int
        The group.
    room : float
        Bits that a node may send.
    """

    def __init__(self, broadcasts: BroadcastKinds, group: int, room: float) -> None:
        self.own, self.room = broadcasts.own, room
        times = [range(int(n) + 1) for n in broadcasts.members]
        sent = np.array(list(product(*times)), dtype=float).reshape(broadcasts.packs, len(times))
        self.most_kept = broadcasts.keeps[:, group]
        left = room - sent @ broadcasts.bits
        # Keeping maps spares bits: a set fits if it does with all kept that can be.
        fits = left + sent @ (self.most_kept * self.own) >= 0
        self.sent, self.left = sent[fits], left[fits]

    def best(self, active: FloatArray, kept: FloatArray, bit: float) -> BroadcastPack:
        """Return what earns most, maps in fractions.

        A node keeps maps where that costs less than it saves, and where its broadcasts need it.

        Parameters
        ----------
        active, kept : ndarray, each shape (broadcasts,)
            What a broadcast earns, and what it costs to keep one of its maps.
        bit : float
            What a bit earns that is left.
        """
        each = kept / self.own
        saves = self.sent * self.most_kept * self.own
        left, bits = self.left.copy(), np.zeros(self.sent.shape)
        # Least cost per bit spared first: with maps in fractions that is best.
        for b in np.argsort(each, kind="stable").tolist():
            # Maps that cost more than they save are kept only as far as the broadcasts need it.
            taken = saves[:, b] if each[b] < bit else np.clip(-left, 0, saves[:, b])
            bits[:, b] = taken
            left = left + taken
        value = self.sent @ active - bits @ each + left * bit
        best = int(value.argmax())
        return BroadcastPack(
            float(value[best]), self.sent[best], bits[best] / self.own, float(left[best])
        )
