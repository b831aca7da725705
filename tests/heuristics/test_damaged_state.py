"""Damaged, older or missing files of a state: refused with one message, or nothing told is lost."""

import itertools
import os
import random
from pathlib import Path

import pytest
from scheduling import request, tight_fleet
from states import told, without_seals
from strategies import node

from heuristics.scheduler import OnlineScheduler, service
from heuristics.scheduler import journal as journal_module
from heuristics.scheduler.events import DieEvent, FinishEvent, JoinEvent, SubmitEvent
from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.service import open_service
from heuristics.scheduler.snapshot import BEFORE_TOLD, read_snapshot
from heuristics.scheduler.state_files import read_state
from optmodel.ground.rule_errors import InputError

FLEET = tight_fleet()
EVENTS = [
    SubmitEvent(event="submit", request=request("r1")),
    SubmitEvent(event="submit", request=request("r2", 0.9)),
    DieEvent(event="die", device="c"),
    SubmitEvent(event="submit", request=request("r3", 0.25)),
    JoinEvent(event="join", device=node("fast", 1e6, 1e6, memory_bytes=300.0)),
    FinishEvent(event="finish", request="r1"),
    SubmitEvent(event="submit", request=request("r4")),
]


FEW = [
    SubmitEvent(event="submit", request=request("r1")),
    SubmitEvent(event="submit", request=request("r2", 0.25)),
    FinishEvent(event="finish", request="r1"),
    SubmitEvent(event="submit", request=request("r3", 0.25)),
]
"""Few bytes, for each of them is changed."""


class Copy:
    """The files of a state at one moment, and how many events had been told then."""

    def __init__(self, state: Path, number: int) -> None:
        journal = journal_path(state)
        self.snapshot = state.read_bytes()
        self.journal = journal.read_bytes() if journal.exists() else None
        self.number = number


def put(state: Path, snapshot: bytes, journal: bytes | None) -> None:
    state.write_bytes(snapshot)
    journal_path(state).unlink(missing_ok=True)
    if journal is not None:
        journal_path(state).write_bytes(journal)


def opened(state: Path):
    return open_service(FLEET, "lookahead", 0, state, None, most_moves=0)


def believed(state: Path) -> int | None:
    """Return how many events a state is believed to hold; None if it is refused."""
    try:
        stored = read_state(state)
        _, last = OnlineScheduler.of_state(stored)
    except InputError as error:
        return refused(str(error), state)
    return last.answer.number if last else 0


def refused(message: str, state: Path) -> None:
    """Check that a message is fit to be shown, and names the file."""
    assert all(str(state) in line and line.isprintable() for line in message.splitlines())


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Copies after every event, while snapshots are written every third, and after the end."""
    state = tmp_path_factory.mktemp("copies") / "state.json"
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "SNAPSHOT_EVERY", 3)
        with opened(state) as one:
            made.append(Copy(state, 0))
            for number, event in enumerate(EVENTS, start=1):
                one.answer(event)
                made.append(Copy(state, number))
        made.append(Copy(state, len(EVENTS)))
    assert made[-1].journal is None
    return made


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Snapshot and journal of a run of four events that was killed."""
    state = tmp_path_factory.mktemp("killed") / "state.json"
    one = opened(state)
    for event in FEW:
        one.answer(event)
    one.files.close()
    return Copy(state, 4)


def other_bytes(content: bytes):
    """Yield the content with each of its bytes changed in turn."""
    draw = random.Random(0)
    for at, byte in enumerate(content):
        other = draw.choice([b for b in range(256) if b != byte])
        yield content[:at] + bytes([other]) + content[at + 1 :]


def test_no_byte_of_a_snapshot_can_be_changed(state, killed):
    put(state, killed.snapshot, killed.journal)
    assert believed(state) == 4
    for changed in other_bytes(killed.snapshot):
        state.write_bytes(changed)
        assert believed(state) is None


def test_no_byte_of_a_journal_can_be_changed(state, killed):
    state.write_bytes(killed.snapshot)
    for changed in other_bytes(killed.journal):
        journal_path(state).write_bytes(changed)
        assert believed(state) is None


def test_an_event_that_was_not_told_may_be_cut_off_but_not_changed(state, killed):
    """Killed while the last event was written: who sent it has no answer, and sends it again."""
    put(state, told(killed.snapshot, killed.journal, 3), killed.journal)
    assert believed(state) == 4
    kept = killed.journal[:-1].rindex(b"\n") + 1
    for cut in range(kept, len(killed.journal)):
        journal_path(state).write_bytes(killed.journal[:cut])
        assert believed(state) == 3
    for changed in other_bytes(killed.journal[kept:-1]):
        journal_path(state).write_bytes(killed.journal[:kept] + changed + b"\n")
        assert believed(state) is None


def test_a_journal_of_which_a_told_event_is_cut_off_is_refused(state, killed):
    state.write_bytes(killed.snapshot)
    for cut in range(len(killed.journal)):
        journal_path(state).write_bytes(killed.journal[:cut])
        assert believed(state) is None


def test_no_line_can_be_left_out_repeated_or_moved(state, killed):
    state.write_bytes(killed.snapshot)
    lines = killed.journal.splitlines(keepends=True)
    others = [lines[:n] + lines[n + 1 :] for n in range(len(lines))]
    others += [lines[:n] + lines[m : m + 1] + lines[n:] for n in range(6) for m in range(5)]
    others += [list(order) for order in itertools.permutations(lines)][1:]
    for other in others:
        journal_path(state).write_bytes(b"".join(other))
        assert believed(state) is None


def test_files_of_two_moments_are_refused_unless_the_journal_tells_the_rest(state, copies):
    """An older snapshot of the same journal is no loss: the journal holds all that came after."""
    for snapshot, journal in itertools.product(copies, copies):
        put(state, snapshot.snapshot, journal.journal)
        number = believed(state)
        if number is not None:
            held = snapshot.number if journal.journal is None else journal.number
            assert number == max(snapshot.number, held)
        if snapshot is journal:
            assert number == snapshot.number


def test_a_journal_that_was_removed_is_missed(state, copies):
    for copy in copies:
        put(state, copy.snapshot, None)
        written = read_snapshot(state)[0].last
        holds_all = copy.number == (written.answer.number if written else 0)
        assert believed(state) == (copy.number if holds_all else None)


def test_killed_between_snapshot_and_journal_nothing_is_lost(state, copies):
    """The snapshot after the third event, beside the journal that held them."""
    with opened(state) as one:
        for event in EVENTS[:3]:
            one.answer(event)
        journal = journal_path(state).read_bytes()
    assert not journal_path(state).exists()
    end = one.scheduler.snapshot()
    put(state, state.read_bytes(), journal)
    assert believed(state) == 3
    with opened(state) as again:
        assert again.scheduler.snapshot() == end
    put(state, copies[4].snapshot, journal)
    assert believed(state) is None


class Killed(BaseException):
    """In the place of SIGKILL: nothing of the process is done any more."""


class Killer:
    """Ends a process at one of its calls that change files, before or after it."""

    CALLS = (
        (os, "fsync"),
        (os, "pwrite"),
        (Path, "replace"),
        (Path, "unlink"),
        (journal_module, "_write"),
    )

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patience = 0
        self._after = False
        for owner, name in self.CALLS:
            patch.setattr(owner, name, self._ending(getattr(owner, name)))

    def in_(self, calls: int) -> None:
        """Kill before or after the call that comes after so many halves of calls."""
        self._patience, self._after = divmod(calls, 2)

    def spare(self) -> None:
        """Kill no more."""
        self._patience = -1

    def _ending(self, real):
        def call(*arguments, **named):
            self._patience -= 1
            if self._patience == -1 and not self._after:
                raise Killed
            done = real(*arguments, **named)
            if self._patience == -1:
                raise Killed
            return done

        return call


def test_killed_at_any_call_that_changes_files_nothing_told_is_lost(tmp_path, monkeypatch):
    """A snapshot is written every third event; who sent the events sends the rest again."""
    monkeypatch.setattr(service, "SNAPSHOT_EVERY", 3)
    killer, kills = Killer(monkeypatch), 0
    for calls in itertools.count():
        state = tmp_path / f"{calls}.json"
        killer.in_(calls)
        try:
            answer_all(state, answers := [])
            break
        except Killed:
            kills += 1
        killer.spare()
        number = believed(state) if state.exists() else 0
        assert number in (len(answers), len(answers) + 1)
        answer_all(state, answers)
        assert [answer.number for answer in answers] == [1, 2, 3, 4]
        assert believed(state) == 4
        assert names(tmp_path, state.name) == [state.name]
    assert kills == calls > 60


def answer_all(state: Path, answers: list) -> None:
    """Answer the events that have no answer yet, and end; killed, leave the files as they are."""
    one = opened(state)
    try:
        for event in FEW[len(answers) :]:
            answers.append(one.answer(event))
        one.files.end(one.scheduler.snapshot(one.last))
    finally:
        one.files.close()


def names(folder: Path, beginning: str) -> list[str]:
    """Return the names of files that belong to a state."""
    return sorted(f.name for f in folder.iterdir() if f.name.lstrip(".").startswith(beginning))


def test_a_state_without_digests_is_read_once_and_written_anew(state, killed):
    put(state, killed.snapshot, killed.journal)
    without_seals(state)
    old = journal_path(state).read_bytes()
    with opened(state) as one:
        assert state.read_bytes().startswith(BEFORE_TOLD)
        begun = Copy(state, 4)
        assert one.answer(EVENTS[2]).number == 5
    put(state, begun.snapshot, begun.journal)
    assert believed(state) == 4
    put(state, begun.snapshot, old)  # Killed before the journal was begun anew.
    assert believed(state) == 4
    put(state, begun.snapshot, old[: old.rindex(b"{")])
    assert believed(state) is None


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ([0, 1, 3], r"answer\.number: expected 3, without a gap, got 4"),
        ([1, 2, 3], r"answer\.number: expected 1, without a gap, got 2"),
        ([0, 1, 1, 2, 3], r"answer\.number: expected 3, without a gap, got 2"),
        ([0, 2, 1, 3], r"answer\.number: expected 2, without a gap, got 3"),
    ],
)
def test_a_gap_in_a_journal_without_digests_is_refused(state, killed, kept, message):
    put(state, killed.snapshot, killed.journal)
    without_seals(state)
    lines = journal_path(state).read_bytes().splitlines(keepends=True)
    journal_path(state).write_bytes(b"".join(lines[n] for n in kept))
    with pytest.raises(InputError, match=message):
        opened(state)


def test_a_snapshot_without_digests_goes_with_its_own_journal_only(state, copies):
    old = []
    for copy in copies[:-1]:
        put(state, copy.snapshot, copy.journal)
        without_seals(state)
        old.append(Copy(state, copy.number))
    for snapshot, journal in itertools.product(old, old):
        put(state, snapshot.snapshot, journal.journal)
        if journal.journal:
            same = snapshot.number // 3 == journal.number // 3
            assert believed(state) == (journal.number if same else None)
    put(state, old[3].snapshot, old[2].journal + old[5].journal)
    assert believed(state) is None


def test_a_changed_byte_in_a_journal_without_digests_is_no_traceback(state, killed):
    put(state, killed.snapshot, killed.journal)
    without_seals(state)
    draw, content = random.Random(0), journal_path(state).read_bytes()
    for changed in draw.sample([*other_bytes(content)], 300):
        journal_path(state).write_bytes(changed)
        believed(state)
