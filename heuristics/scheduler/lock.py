"""One process at a time on a state: two would each overwrite what the other has promised."""

import fcntl
from pathlib import Path

from optmodel.files import InputError


class StateLock:
    """Holds `FILE.lock` beside a state until the process ends, however it ends.

    Parameters
    ----------
    state : Path
        The snapshot.

    Raises
    ------
    InputError
        If another process holds it, or the file cannot be written.
    """

    def __init__(self, state: Path) -> None:
        path = state.with_name(f"{state.name}.lock")
        try:
            self._stream = path.open("ab")
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._stream.close()
            raise InputError(
                f"{state}: expected a state that no other process serves, got one in use; stop the "
                "other process or name another --state file"
            ) from error
        except OSError as error:
            raise InputError(
                f"{path}: expected a file that can be written, got '{error.strerror}'; check the "
                "folder and the permissions"
            ) from error

    def release(self) -> None:
        """Let another process have the state."""
        self._stream.close()
