"""Bounds of arcs by counting: never above what a placement reaches."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from tiny_arcs import arcs, latencies, optimum

from optmodel.stages.arcs.arc_numbers import ArcNumbers
from optmodel.stages.arcs.counting_bounds import (
    UNREACHABLE,
    first_thresholds,
    last_thresholds,
    least_threshold,
    quick_bound,
)
from optmodel.stages.arcs.several_layers import early_latencies


def test_counting_never_exceeds_what_a_placement_reaches():
    tight: Counter = Counter()

    @examples(250)
    @given(arcs())
    def stay_below(arc: ArcNumbers) -> None:
        bound, best = quick_bound(arc), optimum(arc)
        assert best is None or bound <= best
        least: dict[tuple[int, ...], int] = {}
        for *before, last in latencies(arc):
            least[*before,] = min(last, least.get((*before,), last))
        for (first, *early), last in least.items():
            [counted] = last_thresholds(arc, np.array([first]), tuple(early))
            assert counted <= last
            tight[bool(counted == last)] += 1

    stay_below()
    assert tight[True] > 2 * tight[False] > 0


def test_without_a_largest_latency_of_interest_the_first_one_may_be_endless():
    arc = ArcNumbers(maps=4, sizes=(2,), receive=(1,), caps=((2,), (2,)), send=((1,),), work=(1,))
    assert last_thresholds(arc, np.array([2, UNREACHABLE])).tolist() == [2, 2]


def test_large_latencies_are_bounded_to_a_millionth():
    scale = 3**25
    kept: Counter = Counter()

    @examples(60)
    @given(arcs())
    def stay_close(arc: ArcNumbers) -> None:
        receive, *send, work = (
            tuple(scale * ticks for ticks in row) for row in (arc.receive, *arc.send, arc.work)
        )
        large = ArcNumbers(arc.maps, arc.sizes, receive, arc.caps, tuple(send), work)
        first, still = first_thresholds(arc, arc.longest), (0,) * (len(send) - 1)
        exact = last_thresholds(arc, first, still)
        counted = last_thresholds(large, first * scale, still)
        found = exact < UNREACHABLE
        assert (counted[~found] == UNREACHABLE).all()
        assert (counted[found] <= exact[found] * scale).all()
        assert (counted[found] >= exact[found] * scale * (1 - 1e-6) - 1).all()
        kept.update(found.tolist())

    stay_close()
    assert kept[True] >= 50


def test_maps_of_slow_senders_that_have_to_move_raise_the_bound():
    # The first node holds all four maps and can compute two within 10, the second the other two,
    # but then has no time to take them: 2 maps take it 2 + 2 · 5 = 12.
    arc = ArcNumbers(
        maps=4, sizes=(1, 1), receive=(0, 9), caps=((4, 4), (2, 4)), send=((1, 1),), work=(5, 5)
    )
    assert last_thresholds(arc, np.array([0])).tolist() == [12]
    assert optimum(arc) == 12


def test_an_arc_without_room_in_a_layer_has_no_bound():
    arc = ArcNumbers(maps=4, sizes=(2,), receive=(0,), caps=((4,), (1,)), send=((1,),), work=(1,))
    assert quick_bound(arc) is None
    assert last_thresholds(arc, np.array([0])).tolist() == [UNREACHABLE]


@examples(100)
@given(arcs(layers=3))
def test_all_latencies_that_occur_are_tried(arc: ArcNumbers):
    firsts = set(first_thresholds(arc, arc.longest).tolist())
    earlies = early_latencies(arc)
    for first, *early, _ in latencies(arc):
        assert first in firsts
        assert all(latency in choices for latency, choices in zip(early, earlies, strict=True))


@examples(100)
@given(st.data())
def test_the_least_threshold_has_room_and_no_smaller_one_has(data: st.DataObject):
    groups = data.draw(st.integers(1, 3))
    rows = [
        tuple(data.draw(st.lists(st.integers(least, most), min_size=groups, max_size=groups)))
        for least, most in ((0, 9), (0, 5), (1, 3))
    ]
    ticks, caps, sizes = rows
    maps = data.draw(st.integers(1, 20))

    def holds(threshold: int) -> bool:
        most = [
            min(cap, threshold // tick) if tick else cap
            for tick, cap in zip(ticks, caps, strict=True)
        ]
        return int(np.dot(most, sizes)) >= maps

    expected = next((t for t in range(46) if holds(t)), None)
    assert least_threshold(ticks, caps, sizes, maps) == expected


def test_the_arc_that_the_page_works_by_hand():
    arc = ArcNumbers(
        maps=3,
        sizes=(1, 1, 1),
        receive=(1, 2, 4),
        caps=((3, 3, 3), (3, 3, 3)),
        send=((1, 2, 2),),
        work=(6, 3, 2),
    )
    first = first_thresholds(arc, 100)
    assert first.tolist() == [2, 3, 4, 6, 8, 12]
    assert last_thresholds(arc, first).tolist() == [6, 6, 5, 5, 4, 4]
    assert optimum(arc) == 8
