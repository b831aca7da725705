"""One process at a time on a file: two would each overwrite what the other has kept.

The lock is on the folder, not on a file beside the one that it guards: a folder cannot be removed
while it holds something, while a lock file that is removed lets the next process make another one.
"""

import fcntl
import os
import secrets
import struct
import time
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from optmodel.ground.rule_errors import InputError

_LOCK_RECORD = "hhqqi4x"
"""`struct flock` of fcntl(2): type, whence, start, length, process."""
_OFFSETS = 2**63 - 1
"""Bytes that a folder can be locked at: each name has its own."""
ATTEMPTS = 8
"""Before a file counts as in use: another process may only have looked at that moment."""
MOST_PAUSE_US = 10_000
"""Between two of them, in microseconds; a look takes a thousandth of that."""


class FileLock:
    """Holds a file, or a folder as a whole, until released or until the process ends, however.

    The file need not exist. Its real place counts: the same file by another path or by a symbolic
    link is in use too. Nothing is left on the disk, and there is nothing to remove. Processes
    of other machines that share the folder over a network are not seen.

    Parameters
    ----------
    path : Path
        What is held; its folder must exist.
    repair : str
        What the user should do when another process holds it.

    Raises
    ------
    InputError
        If another lock holds it, of this process or another one, or its folder cannot be opened.
    """

    def __init__(
        self, path: Path, repair: str = "wait for the other command or name another file"
    ) -> None:
        try:
            target = path.resolve()
            folder, name = (target, "") if target.is_dir() else (target.parent, target.name)
            self._folder: int | None = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except (OSError, RuntimeError) as error:  # A loop of links is a RuntimeError.
            why = (isinstance(error, OSError) and error.strerror) or "a loop of symbolic links"
            raise InputError(
                f"{path}: expected a file in a folder that can be opened, got '{why}'; check the "
                "name and the permissions"
            ) from error
        if not self._taken(_offset(name)):
            self.release()
            raise InputError(
                f"{path}: expected one that no other process writes, got one in use; {repair}"
            )

    def _taken(self, offset: int) -> bool:
        """Lock a byte of the folder unless another lock has it.

        A folder takes shared locks of bytes only. So the byte is locked first and then it is
        looked whether another lock has it too: of two that come at once, the later one sees the
        other. If each sees the other both step back, and come again at moments drawn by chance.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(secrets.randbelow(MOST_PAUSE_US) * 1e-6)
            self._fcntl(fcntl.F_OFD_SETLK, fcntl.F_RDLCK, offset)
            if self._fcntl(fcntl.F_OFD_GETLK, fcntl.F_WRLCK, offset) == fcntl.F_UNLCK:
                return True
            self._fcntl(fcntl.F_OFD_SETLK, fcntl.F_UNLCK, offset)
        return False

    def _fcntl(self, command: int, kind: int, offset: int) -> int:
        """Set a lock of one byte, or ask what stands in its way; return the kind of the answer."""
        assert self._folder is not None
        record = struct.pack(_LOCK_RECORD, kind, os.SEEK_SET, offset, 1, 0)
        told = struct.unpack(_LOCK_RECORD, fcntl.fcntl(self._folder, command, record))
        return int(told[0])

    def release(self) -> None:
        """Let another process have the file; does nothing the second time."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _offset(name: str) -> int:
    return int.from_bytes(sha256(os.fsencode(name)).digest()[:8]) % _OFFSETS
