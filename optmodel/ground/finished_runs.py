"""The store of finished runs, so that a command that was stopped goes on where it was."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import Field

from optmodel.ground.command_line import errors
from optmodel.ground.json_files import ModelT, StrictModel, read_model, write_model
from optmodel.ground.provenance import Origin
from optmodel.ground.rule_errors import InputError


class KeyedRun(StrictModel, ABC):
    """What a store keeps."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """What tells it from others of the store."""


class FinishedRun(KeyedRun):
    """What a run found, and what made it. Files from before these were kept do not tell them."""

    source_sha256: str = ""
    """Digest of the code that decided it."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of Python and packages."""
    commit: str | None = None
    """Commit of the code."""
    host: str = ""
    """Processor and cores."""
    recorded_at: str = ""
    """Time of the run, UTC."""

    @property
    @abstractmethod
    def origin(self) -> Origin:
        """What decides such a run now."""

    @property
    def is_current(self) -> bool:
        """Whether this code and these packages made it."""
        now = (self.origin.source_sha256, self.origin.versions)
        return (self.source_sha256, self.versions) == now

    def serves(self, **asked: object) -> bool:
        """Tell whether the run serves again: it is current, and its fields are those asked for.

        Asked for are content and options; the host too, where times are what is measured.
        """
        return all(getattr(self, name) == one for name, one in asked.items()) and self.is_current


RunT = TypeVar("RunT", bound=KeyedRun)


class _RunFile(StrictModel, Generic[RunT]):
    records: tuple[RunT, ...]


class RunStore(Generic[RunT]):
    """Runs by their keys, in one JSON file that is written whole after each addition.

    Parameters
    ----------
    path : Path or None
        The file, read if it exists. None keeps runs in memory.
    kind : type
        Class of the runs.

    Raises
    ------
    InputError
        If the file cannot be read.
    """

    def __init__(self, path: Path | None, kind: type[RunT]) -> None:
        self.path, self.kind = path, kind
        self._runs: dict[Hashable, RunT] = {run.key: run for run in self._read()}

    @property
    def records(self) -> list[RunT]:
        """All runs that were read or added."""
        return [*self._runs.values()]

    def get(self, key: Hashable) -> RunT | None:
        """Return a run, whether it serves again or not."""
        return self._runs.get(key)

    def add(self, run: RunT) -> None:
        """Keep a run in place of an earlier one with its key, and write it."""
        self._runs[run.key] = run
        if self.path is not None:
            self._write(self.path, run)

    def _read(self) -> Iterable[RunT]:
        if self.path is None or not self.path.exists():
            return ()
        return read_finished(self.path, _RunFile[self.kind]).records  # type: ignore[name-defined]

    def _write(self, path: Path, _added: RunT) -> None:
        write_model(path, _RunFile[self.kind](records=tuple(self.records)))  # type: ignore[name-defined]


class RunFolder(RunStore[RunT]):
    """Runs in a folder, a file for each, named for its key; each is read when it is asked for."""

    def file(self, key: Hashable) -> Path:
        """Return where a run stands."""
        assert self.path is not None
        return self.path / f"{key}.json"

    def get(self, key: Hashable) -> RunT | None:
        """Return a run, whether it serves again or not."""
        if key not in self._runs and self.file(key).exists():
            run = read_finished(self.file(key), self.kind)
            if run.key == key:  # A file that was renamed is that of no run.
                self._runs[key] = run
        return super().get(key)

    def _read(self) -> Iterable[RunT]:
        return ()

    def _write(self, path: Path, added: RunT) -> None:
        path.mkdir(parents=True, exist_ok=True)
        write_model(self.file(added.key), added)


def read_finished(path: Path, model: type[ModelT]) -> ModelT:
    """Read a file that a store wrote.

    Raises
    ------
    InputError
        Saying how to go on without the file, if it cannot be read.
    """
    try:
        return read_model(path, model)
    except InputError as error:
        told = f"{error}; the file keeps finished runs: delete it to begin anew"
        raise InputError(told, *error.rules) from error


def tell_reused(path: Path, runs: Collection[FinishedRun], kind: str = "records") -> None:
    """Print one line on earlier runs, if there are any.

    Parameters
    ----------
    path : Path
        Where they are kept.
    runs : collection of FinishedRun
        All of them.
    kind : str
        What they are called.
    """
    if runs:
        current = sum(run.is_current for run in runs)
        errors.print(
            f"{path}: {current} of {len(runs)} {kind} are of this code and these packages "
            "and serve again; what is asked for beyond them is made anew",
            markup=False,
        )
