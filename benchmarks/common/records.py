"""Result records: one per instance, method and kind of run, as CSV and JSON, resumable."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import pandas as pd
from pydantic import Field

from benchmarks.common import provenance
from benchmarks.common.csv_text import csv_text
from benchmarks.common.reuse import tell_reused
from optmodel.ground.file_lock import FileLock
from optmodel.ground.json_files import StrictModel, read_model, write_model
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import refuse_standard_output, write_text
from optmodel.placement import Solution, SolutionStatus, Termination

Options = dict[str, str | int | float | bool | None]

SIDE_BY_SIDE = ("solver", "admission", "seed")
"""Options whose runs are kept beside each other; other options replace the run before."""


class Record(StrictModel):
    """What one method achieved on one instance; the columns of the CSV file."""

    instance: str
    """Name of the instance."""
    method: str
    """Formulation or policy; "+N s" says that a policy's placement was improved for N seconds."""
    solution_status: SolutionStatus
    """What it found."""
    objective_s: float | None
    """Latency of the served requests, in seconds."""
    bound_s: float | None
    """Proven lower bound on serving all requests (as many as can be served, with admission "most"),
    in seconds."""
    gap: float | None
    """(objective - bound) / bound; None unless as many are served and a bound is known."""
    served: int
    """Requests with a place."""
    rejected: int
    """Requests without."""
    most_served: int | None = None
    """Proven upper bound on the requests that can be served; None for a policy."""
    wall_time_s: float
    """Run time, in seconds."""
    termination: Termination
    """Why it stopped."""
    solver: str | None
    """The solver, None for a policy."""
    solver_version: str | None
    """As the solver states it."""
    options: Options
    """Limits and parameters of the run."""
    instance_sha256: str
    """Digest of the instance's content."""
    source_sha256: str = ""
    """Digest of the code that decided it; empty in records from before it was kept."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of Python and packages; empty in records that do not tell."""
    commit: str | None = Field(default_factory=provenance.commit)
    """Commit of the code."""
    host: str = Field(default_factory=provenance.host)
    """Processor and cores."""
    recorded_at: str = Field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds")
    )
    """Time of the run, UTC."""

    @property
    def is_current(self) -> bool:
        """Whether this code and these packages found it."""
        found = (self.source_sha256, self.versions)
        return found == (provenance.source(), provenance.versions())

    @property
    def requests(self) -> int:
        """Requests of the instance."""
        return self.served + self.rejected

    @property
    def key(self) -> tuple[str, ...]:
        """Instance, method, and the options of `SIDE_BY_SIDE`: a book holds one record of each."""
        return _key(self.instance, self.method, self.options)

    @classmethod
    def of(cls, solution: Solution, requests: int, **more: Any) -> Self:
        """Return the record of a solution to an instance with so many requests.

        Parameters
        ----------
        solution : Solution
            What the method said.
        requests : int
            Requests of the instance.
        **more
            Fields that a derived class adds.
        """
        served = len(solution.placement.requests) if solution.placement else 0
        return cls(
            instance=solution.instance,
            method=solution.method,
            solution_status=solution.solution_status,
            objective_s=solution.objective_s,
            bound_s=solution.bound_s,
            gap=solution.gap,
            served=served,
            rejected=requests - served,
            most_served=solution.most_served,
            wall_time_s=solution.wall_time_s,
            termination=solution.termination,
            solver=solution.solver,
            solver_version=solution.solver_version,
            options=solution.options,
            instance_sha256=solution.instance_sha256,
            source_sha256=provenance.source(),
            versions=provenance.versions(),
            **more,
        )


def _key(instance: str, method: str, options: Options) -> tuple[str, ...]:
    return instance, method, *(str(options.get(name, "")) for name in SIDE_BY_SIDE)


RecordT = TypeVar("RecordT", bound=Record)


class _RecordFile(StrictModel, Generic[RecordT]):
    records: tuple[RecordT, ...]


def json_path(path: Path) -> Path:
    """Return where the records of a CSV file stand as JSON: gap.csv, gap.records.json."""
    return path.with_suffix(".records.json")


def _earlier_records(path: Path, kind: type[RecordT]) -> tuple[RecordT, ...]:
    """Return the records of an earlier run.

    Raises
    ------
    InputError
        If the CSV file has no records beside it, or they cannot be read.
    """
    beside = json_path(path)
    if not beside.exists():
        if path.exists():
            raise InputError(
                f"{path}: expected a new file or that of an earlier run, got one without "
                f"{beside.name} beside it; move it or name another file"
            )
        return ()
    try:
        return read_model(beside, _RecordFile[kind]).records  # type: ignore[valid-type]
    except InputError as error:
        raise InputError(f"{error}; these are records of earlier runs: delete them") from error


class RecordBook(Generic[RecordT]):
    """The records of a benchmark, written after each addition when they have a file.

    Parameters
    ----------
    path : Path or None
        CSV file; FILE.records.json beside it holds the same. None keeps them in memory.
    kind : type of Record
        What the book holds.
    """

    def __init__(self, path: Path | None, kind: type[RecordT]) -> None:
        self._path = path
        earlier = () if path is None else _earlier_records(path, kind)
        self._records = {record.key: record for record in earlier}

    @property
    def records(self) -> list[RecordT]:
        """All records, sorted by their keys."""
        return [self._records[key] for key in sorted(self._records)]

    def find(self, instance: str, sha256: str, method: str, options: Options) -> RecordT | None:
        """Return the record of this content, method, options and software, if there is one."""
        record = self._records.get(_key(instance, method, options))
        if record is None or not record.is_current:
            return None
        same = (record.instance_sha256, record.options) == (sha256, options)
        return record if same else None

    def add(self, record: RecordT) -> None:
        """Keep a record, and write both files."""
        self._records[record.key] = record
        if self._path is not None:
            write_model(json_path(self._path), _RecordFile(records=tuple(self.records)))
            write_text(self._path, csv_text(as_frame(self.records)))


@contextmanager
def record_book(path: Path | None, kind: type[RecordT]) -> Iterator[RecordBook[RecordT]]:
    """Give the book of a CSV file, held against other processes; tell what of it is reused.

    Raises
    ------
    InputError
        If another process holds it, or earlier records cannot be read.
    """
    refuse_standard_output(path)
    with ExitStack() as held:
        for file in () if path is None else (path, json_path(path)):
            held.enter_context(FileLock(file))
        book = RecordBook(path, kind)
        if path is not None:
            tell_reused(path, [record.is_current for record in book.records])
        yield book


def as_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Return records as a table, one column per field."""
    return pd.DataFrame([record.model_dump(mode="json") for record in records])
