"""A layer's placement as runs: consecutive segments on one node."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from optmodel.placement import Flows, RequestPlacement
from optmodel.problem import RequestTask


class SegmentRun(NamedTuple):
    """Consecutive segments of a layer on one node."""

    node: int
    segments: int


def placement_of(
    layers: Sequence[Sequence[SegmentRun]], task: RequestTask, nodes: int
) -> RequestPlacement:
    """Count a placement that names, per layer, the node of every run in the order of segments."""
    counts = np.zeros((len(layers), nodes), dtype=np.int64)
    entries: list[tuple[int, int, int, int]] = []
    for k, runs in enumerate(layers):
        for run in runs:
            counts[k, run.node] += run.segments
        if task.layers[k].transfer == "mapwise" and k + 1 < len(layers):
            moved: Counter[tuple[int, int]] = Counter()
            for i, j, maps in _overlaps(runs, layers[k + 1]):
                moved[i, j] += maps
            entries += [(k, i, j, maps) for (i, j), maps in moved.items()]
    return RequestPlacement(counts, Flows.from_entries(entries))


def _overlaps(
    here: Sequence[SegmentRun], there: Sequence[SegmentRun]
) -> Iterator[tuple[int, int, int]]:
    """Yield holder, next node and maps of each stretch of segments with one of both."""
    following = iter(there)
    receiver, room = 0, 0
    for sender, left in here:
        while left:
            if not room:
                # There always is one: both layers have as many segments.
                receiver, room = next(following)
            maps = min(left, room)
            yield sender, receiver, maps
            left, room = left - maps, room - maps
