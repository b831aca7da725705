"""Arcs: bounds, decisions and optima against the enumeration of every placement."""

import time
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from tiny_arcs import arcs, latencies, optimum

from optmodel.stages.arc import Arc
from optmodel.stages.decision import Thresholds
from optmodel.stages.level_search import LevelSearch, Undecided
from optmodel.stages.map_prices import UNIT
from optmodel.stages.one_layer import solve_one_layer
from optmodel.stages.relaxation import (
    UNREACHABLE,
    first_thresholds,
    last_thresholds,
    least_threshold,
    quick_bound,
)
from optmodel.stages.several_layers import early_latencies, solve_several_layers
from optmodel.stages.staying import simple_placement

LIMIT_S = 60.0


def solved(arc: Arc, cutoff: int | None = None, tolerance: float = 0.0):
    most = arc.longest if cutoff is None else cutoff
    return solve_several_layers(arc, most, tolerance, time.perf_counter() + LIMIT_S)


def within(arc: Arc, limits: tuple[int, ...]) -> bool:
    return any(all(a <= b for a, b in zip(found, limits, strict=True)) for found in latencies(arc))


# The optimum.


def test_the_optimum_of_an_arc_equals_enumeration():
    seen: Counter = Counter()

    @examples(300)
    @given(arcs())
    def agree(arc: Arc) -> None:
        best, found = optimum(arc), solved(arc)
        seen[best is None, len(arc.caps)] += 1
        assert found.value == best
        assert found.bound == (arc.longest + 1 if best is None else best)
        if found.placement is not None:
            assert found.placement.ticks(arc) == best

    agree()
    assert min(seen[pair] for pair in product((True, False), (2, 3))) >= 5


def test_with_a_tolerance_or_a_cutoff_the_bound_holds():
    seen: Counter = Counter()

    @examples(150)
    @given(arcs(), st.sampled_from((0.05, 0.3)), st.integers(0, 40))
    def hold(arc: Arc, tolerance: float, cutoff: int) -> None:
        best, found = optimum(arc), solved(arc, cutoff, tolerance)
        seen[found.value is None] += 1
        if best is None or best > cutoff:
            assert found.value is None
            assert found.bound == cutoff + 1
        else:
            assert found.bound <= best <= found.value <= cutoff
            assert found.value - found.bound <= tolerance * found.value

    hold()
    assert min(seen[True], seen[False]) >= 20


@examples(60)
@given(arcs())
def test_without_time_the_bound_still_holds(arc: Arc):
    found = solve_several_layers(arc, arc.longest, 0.0, 0.0)
    best = optimum(arc)
    assert best is None or found.bound <= best
    assert found.value is None or best <= found.value


def test_one_layer_is_filled_to_the_least_threshold():
    arc = Arc(maps=5, sizes=(2, 1), receive=(1, 0), caps=((2, 4),), send=(), work=(2, 2))
    # Up to 6: two maps at 3 each on the first two nodes, three at 2 on the third. Up to 5: 1, 1, 2.
    found = solve_one_layer(arc, 100)
    assert (found.bound, found.value) == (6, 6)
    assert found.placement.counts.sum() == 5
    assert found.placement.ticks(arc) == 6
    assert solve_one_layer(arc, 5).bound == 6
    assert solve_one_layer(arc, 5).placement is None


def node_by_node(arc: Arc) -> Arc:
    """Return the same arc with every node a group of its own."""
    group = arc.group_of

    def each(row: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(np.array(row)[group].tolist())

    return Arc(
        maps=arc.maps,
        sizes=(1,) * arc.nodes,
        receive=each(arc.receive),
        caps=tuple(each(row) for row in arc.caps),
        send=tuple(each(row) for row in arc.send),
        work=each(arc.work),
    )


# Bounds from counting.


def test_counting_never_exceeds_what_a_placement_reaches():
    tight: Counter = Counter()

    @examples(250)
    @given(arcs())
    def stay_below(arc: Arc) -> None:
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
    assert tight[True] > 3 * tight[False] > 0


def test_with_a_largest_latency_of_interest_counting_says_the_same_up_to_it():
    seen: Counter = Counter()

    @examples(150)
    @given(arcs(), st.data())
    def agree(arc: Arc, data: st.DataObject) -> None:
        first = first_thresholds(arc, arc.longest)
        early = data.draw(st.sampled_from(list(product(*early_latencies(arc)))))
        most = data.draw(st.integers(0, 30))
        whole = last_thresholds(arc, first, early)
        beyond = whole > most - sum(early) - first
        expected = np.where(beyond, UNREACHABLE, whole)
        assert last_thresholds(arc, first, early, most).tolist() == expected.tolist()
        seen.update(beyond.tolist())

    agree()
    assert min(seen[True], seen[False]) >= 50


def test_without_a_largest_latency_of_interest_the_first_one_may_be_endless():
    arc = Arc(maps=4, sizes=(2,), receive=(1,), caps=((2,), (2,)), send=((1,),), work=(1,))
    assert last_thresholds(arc, np.array([2, UNREACHABLE])).tolist() == [2, 2]


def test_large_latencies_are_bounded_to_a_millionth():
    scale = 3**25
    kept: Counter = Counter()

    @examples(60)
    @given(arcs())
    def stay_close(arc: Arc) -> None:
        receive, *send, work = (
            tuple(scale * ticks for ticks in row) for row in (arc.receive, *arc.send, arc.work)
        )
        large = Arc(arc.maps, arc.sizes, receive, arc.caps, tuple(send), work)
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
    arc = Arc(
        maps=4, sizes=(1, 1), receive=(0, 9), caps=((4, 4), (2, 4)), send=((1, 1),), work=(5, 5)
    )
    assert last_thresholds(arc, np.array([0])).tolist() == [12]
    assert optimum(arc) == 12


def test_an_arc_without_room_in_a_layer_has_no_bound():
    arc = Arc(maps=4, sizes=(2,), receive=(0,), caps=((4,), (1,)), send=((1,),), work=(1,))
    assert quick_bound(arc) is None
    assert last_thresholds(arc, np.array([0])).tolist() == [UNREACHABLE]


@examples(100)
@given(arcs(layers=3))
def test_all_latencies_that_occur_are_tried(arc: Arc):
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


# Decisions.


def test_decisions_equal_enumeration():
    seen: Counter = Counter()

    @examples(250)
    @given(arcs(), st.data())
    def agree(arc: Arc, data: st.DataObject) -> None:
        near = data.draw(st.sampled_from(sorted(latencies(arc)) or [(9,) * len(arc.caps)]))
        limits = tuple(max(limit - data.draw(st.integers(0, 2)), 0) for limit in near)
        expected = within(arc, limits)
        seen[expected] += 1
        for grouped in (arc, node_by_node(arc)):
            search = LevelSearch(Thresholds(grouped, limits), [])
            placement = search.decide(time.perf_counter() + LIMIT_S)
            assert (placement is not None) == expected
            assert not (expected and search.ruled_out())
            if placement is not None:
                assert placement.ticks(arc) <= sum(limits)
                assert_whole(arc, placement)

    agree()
    assert min(seen[True], seen[False]) >= 50


def assert_whole(arc: Arc, placement) -> None:
    """Every layer holds all maps within its caps, and the flows hand on exactly these."""
    assert (placement.counts.sum(axis=1) == arc.maps).all()
    for counts, caps in zip(placement.counts, arc.caps, strict=True):
        assert (counts <= np.array(caps)[arc.group_of]).all()
    for k, moved in enumerate(placement.flows):
        assert (moved.sum(axis=1) == placement.counts[k]).all()
        assert (moved.sum(axis=0) == placement.counts[k + 1]).all()


def test_a_decision_that_has_no_time_says_so():
    # The obvious levels fail here, and prices do not rule the limits out.
    arc = Arc(4, (1, 2), (0, 1), ((4, 1), (1, 4)), ((6, 2),), (7, 8))
    limits = (1, 28)
    assert LevelSearch(Thresholds(arc, limits), []).decide(time.perf_counter() + LIMIT_S)
    with pytest.raises(Undecided):
        LevelSearch(Thresholds(arc, limits), []).decide(time.perf_counter() - 1.0)


@st.composite
def questions(draw: st.DrawFn) -> Thresholds:
    """Draw an arc with several levels per node, and limits that are neither loose nor hopeless."""
    sizes = draw(st.sampled_from(((1, 1), (2,), (2, 1), (1, 1, 1), (3,))))

    def row(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in sizes)

    maps = draw(st.integers(4, 9))
    arc = Arc(maps, sizes, row(0, 2), (row(1, maps), row(1, maps)), (row(1, 4),), row(1, 6))
    return Thresholds(arc, (draw(st.integers(0, 12)), draw(st.integers(4, 30))))


def some_choice(thresholds: Thresholds) -> bool:
    """Tell whether maps flow at any choice of levels, every node on its own."""
    levels = [thresholds.levels.range_of(g) or (-1,) for g in thresholds.arc.group_of.tolist()]
    return any(thresholds.flow(np.array(choice)) for choice in product(*levels))


@pytest.mark.parametrize("blind", [False, True], ids=["with prices", "without prices"])
def test_branching_decides_like_trying_every_choice_of_levels(monkeypatch, blind: bool):
    """Without prices nothing is ruled out before all levels are given; fractions say nothing then,
    and levels that cannot help are not left out."""
    seen: Counter = Counter()
    halves = LevelSearch._halves

    def counted(self, lots, shares):
        found = halves(self, lots, shares)
        seen["branched"] += bool(found)
        return found

    def evenly(self, lots):
        return np.concatenate(
            [np.full(lot.high - lot.low, lot.number / max(lot.high - lot.low, 1)) for lot in lots]
        )

    monkeypatch.setattr(LevelSearch, "_halves", counted)
    if blind:
        monkeypatch.setattr(LevelSearch, "_shares", evenly)

    @examples(200)
    @given(questions())
    def agree(thresholds: Thresholds) -> None:
        every = Thresholds(thresholds.arc, (thresholds.first, thresholds.last))
        every.levels = every._levels
        expected = some_choice(every)
        seen[expected] += 1
        if blind:
            thresholds = every
        placement = LevelSearch(thresholds, []).decide(time.perf_counter() + LIMIT_S)
        assert (placement is not None) == expected

    agree()
    assert min(seen[True], seen[False]) >= 20
    assert seen["branched"] >= 20 or not blind


# Prices on maps.


def test_prices_that_rule_out_are_a_proof_in_whole_numbers():
    """Whatever the prices, all nodes together earn P or more where there is a placement."""
    seen: Counter = Counter()

    @examples(200)
    @given(arcs(), st.data())
    def earn(arc: Arc, data: st.DataObject) -> None:
        limits = data.draw(st.sampled_from(sorted(latencies(arc)) or [(0,) * len(arc.caps)]))
        search = LevelSearch(Thresholds(arc, limits), [])
        dual = search._dual(search._all_nodes())
        row = st.lists(st.integers(0, UNIT), min_size=len(arc.sizes), max_size=len(arc.sizes))
        prices = np.array([data.draw(row) for _ in arc.send])
        earned, _ = dual.earnings(prices)
        seen[within(arc, limits), earned < arc.maps * UNIT] += 1
        assert earned >= arc.maps * UNIT or not within(arc, limits)

    earn()
    assert seen[True, False] >= 50


def test_prices_found_for_one_question_rule_out_the_next():
    # Four maps on one holder, who computes one in 5: three must move, 1 tick each, one at a time.
    arc = Arc(4, (1, 1), (0, 9), ((4, 4), (4, 4)), ((1, 1),), (5, 5))
    known: list = []
    assert LevelSearch(Thresholds(arc, (0, 11)), known).ruled_out()
    [prices] = known
    dual = LevelSearch(Thresholds(arc, (0, 10)), known)
    earned, _ = dual._dual(dual._all_nodes()).earnings(prices)
    assert earned < arc.maps * UNIT


# Without moves.


def without_moves(arc: Arc) -> int | None:
    """Return the least latency if no map moves, or all go to the only node that can compute."""
    group = arc.group_of.tolist()
    hosts = [j for j, g in enumerate(group) if arc.caps[-1][g]]
    best = None
    for counts in product(range(arc.maps + 1), repeat=arc.nodes):
        end = [0] * arc.nodes
        if len(hosts) == 1 and arc.caps[-1][group[hosts[0]]] >= arc.maps:
            end[hosts[0]] = arc.maps
        else:
            end = list(counts)
        layers = [counts] * (len(arc.caps) - 1) + [end]
        within = all(
            n <= caps[g]
            for row, caps in zip(layers, arc.caps, strict=True)
            for n, g in zip(row, group, strict=True)
        )
        if sum(counts) == arc.maps and within:
            received = [
                max(
                    (arc.send[-1][group[i]] * counts[i] for i in range(arc.nodes) if i != j),
                    default=0,
                )
                if end != list(counts) and end[j]
                else 0
                for j in range(arc.nodes)
            ]
            first = max(n * arc.receive[g] for n, g in zip(counts, group, strict=True))
            last = max(t + n * arc.work[g] for t, n, g in zip(received, end, group, strict=True))
            best = first + last if best is None else min(best, first + last)
    return best


def test_the_best_placement_without_moves_equals_enumeration():
    seen: Counter = Counter()

    @examples(200)
    @given(arcs(), st.booleans())
    def agree(arc: Arc, one_host: bool) -> None:
        if one_host:
            ends = (arc.caps[-1][0], *(0 for _ in arc.caps[-1][1:]))
            arc = replace(arc, caps=(*arc.caps[:-1], ends))
        placement = simple_placement(arc, first_thresholds(arc, arc.longest))
        expected = without_moves(arc)
        hosts = sum(size for size, cap in zip(arc.sizes, arc.caps[-1], strict=True) if cap)
        seen[placement is None, hosts == 1] += 1
        assert (placement is None) == (expected is None)
        if placement is not None:
            assert_whole(arc, placement)
            assert placement.ticks(arc) == expected

    agree()
    assert min(seen[pair] for pair in product((True, False), repeat=2)) >= 5


# Early moves.


def relay(before_pool: int) -> Arc:
    """Return an act, a pool and a conv on a holder, a computing node and one that does neither.

    Only the first node can receive the three maps at once (0 ticks), only the second one can
    compute. A map takes `before_pool` ticks to move before the pool and 2 behind it.
    """
    send = ((before_pool,) * 3, (2, 2, 2))
    return Arc(3, (1, 1, 1), (0, 99, 99), ((3, 3, 3),) * 3, send, (99, 0, 99))


def test_moving_before_the_pool_pays_where_a_relay_shares_the_sending():
    # Behind the pool: three maps from one sender, 6 ticks. Before it: one map to each other node,
    # 3 ticks, then one map each from holder and relay, 2 ticks.
    assert optimum(relay(3)) == solved(relay(3)).value == 5


def test_moving_before_the_pool_does_not_pay_where_maps_are_much_larger():
    assert optimum(relay(5)) == solved(relay(5)).value == 6
    assert [int(moved.diagonal().sum()) for moved in solved(relay(5)).placement.flows] == [3, 0]


def test_an_arc_knows_what_none_of_its_placements_exceeds():
    @examples(60)
    @given(arcs())
    def never(arc: Arc) -> None:
        assert max(map(sum, latencies(arc)), default=0) <= arc.longest
        assert latencies(node_by_node(arc)) == latencies(arc)

    never()
