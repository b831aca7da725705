"""A snapshot of which no digest tells that it was edited is refused, and the message says where."""

import json

import pytest
from scheduling import request, tight_fleet
from states import without_seals
from strategies import node

from heuristics.scheduler import OnlineScheduler
from heuristics.scheduler.events import SubmitEvent
from heuristics.scheduler.service import open_service
from optmodel.ground.rule_errors import InputError


@pytest.fixture
def saved(state):
    """One request runs (r1), one waits (r2), one has finished (r0), and d has joined."""
    scheduler = OnlineScheduler(tight_fleet((120.0, 60.0, 60.0)))
    scheduler.submit(request("r0"))
    scheduler.finish("r0")
    scheduler.submit(request("r1"))
    scheduler.submit(request("r2"))
    scheduler.join(node("d", 10.0, 10.0, memory_bytes=0.0))
    scheduler.save(state)
    without_seals(state)
    return state


def edited(path, change) -> str:
    """Return the message with which an edited snapshot is refused."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError) as refused:
        OnlineScheduler.restore(path)
    return str(refused.value)


def reserve_less(state):
    node_id, load = next(iter(state["running"][0]["reserved"].items()))
    state["running"][0]["reserved"][node_id] = [load[0] - 1, *load[1:]]


def reserve_nothing(state):
    state["running"][0]["reserved"] = {}


def forget_a_request(state):
    state["running"] = []


def move_a_segment(state):
    state["running"][0]["placement"]["layers"][-1]["segments"] = {"a": 1}


def name_an_absent_node(state):
    state["devices"] = [device for device in state["devices"] if device["id"] != "a"]


def claim_less_latency(state):
    state["running"][0]["latency_s"] *= 0.9


def claim_too_large_a_bound(state):
    state["running"][0]["bound_s"] = state["running"][0]["latency_s"] * 2


def book_twice(state):
    state["running"].append(state["running"][0])


def shrink_a_budget(state):
    state["devices"][0]["memory_bytes"] = 10.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(schema_version=2), "expected a snapshot as it was written"),
        (lambda s: s.update(colour="red"), "colour: expected no such field"),
        (lambda s: s.pop("counts"), "counts: expected a value, got nothing"),
        (lambda s: s.update(policy="best"), "policy: expected one of"),
        (reserve_less, "running[0].reserved."),
        (reserve_nothing, "running[0].reserved."),
        (forget_a_request, "counts.submitted: expected 2"),
        (move_a_segment, "running: expected placements within all limits"),
        (name_an_absent_node, "running: expected placements within all limits"),
        (claim_less_latency, "running[0].latency_s: expected"),
        (claim_too_large_a_bound, "running[0].bound_s: expected at most"),
        (book_twice, "running[1].request.id: expected a value used once"),
        (shrink_a_budget, "running: expected placements within all limits"),
        (lambda s: s["waiting"][0]["request"].update(network="no"), "waiting[0].request.network"),
        (lambda s: s["devices"][0].update(id="camera"), "devices"),
    ],
)
def test_an_edited_snapshot_is_refused(saved, change, message):
    assert message in edited(saved, change)


def test_text_that_is_not_a_snapshot_is_refused(state):
    state.write_text('{"half": ')
    with pytest.raises(InputError, match="expected a snapshot as it was written"):
        OnlineScheduler.restore(state)


def test_a_restored_scheduler_goes_on_as_the_saved_one_would(saved):
    one, other = OnlineScheduler.restore(saved), OnlineScheduler.restore(saved)
    assert one.finish("r1") == other.finish("r1")
    assert [r.request.id for r in one.running] == ["r2"]
    assert one.snapshot() == other.snapshot()


def test_a_policy_that_only_the_file_names_is_not_imported(state):
    own = "own_policies.Cautious"
    OnlineScheduler(tight_fleet(), own).save(state)
    with pytest.raises(InputError, match=r"policy: expected one of .*, got 'own_policies\.Caut"):
        OnlineScheduler.restore(state)
    with pytest.raises(InputError, match="policy: expected 'lookahead', got"):
        OnlineScheduler.restore(state, policy="lookahead")
    assert OnlineScheduler.restore(state, policy=own).policy_name == own


def test_a_killed_state_is_restored_with_its_journal_which_a_saved_one_takes_the_place_of(state):
    one = open_service(tight_fleet(), "lookahead", 0, state, None, most_moves=0)
    one.answer(SubmitEvent(event="submit", request=request("r1")))
    one.files.close()
    assert [r.request.id for r in OnlineScheduler.restore(state).running] == ["r1"]
    OnlineScheduler(tight_fleet()).save(state)
    assert OnlineScheduler.restore(state).running == ()
    assert [file.name for file in state.parent.iterdir()] == [state.name]
