"""What all commands share: where they print, exit codes, and options with what they cannot be."""

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from optmodel.ground.entry import EXIT_BY_SIGNAL
from optmodel.ground.rule_errors import InputError, OptionError
from optmodel.ground.terminal import Console, Output
from optmodel.ground.whole_files import STANDARD, require_writable

EXIT_BAD_RESULT = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = EXIT_BY_SIGNAL + signal.SIGINT
EXIT_CLOSED_PIPE = EXIT_BY_SIGNAL + signal.SIGPIPE

MAX_SECONDS = 1e9
"""Longest time limit; solvers take more for an error."""

TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=MAX_SECONDS,
        help="Seconds for the search, which then ends with what it has, as by Ctrl-C; default: "
        "no limit.",
    ),
]
MipGapOption = Annotated[
    float, typer.Option(min=0, max=1, help="Relative gap that counts as optimal.")
]
ThreadsOption = Annotated[int | None, typer.Option(min=1, max=256, help="Threads of the solver.")]
SeedOption = Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of the solver.")]

output = Output()
console = Console(output)
errors = Console(Output(to_errors=True))


def parted(texts: str | Iterable[str]) -> list[str]:
    """Return what commas part in a value, or in the values of an option that was given again."""
    told = [texts] if isinstance(texts, str) else texts
    return [part.strip() for text in told for part in text.split(",")]


def parted_numbers(
    option: str, texts: str | Iterable[str], least: float, most: float
) -> list[float]:
    """Return the numbers that commas part, all of them in a range.

    Raises
    ------
    InputError
        Naming the option, what it takes and what it got.
    """
    numbers = []
    for part in parted(texts):
        try:
            numbers.append(float(part))
        except ValueError as error:
            raise InputError(
                f"{option}: expected numbers from {least:g} to {most:g} with commas between, got "
                f"'{part}'; correct it"
            ) from error
        require_number(option, numbers[-1], least, most)
    return numbers


def require_choice(field: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is not among the known ones.

    Raises
    ------
    OptionError
        Naming the field, what it takes and what it got.
    """
    names = list(known)
    if value not in names:
        raise OptionError(field, f"expected one of {', '.join(names)}, got '{value}'; correct it")


def require_output(
    option: str, path: Path | None, suffixes: str | Sequence[str], *others: Path | None
) -> None:
    """Refuse an output file with another suffix than these, not writable, or among the others.

    None is none, and standard output has no suffix.

    Raises
    ------
    InputError
        Naming the option or the file.
    """
    if path is None:
        return
    known = [suffixes] if isinstance(suffixes, str) else suffixes
    if path != STANDARD and path.suffix not in known:
        raise InputError(
            f"{option}: expected a name ending in {' or '.join(known)}, got '{path}'; rename it"
        )
    require_writable(path, *others)


def require_number(option: str, value: float, least: float, most: float) -> None:
    """Refuse a number that is not in a range.

    Raises
    ------
    InputError
        Naming the option, what it takes and what it got.
    """
    if not least <= value <= most:
        raise InputError(
            f"{option}: expected a number from {least:g} to {most:g}, got {value}; correct it"
        )
