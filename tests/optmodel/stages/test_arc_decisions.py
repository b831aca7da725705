"""Decisions whether an arc keeps within latencies, by prices on maps and by branching."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from tiny_arcs import arcs, assert_whole, latencies, node_by_node

from optmodel.search.allowance import Allowance
from optmodel.stages.arcs.arc_numbers import ArcNumbers
from optmodel.stages.arcs.layer_thresholds import LayerThresholds
from optmodel.stages.arcs.level_search import DecisionUndecided, LevelSearch
from optmodel.stages.arcs.map_prices import UNIT


def within(arc: ArcNumbers, limits: tuple[int, ...]) -> bool:
    return any(all(a <= b for a, b in zip(found, limits, strict=True)) for found in latencies(arc))


def test_decisions_equal_enumeration():
    seen: Counter = Counter()

    @examples(250)
    @given(arcs(), st.data())
    def agree(arc: ArcNumbers, data: st.DataObject) -> None:
        near = data.draw(st.sampled_from(sorted(latencies(arc)) or [(9,) * len(arc.caps)]))
        limits = tuple(max(limit - data.draw(st.integers(0, 2)), 0) for limit in near)
        expected = within(arc, limits)
        seen[expected] += 1
        for grouped in (arc, node_by_node(arc)):
            search = LevelSearch(LayerThresholds(grouped, limits), [], Allowance())
            placement = search.decide()
            assert (placement is not None) == expected
            assert not (expected and search.ruled_out())
            if placement is not None:
                assert placement.ticks(arc) <= sum(limits)
                assert_whole(arc, placement)

    agree()
    assert min(seen[True], seen[False]) >= 25


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_decision_that_may_take_no_more_says_so(steps: int):
    # The obvious levels fail here, and prices do not rule the limits out.
    arc = ArcNumbers(4, (1, 2), (0, 1), ((4, 1), (1, 4)), ((6, 2),), (7, 8))
    limits = (1, 28)
    assert LevelSearch(LayerThresholds(arc, limits), [], Allowance()).decide()
    with pytest.raises(DecisionUndecided):
        LevelSearch(LayerThresholds(arc, limits), [], Allowance(steps)).decide()


@st.composite
def questions(draw: st.DrawFn) -> LayerThresholds:
    """Draw an arc with several levels per node, and limits that are neither loose nor hopeless."""
    sizes = draw(st.sampled_from(((1, 1), (2,), (2, 1), (1, 1, 1), (3,))))

    def row(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in sizes)

    maps = draw(st.integers(4, 9))
    arc = ArcNumbers(maps, sizes, row(0, 2), (row(1, maps), row(1, maps)), (row(1, 4),), row(1, 6))
    return LayerThresholds(arc, (draw(st.integers(0, 12)), draw(st.integers(4, 30))))


def some_choice(thresholds: LayerThresholds) -> bool:
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
    def agree(thresholds: LayerThresholds) -> None:
        every = LayerThresholds(thresholds.arc, (thresholds.first, thresholds.last))
        every.levels = every._levels
        expected = some_choice(every)
        seen[expected] += 1
        if blind:
            thresholds = every
        placement = LevelSearch(thresholds, [], Allowance()).decide()
        assert (placement is not None) == expected

    agree()
    assert min(seen[True], seen[False]) >= 20
    assert seen["branched"] >= 20 or not blind


def test_prices_that_rule_out_are_a_proof_in_whole_numbers():
    """Whatever the prices, all nodes together earn P or more where there is a placement."""
    seen: Counter = Counter()

    @examples(200)
    @given(arcs(), st.data())
    def earn(arc: ArcNumbers, data: st.DataObject) -> None:
        limits = data.draw(st.sampled_from(sorted(latencies(arc)) or [(0,) * len(arc.caps)]))
        search = LevelSearch(LayerThresholds(arc, limits), [], Allowance())
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
    arc = ArcNumbers(4, (1, 1), (0, 9), ((4, 4), (4, 4)), ((1, 1),), (5, 5))
    known: list = []
    assert LevelSearch(LayerThresholds(arc, (0, 11)), known, Allowance()).ruled_out()
    [prices] = known
    dual = LevelSearch(LayerThresholds(arc, (0, 10)), known, Allowance())
    earned, _ = dual._dual(dual._all_nodes()).earnings(prices)
    assert earned < arc.maps * UNIT
