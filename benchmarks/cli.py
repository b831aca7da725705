"""What the benchmark commands share: output options, folders of instances, wide tables."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from optmodel.files import InputError, require_writable

OutOption = Annotated[
    Path | None, typer.Option(help="Write FILE.csv, and FILE.records.json beside it.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Repeat what is recorded.")]

OTHER_ENDINGS = (".solution.json", ".records.json")
"""JSON files that may stand beside instances."""


def instance_files(option: str, path: Path) -> list[Path]:
    """Return the instances in a folder, or the one file that is named.

    Raises
    ------
    InputError
        If there is none; the message names the option.
    """
    if path.is_file():
        return [path]
    files = sorted(file for file in path.glob("*.json") if not file.name.endswith(OTHER_ENDINGS))
    if not files:
        raise InputError(
            f"{option}: expected a folder with instance files, got '{path}' without any; "
            "name another folder or generate instances"
        )
    return files


def require_output(option: str, path: Path | None, suffix: str, *others: Path | None) -> None:
    """Refuse an output file with another suffix, not writable, or among the others; None is none.

    Raises
    ------
    InputError
        Naming the option or the file.
    """
    if path is None:
        return
    if path.suffix != suffix:
        raise InputError(f"{option}: expected a name ending in {suffix}, got '{path}'")
    require_writable(path, *others)


def new_table(texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    """Return an empty table with columns of text, then columns of numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in texts:
        table.add_column(title, no_wrap=True)
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def print_table(console: Console, table: Table) -> None:
    """Print a table in its natural width, whatever the width of the console."""
    natural = console.measure(table, options=console.options.update(width=1000)).maximum
    wide = Console(file=console.file, width=max(natural, console.width), highlight=False)
    wide.print(table)


def milliseconds(seconds: float | None) -> str:
    """Return a latency in milliseconds with six decimals, or a dash."""
    return "-" if seconds is None else f"{seconds * 1e3:.6f}"


def percent(gap: float | None) -> str:
    """Return a gap in percent with two decimals, or a dash."""
    return "-" if gap is None else f"{gap * 100:.2f}"
