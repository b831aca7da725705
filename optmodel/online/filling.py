"""Place a request layer by layer: what reaches each layer, and what its hosts have room for."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from optmodel.online.outcome import NoPlaceError
from optmodel.online.runs import SegmentRun, placement_of
from optmodel.placement import Rejection, RequestPlacement
from optmodel.problem import BudgetLedger, IntArray, LayerTask, Problem, RequestTask

UNLIMITED = np.iinfo(np.int64).max
"""Room of a node where a segment needs nothing."""


@dataclass(eq=False)
class LayerArrival:
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


@dataclass(frozen=True, eq=False)
class OpenLayer:
    """A layer that is being placed, and the nodes that may take its segments.

    Attributes
    ----------
    problem : Problem
        The fleet.
    ledger : BudgetLedger
        What is left of its budgets.
    layer : LayerTask
        The layer.
    block : int
        Segments that must stay together: all of the first fc (8g), one elsewhere.
    """

    problem: Problem
    ledger: BudgetLedger
    layer: LayerTask
    block: int

    @cached_property
    def hosts(self) -> IntArray:
        """Nodes that may compute the layer (8h), ascending, shape (hosts,)."""
        return np.array(self.layer.hosts)

    @cached_property
    def room(self) -> dict[str, IntArray]:
        """How many blocks each host may take at first, by condition of Algorithm 1."""
        layer, ledger = self.layer, self.ledger
        needs = (
            ("cond1 (memory)", ledger.memory_bytes, layer.weight_bytes * self.block),
            ("cond1 (compute)", ledger.compute_mult, layer.multiplications * self.block),
        )
        room = {name: left[self.hosts] // need for name, left, need in needs if need}
        return room | {"cond4 (privacy)": np.full(len(self.hosts), layer.cap // self.block)}

    def charge(self, blocks: IntArray) -> None:
        """Take so many blocks on each host off its memory and computation."""
        segments = blocks * self.block
        self.ledger.compute_mult[self.hosts] -= self.layer.multiplications * segments
        self.ledger.memory_bytes[self.hosts] -= self.layer.weight_bytes * segments


class SegmentFiller(Protocol):
    """Places one layer; see `optmodel.online.layer_filler`."""

    def fill(self, arrivals: Sequence[LayerArrival]) -> list[SegmentRun]:
        """Return runs, given what reaches the segments in their order, and charge the ledger.

        Raises
        ------
        NoPlaceError
            Where no host has room.
        """
        ...


def fill(
    problem: Problem,
    ledger: BudgetLedger,
    task: RequestTask,
    filler_of: Callable[[OpenLayer], SegmentFiller],
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
        maps = tuple(held[node] for node in senders)
        return [LayerArrival(1, bits, senders, maps, (before[0].node,))]
    return [LayerArrival(run.segments, bits, (run.node,), (1,), (run.node,)) for run in before]
