"""What the benchmark commands share: options, folders of instances, faults, tables."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from optmodel.ground.command_line import (
    EXIT_BAD_INPUT,
    EXIT_BAD_RESULT,
    MAX_SECONDS,
    errors,
    parted,
    require_choice,
)
from optmodel.ground.rule_errors import InputError, ResultError
from optmodel.ground.terminal import print_wide
from optmodel.ground.whole_files import MAX_FILE_BYTES, refuse_standard_output, require_writable
from optmodel.solving import METHODS

T = TypeVar("T")

InstancesOption = Annotated[Path, typer.Option(help="Folder with instances, or one file.")]
MethodOption = Annotated[str, typer.Option(help=f"How to solve: {', '.join(METHODS)}.")]
SolverOption = Annotated[str, typer.Option(help="MILP solver.")]
TimeLimitOption = Annotated[
    float, typer.Option(min=0.001, max=MAX_SECONDS, help="Seconds for each search.")
]
TIME_LIMIT_S = 60.0
"""Default of all benchmarks; commands on one instance have no limit unless one is asked for."""
OutOption = Annotated[
    Path | None, typer.Option(help="Write FILE.csv, and FILE.records.json beside it.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Repeat what is recorded.")]

OTHER_ENDINGS = (".solution.json", ".records.json")
"""JSON files that stand beside instances."""
RESULT_FIELDS = {"instance", "instance_sha256", "records"}
"""Solutions, explanations and records have one of these, instances none."""


def instance_files(option: str, path: Path) -> list[Path]:
    """Return the instances in a folder, or the one file that is named.

    Raises
    ------
    InputError
        If there is none; the message names the option.
    """
    if path.is_file():
        return [path]
    others = [file for file in path.glob("*.json") if not file.name.endswith(OTHER_ENDINGS)]
    files = [file for file in sorted(others) if not _is_result(file)]
    if not files:
        raise InputError(
            f"{option}: expected a folder with instance files, got '{path}' without any; "
            "name another folder or generate instances"
        )
    return files


def _is_result(file: Path) -> bool:
    """Return whether a file holds results and no instance, and say so."""
    if file.stat().st_size > MAX_FILE_BYTES:
        return False  # Whoever reads it refuses it.
    try:
        written = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(written, dict) or not RESULT_FIELDS & written.keys():
        return False
    errors.print(f"{file}: left out, it holds results and no instance", markup=False)
    return True


def require_folder(option: str, path: Path, *files: str) -> None:
    """Make a folder for output, and refuse it unless these files can be written there.

    Raises
    ------
    InputError
        If that is not possible; the message names the option or the file.
    """
    refuse_standard_output(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{option}: expected a folder to write to, got '{path}' ('{error.strerror}'); name "
            "another one"
        ) from error
    for name in files:
        require_writable(path / name)


def listed(texts: str | Iterable[str]) -> tuple[str, ...]:
    """Return what commas part in one value or several, each once."""
    return tuple(dict.fromkeys(parted(texts)))


def chosen(field: str, texts: str | Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return names with commas between, all of them known.

    Raises
    ------
    InputError
        Naming the field, what it takes and the first name that is not known.
    """
    names, takes = listed(texts), tuple(known)
    for name in names:
        require_choice(field, name, takes)
    return names


def progress(items: Sequence[T], doing: str) -> Iterable[T]:
    """Return the items, with a progress bar if a person is watching."""
    return track(items, doing, console=errors, disable=not errors.is_terminal)


class Faults:
    """Files that cannot be used, and results that are wrong, while the other instances go on."""

    def __init__(self) -> None:
        self.unusable: list[str] = []
        self.wrong: list[str] = []

    @contextmanager
    def noted(self, file: Path) -> Iterator[None]:
        """Note that a file is unusable, once, or its result wrong, instead of raising it."""
        try:
            yield
        except InputError as error:
            if str(error) not in self.unusable:
                self.unusable.append(str(error))
        except ResultError as error:
            self.wrong.append(f"{file}: {error}")

    def print(self) -> None:
        """Print all faults as errors."""
        for line in [*self.unusable, *self.wrong]:
            errors.print(f"Error: {line}", markup=False)

    def exit_if_any(self) -> None:
        """Exit with 1 if a result is wrong, else with 2 if a file is unusable."""
        if self.wrong or self.unusable:
            sys.exit(EXIT_BAD_RESULT if self.wrong else EXIT_BAD_INPUT)


def print_table(
    console: Console,
    texts: Sequence[str],
    numbers: Sequence[str],
    rows: Iterable[Iterable[str]],
    *,
    narrow: bool = False,
) -> None:
    """Print a table of any width: columns of text, then columns of numbers; no cell is markup.

    A narrow one has one space between its columns.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if narrow:
        table.padding, table.show_edge = 0, False
    for title in texts:
        table.add_column(title, no_wrap=True)
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    for cells in rows:
        table.add_row(*map(Text, cells))
    print_wide(console, table)


GOAL_TITLES = ("at least", "reached", "aim", "reached")


def goal_cells(
    goals: Iterable[T], reached: Callable[[T], bool], shown: Callable[[T], str] = str
) -> list[str]:
    """Return two cells for each goal, as `GOAL_TITLES` has them."""
    return [cell for goal in goals for cell in (shown(goal), "yes" if reached(goal) else "no")]


def percent(gap: float | None) -> str:
    """Return a gap in percent with two decimals, or a dash."""
    return "-" if gap is None else f"{gap * 100:.2f}"
