"""Records of runs: one per instance, method and kind of run, as CSV and JSON."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import pandas as pd

from benchmarks.common.csv_text import csv_text
from benchmarks.common.origins import SOLVING
from optmodel.ground.file_lock import FileLock
from optmodel.ground.finished_runs import FinishedRun, RunStore, tell_reused
from optmodel.ground.provenance import Origin, host
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import refuse_standard_output, write_text
from optmodel.placement import Solution, SolutionStatus, Termination
from optmodel.problem import Instance, digest

Options = dict[str, str | int | float | bool | None]

SIDE_BY_SIDE = ("solver", "admission", "seed")
"""Options whose runs are kept beside each other; other options replace the run before."""


class Record(FinishedRun):
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

    @property
    def origin(self) -> Origin:
        """What decides it."""
        return SOLVING

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
        """Return the record of a solution to an instance with so many requests, and more fields."""
        same = Record.model_fields.keys() & Solution.model_fields.keys()
        served = len(solution.placement.requests) if solution.placement else 0
        return cls(
            **{name: getattr(solution, name) for name in same},
            served=served,
            rejected=requests - served,
            **SOLVING.stamp(),
            **more,
        )


def _key(instance: str, method: str, options: Options) -> tuple[str, ...]:
    return instance, method, *(str(options.get(name, "")) for name in SIDE_BY_SIDE)


RecordT = TypeVar("RecordT", bound=Record)


def json_path(path: Path) -> Path:
    """Return where the records of a CSV file stand as JSON: gap.csv, gap.records.json."""
    return path.with_suffix(".records.json")


class RecordBook(RunStore[RecordT]):
    """The records of a benchmark.

    Parameters
    ----------
    path : Path or None
        CSV file; FILE.records.json beside it holds the same. None keeps them in memory.
    kind : type of Record
        What the book holds.
    force : bool
        Whether every run is made again.
    timed : bool
        Whether times are what is measured, so that runs of another machine do not serve.

    Raises
    ------
    InputError
        If the CSV file has no records beside it, or they cannot be read.
    """

    def __init__(
        self, path: Path | None, kind: type[RecordT], *, force: bool = False, timed: bool = False
    ) -> None:
        beside = None if path is None else json_path(path)
        if path is not None and beside is not None and path.exists() and not beside.exists():
            raise InputError(
                f"{path}: expected a new file or that of an earlier run, got one without "
                f"{beside.name} beside it; move it or name another file"
            )
        super().__init__(beside, kind)
        self._csv, self._force = path, force
        self._asked = {"host": host()} if timed else {}

    @property
    def records(self) -> list[RecordT]:
        """All records, sorted by their keys."""
        return sorted(super().records, key=lambda record: record.key)

    def find(self, instance: Instance, method: str, options: Options) -> RecordT | None:
        """Return the record of this content, method, options and software, if there is one."""
        record = self.get(_key(instance.name, method, options))
        if record is None or self._force:
            return None
        asked = {"instance_sha256": digest(instance), "options": options, **self._asked}
        return record if record.serves(**asked) else None

    def recorded(
        self, instance: Instance, method: str, options: Options, make: Callable[[], RecordT]
    ) -> RecordT:
        """Return the record of a run, made and kept unless the book has it.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C cut the run short, which is then not kept.
        """
        record = self.find(instance, method, options)
        if record is None:
            record = make()
            if record.termination is Termination.INTERRUPTED:
                raise KeyboardInterrupt
            self.add(record)
        return record

    def add(self, run: RecordT) -> None:
        """Keep a record, and write both files."""
        super().add(run)
        if self._csv is not None:
            write_text(self._csv, csv_text(as_frame(self.records)))


@contextmanager
def record_book(
    path: Path | None, kind: type[RecordT], *, force: bool = False, timed: bool = False
) -> Iterator[RecordBook[RecordT]]:
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
        book = RecordBook(path, kind, force=force, timed=timed)
        if path is not None:
            tell_reused(path, book.records)
        yield book


def as_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Return records as a table, one column per field, where they come from last."""
    frame = pd.DataFrame([record.model_dump(mode="json") for record in records])
    last = [*FinishedRun.model_fields]
    return frame[[*frame.columns.difference(last, sort=False), *last]]
