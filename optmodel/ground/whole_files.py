"""Read files within limits, and write them whole or not at all."""

import errno
import io
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from optmodel.ground.rule_errors import InputError

MAX_FILE_BYTES = 64_000_000
STANDARD = Path("-")
"""Standard input where something is read, standard output where something is written."""
RANDOM_BYTES = 4
"""In the names of temporary files."""


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a file, or of standard input, of at most so many bytes.

    Raises
    ------
    InputError
        If the file is missing, unreadable, not a regular file, or too large.
    """
    if path == STANDARD:
        return _read_standard_input(most)
    try:
        size = path.stat().st_size
        if not path.is_file():
            got = "a folder" if path.is_dir() else "a device or pipe"
            raise InputError(f"{path}: expected a file, got {got}; name a JSON file")
        if size > most:
            raise _too_large(path, most, f"{size / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_standard_input(most: int) -> bytes:
    content = b"" if sys.stdin is None else sys.stdin.buffer.read(most + 1)
    if not content:
        raise InputError(
            f"{STANDARD}: expected a file on standard input, read once, got nothing; name the file"
        )
    if len(content) > most:
        raise _too_large(STANDARD, most, "more")
    return content


def _too_large(path: Path, most: int, got: str) -> InputError:
    return InputError(
        f"{path}: expected at most {most / 1e6:.0f} MB, got {got}; split it or name the right file"
    )


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file that may be too large to be read at once.

    Raises
    ------
    InputError
        If the file is missing or unreadable.
    """
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: expected a readable file, got '{error.strerror}'; check the name and the "
        "permissions"
    )


def refuse_standard_output(path: Path | None) -> None:
    """Refuse standard output where a file is written more than once, or beside others.

    Raises
    ------
    InputError
        If that is what is named.
    """
    if path == STANDARD:
        raise InputError(
            f"{path}: expected the name of a file or folder, got standard output, which cannot be "
            "taken up again; name one"
        )


def require_writable(path: Path, *others: Path | None) -> None:
    """Refuse an output path, unless it is standard output, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where something will be written.
    *others : Path or None
        Inputs and other outputs, which it must not replace.

    Raises
    ------
    InputError
        If the folder is missing or takes no new file, the path is no regular file, or it is one
        of the others.
    """
    if path == STANDARD:
        return
    obstacle = _obstacle(path, [other for other in others if other is not None])
    if obstacle:
        raise InputError(
            f"{path}: expected a file name in a writable folder, got {obstacle}; name another file"
        )


def _obstacle(path: Path, others: Iterable[Path]) -> str | None:
    """Return why a path cannot be written, None if it can."""
    try:
        target = path.resolve()
        if target in {other.resolve() for other in others}:
            return "the name of another file of this command"
        if target.is_dir():
            return "a folder"
        if target.exists() and not target.is_file():
            return "a device or pipe"
        if not target.parent.is_dir():
            return f"a folder that does not exist ({target.parent})"
        with _temporary_beside(target) as temporary:
            temporary.touch(exist_ok=False)
    except OSError as error:
        return f"'{error.strerror}'"
    return None


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or nothing, in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: a temporary file beside it, then a rename.

    Standard output is written as it is.

    Raises
    ------
    InputError
        If the folder takes no new file, the disk is full, or the path is a folder.
    """
    if path == STANDARD:
        _write_standard_output(content)
        return
    with _replacing(path, f"{len(content):,} bytes") as stream:
        stream.write(content)


def _write_standard_output(content: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"standard output: expected a place for {len(content):,} bytes, got "
            f"'{error.strerror}'; name a file or free the space"
        ) from error


@contextmanager
def written_at_the_end(path: Path) -> Iterator[TextIO]:
    """Give a stream whose text becomes the file when all is written; if that fails, none of it.

    Standard output is written at the end.

    Raises
    ------
    InputError
        If the folder takes no new file, the disk is full, or the path is a folder.
    """
    if path == STANDARD:
        held = io.StringIO()
        yield held
        _write_standard_output(held.getvalue().encode())
        return
    with _replacing(path, "the file") as stream:
        text = io.TextIOWrapper(stream, "utf-8")
        try:
            yield text
        finally:
            text.detach()  # Writes what it holds, and leaves the stream open to be synced.


@contextmanager
def _replacing(path: Path, what: str) -> Iterator[BinaryIO]:
    """Give a stream whose content takes the place of a file when all is written."""
    target = path.resolve()
    try:
        with _temporary_beside(target) as temporary:
            with temporary.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError(
            f"{path}: expected a place for {what}, got '{error.strerror}'; name another file or "
            "free the space"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where its file system can: else a name can be lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove what writers of a file that were killed have left beside it.

    Only for a file that nobody else writes at the time.
    """
    target = path.resolve()
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{{2 * RANDOM_BYTES}}}")
    for file in target.parent.iterdir():
        if ours.fullmatch(file.name):
            file.unlink()


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """Give the name of a new file beside the target, and remove what is left there at the end.

    The name is known before the file is made, so that Ctrl-C at any moment leaves none behind.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(RANDOM_BYTES)}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
