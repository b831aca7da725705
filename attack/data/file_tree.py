"""Files below a folder or within a zip archive, read the same way and in the same order."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from attack.data.size_limits import require_unpackable
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.ground.whole_files import MAX_FILE_BYTES, read_bytes

Parts = tuple[str, ...]
"""A path below the root, such as `("cat", "0001.jpg")`."""

MAX_DEPTH = 5
"""Of an image: a folder around it all, train or test, class, group, image."""
LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}
"""What file managers leave behind, beside names that begin with a dot."""
CORRUPT = (
    EOFError, IndexError, MemoryError, OSError, ValueError, lzma.LZMAError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What is raised for archives that cannot be unpacked."""


@dataclass(frozen=True)
class FileTree:
    """Files and folders below a root."""

    path: Path
    """The folder or archive."""
    root: Parts
    """Where in it the root is."""
    files: tuple[Parts, ...]
    """All below the root, sorted."""
    folders: tuple[Parts, ...]
    """All below the root, sorted."""
    fetch: Callable[[Parts], bytes]
    """Returns the content of a file, given its path below `path`."""

    def read(self, parts: Parts) -> bytes:
        """Return the content of a file."""
        return self.fetch(self.root + parts)

    def title(self, parts: Parts = ()) -> str:
        """Return the full path of a file or folder, for messages."""
        return one_line("/".join((str(self.path), *self.root, *parts)))

    def subfolders(self) -> list[str]:
        """Return the names of the folders right below the root."""
        return [parts[0] for parts in self.folders if len(parts) == 1]

    def below(self, folder: str) -> "FileTree":
        """Return the tree of one of these."""
        return replace(
            self,
            root=(*self.root, folder),
            files=_within(folder, self.files),
            folders=_within(folder, self.folders),
        )


def _within(folder: str, paths: tuple[Parts, ...]) -> tuple[Parts, ...]:
    return tuple(parts[1:] for parts in paths if parts[0] == folder and len(parts) > 1)


@contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """Open a folder or a zip archive for reading.

    Raises
    ------
    InputError
        If it cannot be read, unpacks to far more than it is large, or folders nest too deeply.
    """
    if path.is_dir():
        files, folders = _walk(path)
        yield _tree(path, files, folders, lambda parts: read_bytes(path.joinpath(*parts)))
        return
    try:
        archive = zipfile.ZipFile(path)
    except (*CORRUPT, NotImplementedError) as error:
        raise InputError(
            f"{path}: expected a zip archive, got '{one_line(str(error))}'; download or pack it "
            "again"
        ) from error
    with archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        require_unpackable(str(path), path.stat().st_size, unpacked)
        entries = {_parts(entry.filename): entry for entry in archive.infolist()}
        folders = {parts for parts, entry in entries.items() if entry.filename.endswith("/")}
        files = entries.keys() - folders
        if () in files:
            raise InputError(
                f"{path}: expected a name for each file, got one without; pack the archive again"
            )
        folders.discard(())
        yield _tree(path, files, folders, lambda parts: _unpack(archive, entries[parts]))


def _parts(name: str) -> Parts:
    """Return the path of an entry, which some tools begin with a dot or a slash."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def _walk(path: Path) -> tuple[set[Parts], set[Parts]]:
    files: set[Parts] = set()
    folders: set[Parts] = set()
    waiting: list[Parts] = [()]
    while waiting:
        parts = waiting.pop()
        try:
            found = list(path.joinpath(*parts).iterdir())
        except OSError as error:
            raise InputError(
                f"{path.joinpath(*parts)}: expected a readable folder, got '{error.strerror}'; "
                "check the permissions"
            ) from error
        for entry in found:
            below = (*parts, entry.name)
            is_folder = entry.is_dir()
            (folders if is_folder else files).add(below)
            if is_folder and len(below) <= MAX_DEPTH and not _is_litter(below):
                waiting.append(below)
    return files, folders


def _tree(
    path: Path, files: set[Parts], folders: set[Parts], fetch: Callable[[Parts], bytes]
) -> FileTree:
    """Return the sorted tree without litter; an archive need not list the folders of its files."""
    files = {parts for parts in files if not _is_litter(parts)}
    folders = {parts for parts in folders if not _is_litter(parts)}
    _require_shallow(path, {parts[:-1] for parts in files} | folders)
    folders |= {parts[:depth] for parts in files for depth in range(1, len(parts))}
    return FileTree(path, (), tuple(sorted(files)), tuple(sorted(folders)), fetch)


def _require_shallow(path: Path, folders: set[Parts]) -> None:
    deepest = max(folders, key=lambda parts: (len(parts), parts), default=())
    if len(deepest) >= MAX_DEPTH:
        title = one_line("/".join((str(path), *deepest[:MAX_DEPTH])))
        raise InputError(
            f"{title}: expected at most folders for train or test, class and group, got "
            f"{len(deepest)} levels; move the images up"
        )


def _is_litter(parts: Parts) -> bool:
    return any(name in LITTER or name.startswith(".") for name in parts)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of one file of an archive, of bounded size."""
    title = one_line(f"{archive.filename}/{entry.filename}")
    try:
        if entry.file_size > MAX_FILE_BYTES:
            raise InputError(
                f"{title}: expected at most {MAX_FILE_BYTES / 1e6:.0f} MB, got "
                f"{entry.file_size / 1e6:.0f} MB; make the image smaller"
            )
        with archive.open(entry) as stream:
            return stream.read(MAX_FILE_BYTES)
    except CORRUPT as error:
        raise InputError(
            f"{title}: expected a file that unpacks, got '{one_line(str(error))}'; pack the "
            "archive again"
        ) from error
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{title}: expected a file without password in a common compression, got "
            f"'{one_line(str(error))}'; pack the archive again"
        ) from error
