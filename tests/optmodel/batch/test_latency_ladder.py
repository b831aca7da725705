"""A ladder holds every room that pairs of latencies leave, the shortest pair for each."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from optmodel.batch.one_request.latency_ladder import LatencyLadder, LatencyLadders
from optmodel.batch.options import ConstructOptions

NODES = 4
seconds = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.7]), min_size=NODES, max_size=NODES)
rooms = st.lists(st.integers(0, 3), min_size=NODES, max_size=NODES)


def made(times: list[list[float]], most: list[int], maps: int) -> LatencyLadder:
    return LatencyLadders().find(tuple(np.array(t) for t in times), np.array(most), maps)


def counts_within(most: list[int], maps: int) -> list[tuple[int, ...]]:
    grids = np.meshgrid(*(np.arange(min(room, maps) + 1) for room in most))
    rows = np.stack([grid.ravel() for grid in grids], axis=1)
    return [tuple(row) for row in rows[rows.sum(axis=1) == maps].tolist()]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(seconds, min_size=1, max_size=2), rooms, st.integers(1, 5))
def test_rungs_rise_differ_and_hold_all_maps(times, most, maps):
    found = made(times, most, maps)
    assert (np.diff(found.least_s) >= 0).all()
    assert (found.width.sum(axis=1) >= maps).all()
    assert (found.width <= np.minimum(most, maps)).all()
    assert len({row.tobytes() for row in found.width}) == len(found.width)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(seconds, min_size=1, max_size=2), rooms, st.integers(1, 5))
def test_every_way_to_hold_the_maps_stands_on_a_rung_no_longer_than_itself(times, most, maps):
    found = made(times, most, maps)
    ways = counts_within(most, maps)
    assert bool(ways) == bool(len(found.least_s))
    for counts in ways:
        latency = sum((np.array(t) * counts).max() for t in times)
        fits = (found.width >= counts).all(axis=1)
        assert found.least_s[fits].min() <= latency * (1 + 1e-9)


def test_an_equal_question_is_answered_from_memory():
    ladders, time, most = LatencyLadders(), np.array([0.1, 0.2]), np.array([2, 2])
    first = ladders.find((time,), most, 3)
    assert ladders.find((time.copy(),), most.copy(), 3) is first
    assert ladders.find((time,), most, 4) is not first
    assert ladders.find((time, time), most, 3) is not first


def test_memory_is_given_back():
    time = np.array([0.1, 0.2])
    size = LatencyLadders().find((time,), np.array([2, 2]), 3).width.size
    ladders = LatencyLadders(ConstructOptions(most_widths=size))
    first = ladders.find((time,), np.array([2, 2]), 3)
    ladders.find((time,), np.array([2, 1]), 3)
    again = ladders.find((time,), np.array([2, 2]), 3)
    assert again is not first
    assert again.width.tolist() == first.width.tolist()
