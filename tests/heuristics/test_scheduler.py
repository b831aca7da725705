"""The online scheduler keeps every promise, whatever comes, goes, leaves or dies."""

import math
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduling import TOLERANCES, assert_promises_are_kept, full_budgets, request, tight_fleet
from strategies import examples, node

from heuristics.scheduler import OnlineScheduler, fleet_books
from heuristics.scheduler.present_fleet import PresentFleet
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.ground.rule_errors import RuleError
from optmodel.online.algorithm1 import Algorithm1
from optmodel.placement.placement import RequestPlacement
from optmodel.problem.instance import Request

DEVICES = {device.id: device for device in tight_fleet().devices} | {
    "d": node("d", 1500.0, 3000.0, memory_bytes=100.0)
}
events = st.one_of(
    st.tuples(st.just("submit"), st.integers(0, 9), st.sampled_from(TOLERANCES)),
    st.tuples(st.just("finish"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["join", "leave", "die"]), st.sampled_from(sorted(DEVICES))),
    st.tuples(st.just("reoptimise"), st.integers(0, 12)),
)


def moved_segments(before, after) -> int:
    """Count segments that are on a node which had fewer of the layer."""
    return sum(
        max(0, segments - old.segments.get(name, 0))
        for old, new in zip(before.layers, after.layers, strict=True)
        for name, segments in new.segments.items()
    )


def perform(scheduler: OnlineScheduler, event: tuple) -> tuple:
    """Do what an event asks for; return the decisions, none if it cannot happen now."""
    kind, what, *more = event
    try:
        if kind == "submit":
            return (scheduler.submit(request(f"r{what}", *more)),)
        if kind == "finish":
            return scheduler.finish(f"r{what}")
        if kind == "join":
            return scheduler.join(DEVICES[what])
        return getattr(scheduler, kind)(what)
    except RuleError:
        return ()


@pytest.mark.parametrize("policy", ["lookahead", "algorithm1"])
@examples(60)
@given(st.lists(events, max_size=14))
def test_after_every_event_all_promises_are_kept(tmp_path_factory, policy, sequence):
    folder = tmp_path_factory.mktemp("events")
    scheduler = OnlineScheduler(tight_fleet(), policy)
    for event in sequence:
        before = {one.request.id: one for one in scheduler.running}
        decisions = perform(scheduler, event)
        assert_promises_are_kept(scheduler, folder)
        assert_decisions_tell_the_state(scheduler, decisions)
        if event[0] == "reoptimise":
            improved = [d for d in decisions if d.cause == "reoptimised"]
            assert sum(d.moved for d in improved) <= event[1]
            for decision in improved:
                old = before[decision.request]
                assert decision.latency_s < old.latency_s
                assert decision.moved == moved_segments(old.placement, decision.placement)
    for one in (*scheduler.waiting, *scheduler.running):
        if one.request.id in {r.request.id for r in (*scheduler.running, *scheduler.waiting)}:
            scheduler.finish(one.request.id)
    assert scheduler.left() == full_budgets(scheduler)
    assert not scheduler.running
    assert not scheduler.waiting


def assert_decisions_tell_the_state(scheduler, decisions):
    """The last decision on each request says where it now is."""
    running = {one.request.id: one for one in scheduler.running}
    waiting = {one.request.id for one in scheduler.waiting}
    for decision in {decision.request: decision for decision in decisions}.values():
        if decision.placement is not None:
            assert running[decision.request].placement == decision.placement
        else:
            assert decision.rejection.condition
            assert (decision.request in waiting) == decision.waits


def test_a_rejected_request_is_served_when_something_is_freed_in_order_of_arrival():
    scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)))  # fc1 fits once
    assert scheduler.submit(request("r1")).placement
    for name in ("r2", "r3"):
        decision = scheduler.submit(request(name))
        assert decision.waits
        assert "memory" in decision.rejection.condition
        assert decision.bound_s > 0
    assert [d.request for d in scheduler.finish("r1")] == ["r2"]
    assert [(d.request, d.cause) for d in scheduler.finish("r2")] == [("r3", "retried")]
    counts = scheduler.standing.counts
    assert (counts.submitted, counts.rejected_at_first, counts.unserved) == (3, 2, 0)


def test_a_waiting_request_again_is_rejected_again_and_withdrawn_it_is_unserved():
    scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)))
    scheduler.submit(request("r1"))
    first = scheduler.submit(request("r2"))
    assert scheduler.submit(request("r2")) == first
    assert scheduler.standing.counts.submitted == 2
    assert scheduler.finish("r2") == ()
    assert scheduler.standing.counts.unserved == 1


def test_a_request_that_no_fleet_could_serve_does_not_wait():
    scheduler = OnlineScheduler(tight_fleet())
    decision = scheduler.submit(request("r1", 0.25))
    assert decision.rejection.layer == "act1"
    assert not decision.waits
    assert scheduler.waiting == ()


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The ids of the requests that Algorithm 1 is asked for."""
    ids, place = [], Algorithm1.place

    def counted(self, problem, task, left):
        ids.append(task.request.id)
        return place(self, problem, task, left)

    monkeypatch.setattr(Algorithm1, "place", counted)
    return ids


def test_where_the_helpers_are_full_one_camera_is_tried_for_all(asked):
    recipe = Recipe(("lenet",), "mixed", 4, 0.8, cameras=6, scales=BudgetScales(compute=1.5e-5))
    scheduler = OnlineScheduler(generate(recipe, "full"), "algorithm1")
    names = [f"r{n}" for n in range(40)]
    for n, name in enumerate(names):
        camera = f"camera-{n % 6 + 1}"
        scheduler.submit(Request(id=name, source=camera, network="lenet", tolerated_ssim=0.8))
    assert scheduler.running
    assert len({one.request.source for one in scheduler.waiting}) == 6
    asked.clear()
    first = scheduler.waiting[0].request.id
    served = scheduler.finish(scheduler.running[0].request.id)
    assert [decision.request for decision in served] == [first]
    assert len(asked) == 2


def test_what_is_proven_to_have_no_place_is_not_tried_again_until_a_device_joins(asked):
    fleet = generate(Recipe(("vgg16", "lenet"), "mixed", 32, 0.6, cameras=1), "few")
    few = fleet.model_copy(update={"devices": fleet.devices[:30]})
    scheduler = OnlineScheduler(few, "algorithm1")
    for name, network in (("big", "vgg16"), ("small", "lenet")):
        one = Request(id=name, source="camera-1", network=network, tolerated_ssim=0.6)
        scheduler.submit(one)
    assert [one.request.id for one in scheduler.waiting] == ["big"]
    scheduler.finish("small")
    assert asked == ["big", "small"]
    scheduler.join(fleet.devices[30])
    assert asked == ["big", "small"]
    (served,) = scheduler.join(fleet.devices[31])
    assert (served.request, served.cause) == ("big", "retried")


def test_decisions_without_names_are_the_same_otherwise():
    spelt, bare = OnlineScheduler(tight_fleet()), OnlineScheduler(tight_fleet(), in_names=False)
    for name in ("r1", "r2", "r3"):
        one, other = spelt.submit(request(name)), bare.submit(request(name))
        assert one.model_copy(update={"placement": None}) == other
    gone, without = spelt.die("a"), bare.die("a")
    assert [one.model_copy(update={"placement": None}) for one in gone] == list(without)
    assert bare.running == spelt.running


def test_the_same_request_again_is_placed_once():
    scheduler = OnlineScheduler(tight_fleet())
    first, before = scheduler.submit(request("r1")), scheduler.left()
    assert scheduler.submit(request("r1")) == first
    assert scheduler.left() == before
    with pytest.raises(RuleError, match=r"request\.id: expected an id that no other request has"):
        scheduler.submit(request("r1", 0.9))


def test_when_a_device_dies_only_its_segments_move():
    fleet = tight_fleet((400.0, 400.0, 400.0))
    scheduler = OnlineScheduler(fleet)
    scheduler.submit(request("r1", 0.9))
    before = scheduler.running[0]
    lost = next(node for node in ("a", "b", "c") if before.is_on(node))
    (decision,) = scheduler.die(lost)
    assert decision.cause == "repaired"
    for old, new in zip(before.placement.layers, decision.placement.layers, strict=True):
        kept = {name: number for name, number in old.segments.items() if name != lost}
        assert all(new.segments[name] >= number for name, number in kept.items())
        assert len(set(new.segments) - set(kept)) <= 1
    assert decision.moved == sum(layer.segments.get(lost, 0) for layer in before.placement.layers)


def test_when_caps_leave_no_substitute_the_whole_request_is_placed_anew(tmp_path):
    """At 0.6 a helper may hold 2 of 3 maps, and a has no room for fc1 (80 bytes).

    So the node with fc1 and some maps has no substitute: a lacks the room, the other would hold
    all maps.
    """
    scheduler = OnlineScheduler(tight_fleet((30.0, 400.0, 400.0)))
    decision = scheduler.submit(request("r1"))
    layers = {layer.layer: layer.segments for layer in decision.placement.layers}
    (holder,) = layers["fc1"]
    assert set(layers["act1"]) == {"b", "c"} >= {holder}
    (anew,) = scheduler.die(holder)
    assert anew.cause == "placed anew"
    gained = {
        name
        for layer in anew.placement.layers
        for name, segments in layer.segments.items()
        if segments > layers[layer.layer].get(name, 0)
    }
    assert gained == {"a", "b"}  # not one substitute for all
    assert_promises_are_kept(scheduler, tmp_path)


def test_when_the_last_device_dies_its_requests_wait_with_a_reason_until_one_joins():
    scheduler = OnlineScheduler(tight_fleet((400.0, 400.0, 400.0)))
    scheduler.submit(request("r1", 0.9))
    decisions = [d for name in ("a", "b", "c") for d in scheduler.die(name)]
    assert decisions[-1].rejection.condition == "device 'c' died; no device is present"
    assert decisions[-1].waits
    assert scheduler.standing.counts.interrupted == 1
    (served,) = scheduler.join(DEVICES["a"])
    assert (served.request, served.cause) == ("r1", "retried")


def test_a_device_that_is_needed_does_not_leave_and_nothing_changes():
    scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)))
    scheduler.submit(request("r1"))
    before = scheduler.snapshot()
    with pytest.raises(RuleError, match="'a', which request 'r1' needs"):
        scheduler.leave("a")
    assert scheduler.snapshot() == before
    (decision,) = scheduler.die("a")
    assert decision.rejection.condition.startswith("device 'a' died; ")


def test_a_device_leaves_once_its_segments_have_another_place(tmp_path):
    scheduler = OnlineScheduler(tight_fleet((400.0, 400.0, 400.0)))
    scheduler.submit(request("r1", 0.9))
    scheduler.leave("c")
    assert [device.id for device in scheduler.devices] == ["a", "b"]
    assert not scheduler.running[0].is_on("c")
    assert_promises_are_kept(scheduler, tmp_path)


def test_after_a_faster_device_joins_what_runs_moves_to_it_within_the_limit():
    scheduler = OnlineScheduler(tight_fleet((400.0, 400.0, 400.0)))
    before = scheduler.submit(request("r1", 0.9))
    scheduler.join(node("fast", 1e6, 1e6))
    assert scheduler.running[0].bound_s < before.bound_s
    assert scheduler.running[0].gap > 0.5
    assert scheduler.reoptimise(0) == ()
    (decision,) = scheduler.reoptimise(100)
    assert decision.latency_s < before.latency_s
    assert decision.moved == scheduler.standing.counts.moved > 0


def test_every_decision_has_a_bound_that_reservations_cannot_break():
    scheduler = OnlineScheduler(tight_fleet((400.0, 400.0, 400.0)))
    decisions = [scheduler.submit(request(f"r{n}", 0.9)) for n in range(4)]
    assert len({decision.bound_s for decision in decisions}) == 1
    assert decisions[0].gap <= 1e-4
    standing = scheduler.standing
    assert standing.bound_s == pytest.approx(sum(one.bound_s for one in scheduler.running))
    assert standing.latency_s == pytest.approx(sum(one.latency_s for one in scheduler.running))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda s: s.submit(Request(id="x", source="no", network="net", tolerated_ssim=0.5)),
            r"request\.source: expected the id of a source \(camera\), got 'no'",
        ),
        (
            lambda s: s.submit(Request(id="x", source="camera", network="no", tolerated_ssim=0.5)),
            r"request\.network: expected the id of a network \(net\), got 'no'",
        ),
        (lambda s: s.finish("x"), "request: expected the id of a request that runs or waits"),
        (lambda s: s.die("x"), "device: expected the id of a device that is present, got 'x'"),
        (lambda s: s.leave("camera"), "device: expected the id of a device that is present"),
        (lambda s: s.join(node("camera", 1.0, 1.0)), r"device\.id: expected an id that no node"),
        (lambda s: s.join(node("a", 1.0, 1.0)), r"device\.id: expected an id that no node has"),
    ],
)
def test_what_cannot_happen_is_refused_and_changes_nothing(act, message):
    scheduler = OnlineScheduler(tight_fleet())
    scheduler.submit(request("r1"))
    before = scheduler.snapshot()
    with pytest.raises(RuleError, match=message):
        act(scheduler)
    assert scheduler.snapshot() == before


def test_a_device_that_is_present_joins_without_effect():
    scheduler = OnlineScheduler(tight_fleet())
    assert scheduler.join(DEVICES["a"]) == ()
    assert len(scheduler.devices) == 3


def test_finished_requests_leave_counts_and_their_ids_for_a_while(monkeypatch):
    monkeypatch.setattr(fleet_books, "MOST_GONE", 100)
    scheduler = OnlineScheduler(tight_fleet())
    for n in range(300):
        scheduler.submit(request(f"r{n}"))
        scheduler.finish(f"r{n}")
    empty, state = OnlineScheduler(tight_fleet()).snapshot(), scheduler.snapshot()
    assert state.gone == tuple(f"r{n}" for n in range(200, 300))
    assert state.model_copy(update={"counts": empty.counts, "gone": ()}) == empty
    assert scheduler.standing.counts.finished == 300


def test_the_last_10_000_ids_that_went_are_remembered_as_the_docs_say():
    kept = fleet_books.FleetBooks(PresentFleet(tight_fleet()))
    for n in range(10_001):
        kept.is_gone(f"r{n}")
        assert len(kept.gone) == min(n + 1, 10_000)
    assert "r0" not in kept.gone
    assert {"r1", "r10000"} <= kept.gone.keys()


def test_an_id_that_went_lately_is_not_taken_again(state):
    scheduler = OnlineScheduler(tight_fleet())
    scheduler.submit(request("r1"))
    scheduler.finish("r1")
    scheduler.submit(request("r2", 0.25))
    scheduler.save(state)
    for one in (scheduler, OnlineScheduler.restore(state)):
        for name in ("r1", "r2"):
            with pytest.raises(RuleError, match=f"'{name}', which is finished or went unserved"):
                one.submit(request(name))
        with pytest.raises(RuleError, match="'r1', which is gone already"):
            one.finish("r1")


class Failing:
    """Places as Algorithm 1 does, and sometimes is interrupted, or against a limit."""

    mode = "place"

    def __init__(self, *, seed: int = 0) -> None:
        self._inner = Algorithm1()

    def place(self, problem, task, left):
        if self.mode == "fail":
            raise KeyboardInterrupt
        placed = self._inner.place(problem, task, left)
        if self.mode == "break" and isinstance(placed, RequestPlacement):
            placed.counts[0] = np.roll(placed.counts[0], 1)
        return placed


def test_ctrl_c_in_the_middle_of_an_event_leaves_all_as_it_was(monkeypatch):
    scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)), f"{__name__}.Failing")
    scheduler.submit(request("r1"))
    scheduler.submit(request("r2"))
    before, left, standing = scheduler.snapshot(), scheduler.left(), scheduler.standing
    monkeypatch.setattr(Failing, "mode", "fail")
    fast = node("fast", 1e6, 1e6)
    for act in (
        lambda: scheduler.finish("r1"),
        lambda: scheduler.submit(request("r3")),
        lambda: scheduler.join(fast),
        lambda: scheduler.reoptimise(10),
    ):
        with pytest.raises(KeyboardInterrupt):
            act()
        assert scheduler.snapshot() == before
        assert (scheduler.left(), scheduler.standing) == (left, standing)
    monkeypatch.setattr(Failing, "mode", "place")
    assert [d.request for d in scheduler.finish("r1")] == ["r2"]


CHANGES = {"enter", "remove", "_reserve", "wait", "wait_no_longer", "add"}
"""Functions that change books and the waiting line."""


def cut_off(act, line: int) -> bool:
    """Do something, with Ctrl-C before the n-th line of the changes; tell whether it came."""
    left = line

    def trace(frame, event, _):
        nonlocal left
        if frame.f_code.co_name not in CHANGES or "scheduler" not in frame.f_code.co_filename:
            return None
        left -= event == "line"
        if left == 0 and event == "line":
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.parametrize("event", ["submit", "finish"])
def test_ctrl_c_in_the_middle_of_a_change_leaves_all_as_it_was(event):
    """One runs and one waits; the event lets a third wait, or the second run."""
    for line in range(1, 99):
        scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)), "algorithm1")
        scheduler.submit(request("r1"))
        scheduler.submit(request("r2"))
        before, left, standing = scheduler.snapshot(), scheduler.left(), scheduler.standing
        act, what = (
            (scheduler.submit, request("r3")) if event == "submit" else (scheduler.finish, "r1")
        )
        if not cut_off(partial(act, what), line):
            assert line > 5
            return
        assert scheduler.snapshot() == before
        assert (scheduler.left(), scheduler.standing) == (left, standing)
        assert [d.request for d in scheduler.finish("r1")] == ["r2"]
    raise AssertionError("the event never came to its end")


def test_a_placement_that_breaks_a_limit_is_no_place_and_the_reason_is_told(monkeypatch, caplog):
    scheduler = OnlineScheduler(tight_fleet(), f"{__name__}.Failing")
    monkeypatch.setattr(Failing, "mode", "break")
    decision = scheduler.submit(request("r1"))
    assert decision.waits
    assert "Failing places request 'r1' against 8h: layer" in decision.rejection.condition
    assert "8h" in caplog.text
    assert scheduler.left() == full_budgets(scheduler)
    monkeypatch.setattr(Failing, "mode", "place")
    (retried,) = scheduler.finish(scheduler.submit(request("r2")).request)
    assert retried.request == "r1"


def test_standing_sums_do_not_drift(state):
    scheduler = OnlineScheduler(tight_fleet((4e3, 4e3, 4e3)))
    for n in range(60):
        scheduler.submit(request(f"r{n}", 0.9 if n % 3 else 0.6))
        if n % 4 == 3:
            scheduler.finish(f"r{n - 2}")
    standing = scheduler.standing
    assert standing.latency_s == math.fsum(one.latency_s for one in scheduler.running)
    assert standing.bound_s == math.fsum(one.bound_s for one in scheduler.running)
    scheduler.save(state)
    assert OnlineScheduler.restore(state).standing == standing


def test_a_decider_of_ones_own_is_asked_instead_of_a_new_policy(asked):
    scheduler = OnlineScheduler(tight_fleet(), "layerwise", decider=Algorithm1())
    assert scheduler.submit(request("r1")).placement is not None
    assert asked == ["r1"]


def test_what_is_reserved_is_what_is_missing_from_what_is_left():
    scheduler = OnlineScheduler(tight_fleet(), "algorithm1")
    full = scheduler.left()
    scheduler.submit(request("r1"))
    missing = {
        name: tuple(a - b for a, b in zip(full[name], left, strict=True))
        for name, left in scheduler.left().items()
    }
    assert scheduler.reserved("r1") == {name: load for name, load in missing.items() if any(load)}
    assert any(bits for _, _, bits in missing.values())
