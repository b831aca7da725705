"""Tiny arcs of the stages: random ones, and all their placements by plain enumeration.

Written without the package's own latency: every map takes a way through the nodes of the layers,
and Eq. 5 is evaluated on the ways of all maps.
"""

from collections import Counter
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement

Ways = tuple[tuple[int, ...], ...]


@cache
def latencies(arc: ArcNumbers) -> frozenset[tuple[int, ...]]:
    """Return the latencies of the layers, first to last, of every placement within the caps."""
    group = [g for g, size in enumerate(arc.sizes) for _ in range(size)]
    ways = list(product(range(len(group)), repeat=len(arc.caps)))
    return frozenset(
        _latencies(arc, group, chosen)
        for chosen in combinations_with_replacement(ways, arc.maps)
        if _within_caps(arc, group, chosen)
    )


def optimum(arc: ArcNumbers) -> int | None:
    return min(map(sum, latencies(arc)), default=None)


def _within_caps(arc: ArcNumbers, group: list[int], ways: Ways) -> bool:
    return all(
        number <= caps[group[node]]
        for caps, holders in zip(arc.caps, zip(*ways, strict=True), strict=True)
        for node, number in Counter(holders).items()
    )


def _latencies(arc: ArcNumbers, group: list[int], ways: Ways) -> tuple[int, ...]:
    layers = [Counter(holders) for holders in zip(*ways, strict=True)]
    found = []
    for k, counts in enumerate(layers):
        times = []
        for j, number in counts.items():
            computing = number * arc.work[group[j]] if k == len(layers) - 1 else 0
            pairs = Counter((way[k - 1], way[k]) for way in ways) if k else Counter()
            receiving = [
                number * arc.send[k - 1][group[i]]
                for (i, to), number in pairs.items()
                if to == j and i != j
            ]
            if k == 0:
                receiving = [number * arc.receive[group[j]]]
            times.append(computing + max(receiving, default=0))
        found.append(max(times))
    return tuple(found)


@st.composite
def arcs(draw: DrawFn, layers: int | None = None) -> ArcNumbers:
    """Draw an arc of 2 or 3 layers on 2 or 3 nodes, in groups or all different."""
    number = layers or draw(st.sampled_from((2, 2, 3)))
    sizes = draw(st.sampled_from(((1, 1), (2,), (1, 2), (2, 1), (1, 1, 1), (3,))))
    maps = draw(st.integers(1, 4 if sum(sizes) == 2 else 5 - number))

    def row(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in sizes)

    return ArcNumbers(
        maps=maps,
        sizes=sizes,
        receive=row(0, 6),
        caps=tuple(row(0 if draw(st.booleans()) else 1, maps) for _ in range(number)),
        send=tuple(row(0, 9) for _ in range(number - 1)),
        work=row(0, 9),
    )


def node_by_node(arc: ArcNumbers) -> ArcNumbers:
    """Return the same arc with every node a group of its own."""
    group = arc.group_of

    def each(row: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(np.array(row)[group].tolist())

    return ArcNumbers(
        maps=arc.maps,
        sizes=(1,) * arc.nodes,
        receive=each(arc.receive),
        caps=tuple(each(row) for row in arc.caps),
        send=tuple(each(row) for row in arc.send),
        work=each(arc.work),
    )


def assert_whole(arc: ArcNumbers, placement: ArcPlacement) -> None:
    """Every layer holds all maps within its caps, and the flows hand on exactly these."""
    assert (placement.counts.sum(axis=1) == arc.maps).all()
    for counts, caps in zip(placement.counts, arc.caps, strict=True):
        assert (counts <= np.array(caps)[arc.group_of]).all()
    for k, moved in enumerate(placement.flows):
        for counts, nodes in zip(
            placement.counts[k:], (moved.sender, moved.receiver), strict=False
        ):
            assert (np.bincount(nodes, moved.maps, arc.nodes) == counts).all()
