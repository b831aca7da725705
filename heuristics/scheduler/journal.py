"""The journal beside a snapshot: one line for each event since, on the disk before its answer."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from heuristics.scheduler.events import Exchange
from optmodel.files import InputError, parse_model

logger = logging.getLogger(__name__)


def journal_path(state: Path) -> Path:
    """Return where the journal of a snapshot stands: state.json, state.json.journal."""
    return state.with_name(f"{state.name}.journal")


def read_journal(state: Path) -> Iterator[Exchange]:
    """Yield what was said since some snapshot, in order; nothing if there is no journal.

    A last line without its end was being written when the process was killed: nobody has got that
    answer, so the event has not happened. It is left out, with a warning in the log.

    Raises
    ------
    InputError
        If the file cannot be read, or another line is not one of a journal.
    """
    path = journal_path(state)
    if not path.exists():
        return
    with _open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                logger.warning("%s: line %d is cut off; left out", path, number)
                return
            yield parse_model(line, Exchange, f"{path}: line {number}")


class Journal:
    """Appends what is said, each time to the disk.

    Parameters
    ----------
    state : Path
        The snapshot, which holds all that was said before; the journal begins empty.
    """

    def __init__(self, state: Path) -> None:
        self._path = journal_path(state)
        self._stream = _open(self._path, "wb")

    def append(self, exchange: Exchange) -> None:
        """Write one line, on the disk when this returns.

        Raises
        ------
        InputError
            If the disk is full.
        """
        line = exchange.model_dump_json().encode() + b"\n"
        try:
            self._stream.write(line)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise _unusable(self._path, error) from error

    def close(self) -> None:
        """Write no more."""
        self._stream.close()

    def remove(self) -> None:
        """Remove the journal: a snapshot holds everything."""
        self.close()
        self._path.unlink()


def _open(path: Path, mode: str) -> BinaryIO:
    try:
        return path.open(mode)  # type: ignore[return-value]
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: expected a journal that can be read and written, got '{error.strerror}'; "
        "free the space or check the permissions"
    )
