"""Placements of an arc whose maps stay where they are, or are gathered on one node: a start.

Maps are large next to what a node computes for one of them, so that on many arcs nothing moves in
the best placement. Such placements have two latencies only, each of few values: the least sum is
found by halving one of them for all values of the other together.
"""

import numpy as np

from optmodel.problem import IntArray
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement, MapMoves
from optmodel.stages.arcs.counting_bounds import held_at_first, maps_within
from optmodel.stages.arcs.one_layer import filled

MOST_VALUES = 64
"""Latencies of the first layer beyond this number are thinned out: this is a start, no proof."""


def simple_placement(arc: ArcNumbers, first: IntArray) -> ArcPlacement | None:
    """Return the best placement in which no map moves, or all move to the only computing node.

    The arc has two or more layers; `first`, shape (values,), are the latencies that the first may
    take, ascending.

    Returns
    -------
    ArcPlacement or None
        None if there is no such placement.
    """
    # Rounded up; no step at all is no step that an array takes, hence the 1.
    first = first[:: -(-len(first) // MOST_VALUES) or 1]
    if not len(first):
        return None
    hosts = [g for g, cap in enumerate(arc.caps[-1]) if cap]
    if len(hosts) == 1 and arc.sizes[hosts[0]] == 1 and arc.caps[-1][hosts[0]] >= arc.maps:
        return _gathered(arc, first, hosts[0])
    return _staying(arc, first)


def _staying(arc: ArcNumbers, first: IntArray) -> ArcPlacement | None:
    """Every node computes the maps that it received."""
    caps = np.array(arc.caps[1:]).min(axis=0)
    most = _most_held(arc, np.minimum(held_at_first(arc, first), caps), first, arc.work)
    if most is None:
        return None
    counts = filled(arc, most)
    layers = len(arc.caps)
    return ArcPlacement(
        np.tile(counts, (layers, 1)), (MapMoves.where_they_are(counts),) * (layers - 1)
    )


def _gathered(arc: ArcNumbers, first: IntArray, host: int) -> ArcPlacement | None:
    """All maps stay until the last transfer, which brings them to one node."""
    send = list(arc.send[-1])
    # What it holds itself need not travel.
    send[host] = 0
    held = np.minimum(held_at_first(arc, first), np.array(arc.caps[:-1]).min(axis=0))
    most = _most_held(arc, held, first, tuple(send))
    if most is None:
        return None
    counts = filled(arc, most)
    node = sum(arc.sizes[:host])
    ends = np.zeros_like(counts)
    ends[node] = arc.maps
    kept, staying = len(arc.send) - 1, MapMoves.where_they_are(counts)
    moved = staying._replace(receiver=np.full_like(staying.sender, node))
    return ArcPlacement(np.stack([counts] * (kept + 1) + [ends]), (staying,) * kept + (moved,))


def _most_held(
    arc: ArcNumbers, held: IntArray, first: IntArray, ticks: tuple[int, ...]
) -> IntArray | None:
    """Return what a node of each group may hold where first latency and last one are least.

    `held`, shape (values, groups), is what it may hold with each latency in `first`; `ticks` are
    those of the last layer for each map that a node of a group holds.
    """
    each, sizes = np.array(ticks), np.array(arc.sizes)
    enough = held @ sizes >= arc.maps
    if not enough.any():
        return None
    held, first = held[enough], first[enough]
    # The last latency is what some node's maps take, so one of these.
    values = np.unique(np.outer(np.arange(int(held.max()) + 1), each))
    low, high = np.zeros_like(first), np.full(len(first), len(values) - 1)
    while (low < high).any():
        middle = (low + high) // 2
        fits = maps_within(values[middle][:, np.newaxis], each, held) @ sizes >= arc.maps
        high, low = np.where(fits, middle, high), np.where(fits, low, middle + 1)
    best = int((first + values[high]).argmin())
    return maps_within(int(values[high[best]]), each, held[best])
