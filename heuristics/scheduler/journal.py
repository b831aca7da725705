"""The journal beside a snapshot: one line for each event since, on the disk before its answer."""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from heuristics.scheduler.events import EventExchange
from heuristics.scheduler.sealed_records import NOTHING, REPAIR, digest_of, sealed, unsealed
from heuristics.scheduler.snapshot import BEFORE_TOLD, JournalSeal
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.ground.whole_files import read_lines, write_bytes

logger = logging.getLogger(__name__)

HEAD = b'{"schema_version":2}'
"""First record of a journal."""


def journal_path(state: Path) -> Path:
    """Return where the journal of a snapshot stands: state.json, state.json.journal.

    Beside the file itself, not beside a link to it.
    """
    target = state.resolve()
    return target.with_name(f"{target.name}.journal")


def end_of(journal: Path) -> str:
    """Return the digest of the last whole line; `NOTHING` if there is no line or no file."""
    last = b""
    for line in _whole_lines(journal) if journal.exists() else ():
        last = line
    return digest_of(last) if last else NOTHING


def goes_on_from(journal: Path, seal: JournalSeal) -> bool:
    """Tell whether a journal goes on from a snapshot; if not, the snapshot knows all of it.

    A process that was killed between a snapshot and the journal to go on from it leaves the journal
    before, of which the snapshot knows the last line; one that ended leaves none.

    Raises
    ------
    InputError
        If the journal is missing though an event in it was answered, is that of another snapshot,
        or a record was changed, moved or left out.
    """
    # Nothing was told since: the journal, if there is one, may be that of before the snapshot.
    told = seal.told == seal.digest
    if told and (not journal.exists() or end_of(journal) == seal.follows):
        return False
    if not journal.exists():
        raise InputError(f"{journal}: expected the events answered last, got no file; {REPAIR}")
    # To the end, not to the one that was told: what comes after it is believed as well.
    for digest, _ in _records(journal, seal):
        told = told or digest == seal.told
    if not told:
        raise InputError(
            f"{journal}: expected all events that were answered, got a journal without the last; "
            f"{REPAIR}"
        )
    return True


def read_journal(
    journal: Path, seal: JournalSeal | None, last: EventExchange | None
) -> Iterator[EventExchange]:
    """Yield what was said since a snapshot, in order.

    Parameters
    ----------
    seal : JournalSeal or None
        Of the snapshot; None if both files were written before there were any.
    last : EventExchange or None
        What was said last before.

    Raises
    ------
    InputError
        If a line is not one of a journal, or events are missing.
    """
    contents = _whole_lines(journal) if seal is None else (c for _, c in _records(journal, seal))
    exchanges = (
        parse_model(content, EventExchange, f"{journal}: line {line}")
        for line, content in enumerate(contents, start=1)
        if content != HEAD
    )
    try:
        yield from _since(last, exchanges)
    except RuleError as rule:
        raise InputError(f"{journal}: {rule}", rule) from rule


def _since(
    last: EventExchange | None, exchanges: Iterable[EventExchange]
) -> Iterator[EventExchange]:
    """Yield exchanges that begin with the one after `last`; none if they all end with it."""
    known = last.answer.number if last else 0
    first, expected = None, known + 1
    for exchange in exchanges:
        number = exchange.answer.number
        # It may begin earlier, if it is the one that the snapshot took the place of, but not later.
        if first is None:
            first = expected = min(number, expected)
        # A snapshot begins a new journal: none goes on beyond the one that knows its start.
        if number != expected or (first <= known < number):
            raise _missing(expected, number)
        if number > known:
            yield exchange
        elif number == known and exchange != last:
            raise RuleError("answer", "the one in the snapshot", "another", REPAIR)
        expected = number + 1
    if expected <= known:
        raise _missing(expected, "no more")


def _missing(expected: int, got: object) -> RuleError:
    return RuleError("answer.number", f"{expected}, without a gap", str(got), REPAIR)


def _records(journal: Path, seal: JournalSeal) -> Iterator[tuple[str, bytes]]:
    """Yield digest and content of all records, the head first."""
    digest, number = seal.digest, 0
    for number, line in enumerate(_whole_lines(journal), start=1):
        try:
            digest, content = unsealed(line, digest)
        except RuleError as rule:
            raise InputError(f"{journal}: line {number}: {rule}", rule) from rule
        yield digest, content
    if number == 0:
        raise InputError(f"{journal}: expected a journal, got no whole line; {REPAIR}")


def _whole_lines(journal: Path) -> Iterator[bytes]:
    """Yield the lines of a journal without a last one that was cut off.

    It was being written when the process was killed: nobody has got that answer, so the event has
    not happened. It is left out, with a warning in the log.
    """
    for number, line in enumerate(read_lines(journal), start=1):
        if not line.endswith(b"\n"):
            logger.warning("%s: line %d is cut off; left out", journal, number)
            return
        yield line


class EventJournal:
    """Appends what is said, each time to the disk, and marks in the snapshot that it may be told.

    Of the marks, the first goes to the disk before its answer is told: from then on a journal that
    is missing is missed, also after a power cut. The others follow when the system writes them,
    within seconds; each would take as long as the line itself.

    Parameters
    ----------
    state : Path
        The snapshot, which holds all that was said before; the journal begins empty.
    digest : str
        Its digest.

    Raises
    ------
    InputError
        If the files cannot be written.
    """

    def __init__(self, state: Path, digest: str) -> None:
        self._path = journal_path(state)
        self._digest, head = sealed(HEAD, digest)
        write_bytes(self._path, head)
        self.end = digest_of(head)
        # Opened with each journal: a new snapshot takes the name of the old one, not its file.
        self._snapshot, self._stream = _open(state, "r+b"), _open(self._path, "ab")
        self._is_missed = False

    def append(self, exchange: EventExchange) -> None:
        """Write one line, on the disk when this returns; an InputError says that it is full."""
        digest, line = sealed(exchange.model_dump_json().encode(), self._digest)
        try:
            # The line first: a mark of one that is not there would look like an answer cut off.
            _write(self._stream, line)
            os.fsync(self._stream.fileno())
            # In place: all digests are equally long.
            os.pwrite(self._snapshot.fileno(), digest.encode(), len(BEFORE_TOLD))
            if not self._is_missed:
                os.fsync(self._snapshot.fileno())
                self._is_missed = True
        except OSError as error:
            raise _unusable(self._path, error) from error
        self._digest, self.end = digest, digest_of(line)

    def close(self) -> None:
        """Write no more."""
        self._stream.close()
        self._snapshot.close()


def _open(path: Path, mode: str) -> BinaryIO:
    try:
        return path.open(mode, buffering=0)  # type: ignore[return-value]
    except OSError as error:
        raise _unusable(path, error) from error


def _write(stream: BinaryIO, content: bytes) -> None:
    """Write all of it, or raise an OSError; nothing is kept back to be written later."""
    rest = memoryview(content)
    while rest:
        rest = rest[stream.write(rest) :]


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: expected a journal that can be read and written, got '{error.strerror}'; "
        "free the space or check the permissions"
    )
