"""A journal cut off at any byte leads, with its snapshot, to the state of one whole run."""

import json
import logging
import os
import random
import stat
from unittest.mock import Mock

import pytest
from full_disk import files_of_at_most
from scheduling import request, tight_fleet
from states import told, without_seals
from strategies import node

from heuristics.scheduler import service
from heuristics.scheduler.events import (
    DieEvent,
    FinishEvent,
    JoinEvent,
    LeaveEvent,
    ReoptimiseEvent,
    SubmitEvent,
)
from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.reoptimise_period import ReoptimisePeriod
from heuristics.scheduler.service import open_service
from heuristics.scheduler.snapshot import SEALED
from optmodel.ground.rule_errors import InputError, RuleError

FLEET = tight_fleet()
EVENTS = [
    SubmitEvent(event="submit", request=request("r1")),
    SubmitEvent(event="submit", request=request("r2", 0.9)),
    SubmitEvent(event="submit", request=request("r1")),
    SubmitEvent(event="submit", request=request("r3")),
    SubmitEvent(event="submit", request=request("r4", 0.25)),
    SubmitEvent(event="submit", request=request("r5")),
    SubmitEvent(event="submit", request=request("r6")),
    DieEvent(event="die", device="c"),
    FinishEvent(event="finish", request="r2"),
    JoinEvent(event="join", device=node("fast", 1e6, 1e6, memory_bytes=300.0)),
    SubmitEvent(event="submit", request=request("r7", 0.9)),
    ReoptimiseEvent(event="reoptimise", most_moves=40),
    LeaveEvent(event="leave", device="b"),
    FinishEvent(event="finish", request="r1"),
    DieEvent(event="die", device="a"),
    FinishEvent(event="finish", request="r3"),
    SubmitEvent(event="submit", request=request("r8")),
]


def opened(state):
    return open_service(FLEET, "lookahead", 0, state, ReoptimisePeriod(5), most_moves=9)


def killed(one) -> None:
    """Leave the files as they are."""
    one.files.close()


def answered(one, events) -> list:
    """Return the answers, an error for an event that cannot happen."""
    answers = []
    for event in events:
        try:
            answers.append(one.answer(event))
        except RuleError as rule:
            answers.append(str(rule))
    return answers


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of snapshot and journal after a run that was killed, and what it said."""
    state = tmp_path_factory.mktemp("whole") / "state.json"
    one = opened(state)
    answers = answered(one, EVENTS)
    causes = {d.cause for a in answers if not isinstance(a, str) for d in a.decisions}
    assert causes == {"submitted", "retried", "repaired", "placed anew", "reoptimised"}
    killed(one)
    return state.read_bytes(), journal_path(state).read_bytes(), answers, one.scheduler.snapshot()


def put(state, whole) -> None:
    """Write the files of the whole run."""
    snapshot, journal, _, _ = whole
    state.write_bytes(snapshot)
    journal_path(state).write_bytes(journal)


def cuts(journal: bytes) -> list[int]:
    """Return the ends of all events, the bytes around them, and some others.

    The head is written with the file.
    """
    ends = [n + 1 for n, byte in enumerate(journal) if byte == ord("\n")]
    near = {end + off for end in ends for off in (-1, 0, 1)}
    drawn = random.Random(0).sample(range(len(journal)), 5)
    return sorted(cut for cut in {*near, *drawn} if ends[0] <= cut <= len(journal))


def test_cut_off_at_any_byte_and_sent_again_the_end_is_that_of_one_run(state, whole):
    snapshot, journal, answers, end = whole
    for cut in cuts(journal):
        done = journal[:cut].count(b"\n") - 1
        state.write_bytes(told(snapshot, journal, max(done - cut % 2, 0)))
        journal_path(state).write_bytes(journal[:cut])
        with opened(state) as one:
            at = 0 if not done else position(answers, done)
            assert answered(one, EVENTS[at:]) == answers[at:]
            assert one.scheduler.snapshot() == end


def position(answers, number: int) -> int:
    """Return the place of the event with a number: it is sent again, its answer may be lost."""
    return next(n for n, a in enumerate(answers) if not isinstance(a, str) and a.number == number)


def test_a_line_that_is_cut_off_is_told_in_the_log(state, whole, caplog):
    snapshot, journal, _, _ = whole
    state.write_bytes(told(snapshot, journal, journal.count(b"\n") - 2))
    journal_path(state).write_bytes(journal[:-1])
    with caplog.at_level(logging.WARNING):
        killed(opened(state))
    assert "is cut off; left out" in caplog.text


def test_an_event_costs_one_line_and_every_so_often_a_snapshot(state, monkeypatch):
    monkeypatch.setattr(service, "SNAPSHOT_EVERY", 4)
    one, lines, written = opened(state), [], set()
    for event in EVENTS[:12]:
        one.answer(event)
        lines.append(journal_path(state).read_bytes().count(b"\n"))
        written.add(state.read_bytes())
    assert max(lines) == 4
    assert lines[:4] == [2, 3, 4, 1]
    assert len(written) == 12
    killed(one)
    with opened(state) as again:
        assert again.scheduler.snapshot() == one.scheduler.snapshot()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"latency_s": ', b'"latency_s": 9', "latency_s: expected"),
        (b'"running": 2', b'"running": 3', r"answer\.standing: expected 2 requests that run"),
        (b'"event": "submit"', b'"event": "jump"', "event: expected one of"),
        (b'{"event"', b'"event"', "line 1: expected JSON"),
    ],
)
def test_what_an_edited_journal_without_digests_says_is_worked_out_again(
    state, whole, old, new, message
):
    put(state, whole)
    without_seals(state)
    snapshot, journal = state.read_bytes(), journal_path(state).read_bytes()
    assert old in journal
    journal_path(state).write_bytes(journal.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        opened(state)
    assert state.read_bytes() == snapshot


def test_cut_off_in_the_middle_of_an_event_nothing_untold_is_written(state, monkeypatch):
    one = opened(state)
    one.answer(EVENTS[0])
    told = one.scheduler.snapshot()
    monkeypatch.setattr(one, "_keep", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), one:
        one.answer(EVENTS[1])
    with opened(state) as again:
        assert again.scheduler.snapshot() == told


def test_a_state_in_use_is_refused_by_a_link_and_without_files(tmp_path):
    state, link = tmp_path / "state.json", tmp_path / "link.json"
    link.symlink_to(state)
    with opened(state) as first:
        first.answer(EVENTS[0])
        for file in tmp_path.iterdir():
            if file.name not in (state.name, link.name, journal_path(state).name):
                file.unlink()
        for path in (link, state):
            for take in (opened, first.scheduler.save):
                with pytest.raises(InputError, match="no other process writes, got one in use; st"):
                    take(path)
        first.answer(EVENTS[1])
    with opened(link) as second:
        assert second.scheduler.snapshot() == first.scheduler.snapshot()
        assert second.answer(EVENTS[2]).number == 3
    assert link.is_symlink()
    assert sorted(file.name for file in tmp_path.iterdir()) == [link.name, state.name]


def test_a_journal_beside_a_link_is_not_overlooked(tmp_path):
    state, link = tmp_path / "state.json", tmp_path / "link.json"
    one = opened(state)
    one.answer(EVENTS[0])
    killed(one)
    link.symlink_to(state)
    journal_path(state).rename(tmp_path / "link.json.journal")
    with pytest.raises(InputError, match="expected the journal beside the snapshot, got it beside"):
        opened(link)


def test_an_event_is_on_the_disk_before_it_may_be_told(state, monkeypatch):
    real, synced = os.fsync, []

    def fsync(descriptor):
        """Note what stands in the journal, and the mark of what may be told, at each call."""
        real(descriptor)
        if os.path.sameopenfile(descriptor, journal):
            synced.append((journal_path(state).read_bytes(), SEALED.match(state.read_bytes())[1]))

    with opened(state) as one:
        monkeypatch.setattr(os, "fsync", fsync)
        for number, event in enumerate(EVENTS[:2], start=1):
            with journal_path(state).open("rb") as stream:
                journal, before = stream.fileno(), SEALED.match(state.read_bytes())[1]
                one.answer(event)
            [(written, mark)] = synced
            assert len(written.splitlines()) == number + 1
            assert written == journal_path(state).read_bytes()
            assert mark == before != SEALED.match(state.read_bytes())[1]
            synced.clear()
        monkeypatch.undo()


def test_that_there_is_a_journal_is_on_the_disk_before_its_first_event_is_told(state, monkeypatch):
    """With the snapshot as it stands on the disk then, a journal that is missing is missed."""
    real, on_disk = os.fsync, []

    def fsync(descriptor: int) -> None:
        real(descriptor)
        if os.fstat(descriptor).st_ino == state.stat().st_ino:
            on_disk.append(state.read_bytes())

    one = opened(state)
    monkeypatch.setattr(os, "fsync", fsync)
    for event in EVENTS[:3]:
        one.answer(event)
        assert len(on_disk) == 1
    killed(one)
    state.write_bytes(on_disk[0])
    journal_path(state).unlink()
    with pytest.raises(InputError, match="expected the events answered last, got no file"):
        opened(state)


def test_names_in_a_folder_are_on_the_disk(tmp_path, monkeypatch):
    real, folders = os.fsync, []

    def fsync(descriptor):
        real(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append(sorted(file.name for file in tmp_path.iterdir()))

    monkeypatch.setattr(os, "fsync", fsync)
    with opened(tmp_path / "state.json"):
        assert folders == [["state.json"], ["state.json", "state.json.journal"]]


def test_a_full_disk_is_one_message_and_loses_nothing_that_was_told(state):
    one = opened(state)
    one.answer(EVENTS[0])
    room = journal_path(state).stat().st_size + 100
    with (
        pytest.raises(InputError, match=r"journal: expected a .* got 'File too large'; free"),
        one,
        files_of_at_most(room),
    ):
        one.answer(EVENTS[1])
    with pytest.raises(InputError, match="cut off in the middle of an event"):
        one.answer(EVENTS[1])
    with opened(state) as again:
        assert again.answer(EVENTS[0]).number == 1
        assert again.answer(EVENTS[1]).number == 2


def test_a_snapshot_without_room_leaves_snapshot_and_journal(state):
    one = opened(state)
    answered(one, EVENTS)
    with pytest.raises(InputError, match="free the space"), files_of_at_most(100), one:
        pass
    with opened(state) as again:
        assert again.scheduler.snapshot() == one.scheduler.snapshot()


def test_a_journal_without_its_snapshot_is_refused_and_kept(state):
    one = opened(state)
    answered(one, EVENTS[:2])
    killed(one)
    state.unlink()
    kept = journal_path(state).read_bytes()
    with pytest.raises(InputError, match="expected the snapshot that"):
        opened(state)
    assert journal_path(state).read_bytes() == kept


def test_a_journal_that_lacks_a_decision_on_a_lost_device_is_refused(state):
    one = opened(state)
    answered(one, EVENTS[:8])
    killed(one)
    without_seals(state)
    *lines, last = journal_path(state).read_text().splitlines()
    exchange = json.loads(last)
    assert exchange["event"]["event"] == "die"
    assert exchange["answer"]["decisions"]
    exchange["answer"]["decisions"] = []
    journal_path(state).write_text("\n".join([*lines, json.dumps(exchange)]) + "\n")
    with pytest.raises(InputError, match="a decision on each request that ran on the device"):
        opened(state)
