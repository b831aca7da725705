"""What every command line of the toolkit shares: errors, exit codes, tables of placements."""

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer
from rich.console import Console

from optmodel.files import InputError, require_writable
from optmodel.solution import ResultError

EXIT_BAD_RESULT = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141

P = ParamSpec("P")

MAX_SECONDS = 1e9
"""Longest time limit; solvers take more for an error."""

MipGapOption = Annotated[
    float, typer.Option(min=0, max=1, help="Relative gap that counts as optimal.")
]
ThreadsOption = Annotated[int | None, typer.Option(min=1, max=256, help="Threads of the solver.")]
SeedOption = Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of the solver.")]

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def require_choice(option: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is not among the known ones.

    Raises
    ------
    InputError
        Naming the option, what it takes and what it got.
    """
    names = list(known)
    if value not in names:
        raise InputError(f"{option}: expected one of {', '.join(names)}, got '{value}'; correct it")


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
        raise InputError(f"{option}: expected a name ending in {suffix}, got '{path}'; rename it")
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


def run_app(command: Callable[..., None], *others: Callable[..., None]) -> None:
    """Run a typer command; bad input exits with 2 and a message, Ctrl-C 130, a closed pipe 141.

    Parameters
    ----------
    command : callable
        What runs; with others, unless the first argument names one of them.
    *others : callable
        Commands by their names.
    """
    default = f"Arguments without a command are those of {command.__name__}." if others else None
    app = typer.Typer(help=default, add_completion=False, pretty_exceptions_enable=False)
    for one in (command, *others):
        app.command(one.__name__)(_mapping_errors(one))
    names = {one.__name__ for one in (command, *others)}
    arguments = sys.argv[1:]
    if others and arguments[:1] != ["--help"] and names.isdisjoint(arguments[:1]):
        arguments = [command.__name__, *arguments]
    app(arguments)


def _mapping_errors(command: Callable[P, None]) -> Callable[P, None]:
    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        """Run the command and turn what it raises into a message and an exit code."""
        # Pyomo calls Ctrl-C in a rule an error; what its solvers report is told in the result.
        logging.getLogger("pyomo").setLevel(logging.CRITICAL)
        try:
            command(*args, **kwargs)
        except InputError as error:
            errors.print(f"Error: {error}", markup=False)
            sys.exit(EXIT_BAD_INPUT)
        except ResultError as error:
            errors.print(f"Error: {error}", markup=False)
            sys.exit(EXIT_BAD_RESULT)
        except KeyboardInterrupt as error:
            errors.print(f"Interrupted{f': {error}' if error.args else ''}.", markup=False)
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # Whoever read the output has gone. Python would complain at exit of what is unwritten.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_CLOSED_PIPE)

    return wrapped
