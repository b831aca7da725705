"""The files of a state: a snapshot, its journal, and nobody else who writes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from heuristics.scheduler.events import EventExchange
from heuristics.scheduler.fleet_books import FleetBooks
from heuristics.scheduler.journal import (
    EventJournal,
    end_of,
    goes_on_from,
    journal_path,
    read_journal,
)
from heuristics.scheduler.snapshot import StateSnapshot, read_snapshot, write_snapshot
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError, RuleError, one_line
from optmodel.ground.whole_files import remove_leftovers


@dataclass(frozen=True)
class SchedulerState:
    """What a snapshot says, verified, with the books of then, and what a journal says was since.

    Of the journal no record was changed or is missing.
    """

    path: Path
    snapshot: StateSnapshot
    books: FleetBooks
    since: Iterable[EventExchange]


def read_state(path: Path) -> SchedulerState:
    """Read a snapshot and its journal, and verify both.

    Raises
    ------
    InputError
        If a file cannot be read, was changed, is missing or is of another moment than the other,
        or the snapshot contradicts itself.
    """
    snapshot, seal = read_snapshot(path)
    journal = journal_path(path)
    beside_link = path.with_name(f"{path.name}.journal")
    if path.is_symlink() and beside_link != journal and beside_link.exists():
        raise InputError(
            f"{beside_link}: expected the journal beside the snapshot, got it beside a link; "
            f"move it to {journal}"
        )
    # Before there were seals a journal that is missing could not be missed.
    known = not journal.exists() if seal is None else not goes_on_from(journal, seal)
    try:
        books = snapshot.books()
    except RuleError as rule:
        raise InputError(f"{path}: {one_line(str(rule))}", rule) from rule
    since = () if known else read_journal(journal, seal, snapshot.last)
    return SchedulerState(path, snapshot, books, since)


def save_snapshot(path: Path, snapshot: StateSnapshot) -> None:
    """Write a snapshot, which takes the place of a state that nobody serves.

    Raises
    ------
    InputError
        If a process serves it, or the file cannot be written.
    """
    with FileLock(path, "stop the other process or name another file"):
        write_snapshot(path, snapshot, end_of(journal_path(path)))
        journal_path(path).unlink(missing_ok=True)


class StateFiles:
    """Snapshot and journal of a state that is served, held against other processes.

    Raises
    ------
    InputError
        If another process holds it, or its folder cannot be opened. Each method raises one if the
        files cannot be believed or written; what is on the disk then stays.
    """

    def __init__(self, path: Path) -> None:
        # Before anything is removed: what another process is writing is no leftover.
        self._lock = FileLock(path, "stop the other process or name another --state file")
        self._path, self._journal = path, journal_path(path)
        self._written: EventJournal | None = None
        remove_leftovers(path)
        remove_leftovers(self._journal)

    def read(self) -> SchedulerState | None:
        """Return what the files say, None if there are none."""
        if self._path.exists():
            return read_state(self._path)
        if self._journal.exists():
            raise InputError(
                f"{self._path}: expected the snapshot that {self._journal.name} goes on from, got "
                "none; restore it, or remove the journal to begin anew"
            )
        return None

    def begin(self, snapshot: StateSnapshot) -> None:
        """Write a snapshot, and begin a journal that goes on from it."""
        # Killed between the two, the journal of before is one of which the snapshot knows all.
        digest = self._write(snapshot)
        self._close_journal()
        self._written = EventJournal(self._path, digest)

    def append(self, exchange: EventExchange) -> None:
        """Write down what is about to be told."""
        assert self._written is not None
        self._written.append(exchange)

    def end(self, snapshot: StateSnapshot) -> None:
        """Write a snapshot, which takes the place of the journal."""
        # In this order: killed between the two, nothing is lost.
        self._write(snapshot)
        self._journal.unlink(missing_ok=True)

    def close(self) -> None:
        """Write no more, and let other processes have the state."""
        self._close_journal()
        self._lock.release()

    def _write(self, snapshot: StateSnapshot) -> str:
        end = self._written.end if self._written else end_of(self._journal)
        return write_snapshot(self._path, snapshot, end)

    def _close_journal(self) -> None:
        if self._written is not None:
            self._written.close()
