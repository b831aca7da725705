"""Optima of arcs against the enumeration of every placement; what moves are worth."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from tiny_arcs import arcs, assert_whole, latencies, node_by_node, optimum

from optmodel.search.allowance import Allowance
from optmodel.stages.arcs.arc_numbers import ArcNumbers, MapMoves
from optmodel.stages.arcs.counting_bounds import first_thresholds
from optmodel.stages.arcs.one_layer import solve_one_layer
from optmodel.stages.arcs.several_layers import solve_several_layers
from optmodel.stages.arcs.staying_maps import simple_placement


def solved(arc: ArcNumbers, cutoff: int | None = None, tolerance: float = 0.0):
    most = arc.longest if cutoff is None else cutoff
    return solve_several_layers(arc, most, tolerance, Allowance())


def test_the_optimum_of_an_arc_equals_enumeration():
    seen: Counter = Counter()

    @examples(300)
    @given(arcs())
    def agree(arc: ArcNumbers) -> None:
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
    def hold(arc: ArcNumbers, tolerance: float, cutoff: int) -> None:
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
@given(arcs(), st.integers(0, 40))
def test_wherever_it_stops_the_bound_holds(arc: ArcNumbers, steps: int):
    found = solve_several_layers(arc, arc.longest, 0.0, Allowance(steps))
    best = optimum(arc)
    assert best is None or found.bound <= best
    assert found.value is None or best <= found.value


def test_one_layer_is_filled_to_the_least_threshold():
    arc = ArcNumbers(maps=5, sizes=(2, 1), receive=(1, 0), caps=((2, 4),), send=(), work=(2, 2))
    # Up to 6: two maps at 3 each on the first two nodes, three at 2 on the third. Up to 5: 1, 1, 2.
    found = solve_one_layer(arc, 100)
    assert (found.bound, found.value) == (6, 6)
    assert found.placement.counts.sum() == 5
    assert found.placement.ticks(arc) == 6
    assert solve_one_layer(arc, 5).bound == 6
    assert solve_one_layer(arc, 5).placement is None


def without_moves(arc: ArcNumbers) -> int | None:
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
    def agree(arc: ArcNumbers, one_host: bool) -> None:
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


def relay(before_pool: int) -> ArcNumbers:
    """Return an act, a pool and a conv on a holder, a computing node and one that does neither.

    Only the first node can receive the three maps at once (0 ticks), only the second one can
    compute. A map takes `before_pool` ticks to move before the pool and 2 behind it.
    """
    send = ((before_pool,) * 3, (2, 2, 2))
    return ArcNumbers(3, (1, 1, 1), (0, 99, 99), ((3, 3, 3),) * 3, send, (99, 0, 99))


def test_moving_before_the_pool_pays_where_a_relay_shares_the_sending():
    # Behind the pool: three maps from one sender, 6 ticks. Before it: one map to each other node,
    # 3 ticks, then one map each from holder and relay, 2 ticks.
    assert optimum(relay(3)) == solved(relay(3)).value == 5


def test_moving_before_the_pool_does_not_pay_where_maps_are_much_larger():
    assert optimum(relay(5)) == solved(relay(5)).value == 6
    flows = solved(relay(5)).placement.flows
    assert [int(moved.maps[moved.sender == moved.receiver].sum()) for moved in flows] == [3, 0]


def test_moves_count_what_is_sent_to_others_and_take_other_numbers():
    moves = MapMoves(np.array([0, 0, 2]), np.array([0, 1, 1]), np.array([4, 3, 2]))
    assert moves.sent(3).tolist() == [3, 0, 2]
    there = moves.on(np.array([5, 1, 0]))
    assert there.sent(6).tolist() == [2, 0, 0, 0, 0, 3]
    assert there.receiver.tolist() == [5, 1, 1]
    assert MapMoves.where_they_are(np.array([0, 7, 1])).sent(3).tolist() == [0, 0, 0]


def test_an_arc_knows_what_none_of_its_placements_exceeds():
    @examples(60)
    @given(arcs())
    def never(arc: ArcNumbers) -> None:
        assert max(map(sum, latencies(arc)), default=0) <= arc.longest
        assert latencies(node_by_node(arc)) == latencies(arc)

    never()
