"""Waiting requests come in order of arrival, one of each kind at a time."""

import random

from scheduling import request

from heuristics.scheduler.waiting_line import WaitingLine, WaitingRequest
from optmodel.placement.solution import Rejection


def one(arrival: int, tolerance: float = 0.6) -> WaitingRequest:
    rejection = Rejection(request=f"r{arrival}", condition="no room")
    return WaitingRequest(
        request=request(f"r{arrival}", tolerance), arrival=arrival, rejection=rejection
    )


def test_of_a_kind_the_next_comes_only_once_the_one_before_has_gone():
    line = WaitingLine([one(3), one(1), one(4, 0.9), one(2), one(5, 0.9)])
    assert [w.arrival for w in line] == [1, 2, 3, 4, 5]
    assert [w.arrival for w in line.first_of_each_kind()] == [1, 4]
    tried = []
    for first in line.first_of_each_kind():
        tried.append(first.arrival)
        if first.arrival in (1, 2, 4):
            line.remove(first.request.id)
    assert tried == [1, 2, 3, 4, 5]
    assert [w.arrival for w in line] == [3, 5]


def test_what_goes_and_comes_back_keeps_its_place():
    line = WaitingLine([one(1), one(2)])
    line.remove("r1")
    line.add(one(1))
    assert [w.arrival for w in line.first_of_each_kind()] == [1]
    line.remove("r1")
    assert line.get("r1") is None
    assert [w.arrival for w in line.first_of_each_kind()] == [2]


def test_what_has_gone_does_not_pile_up():
    line, draw = WaitingLine([one(0)]), random.Random(0)
    here = [0]
    for arrival in range(1, 2000):
        line.add(one(arrival, draw.choice((0.6, 0.9))))
        here.append(arrival)
        if len(here) > 20:
            gone = here.pop(draw.randrange(1, len(here)))
            line.remove(f"r{gone}")
        assert sum(map(len, line._order.values())) == len(here)
    assert [w.arrival for w in line] == here
