"""Run commands: what is raised becomes a message and an exit code, however a command ends."""

import errno
import functools
import logging
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from optmodel.ground.command_line import (
    EXIT_BAD_INPUT,
    EXIT_BAD_RESULT,
    EXIT_CLOSED_PIPE,
    EXIT_INTERRUPTED,
    console,
    errors,
    output,
)
from optmodel.ground.entry import EXIT_BY_SIGNAL, interrupted, lacking
from optmodel.ground.interrupt import obeyed, obeying
from optmodel.ground.rule_errors import InputError, OptionError, ResultError
from optmodel.ground.whole_files import STANDARD

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OUTPUTS = ("out", "lp", "report", "plot", "scaling_plot", "log")
"""Parameters of commands that name a file to write."""
SAME = (
    ("--network", "--networks"),
    ("--fleet", "--fleets"),
    ("--tolerated-ssim", "--tolerances"),
    ("--policy", "--policies"),
    ("--method", "--methods"),
    ("--solver", "--solvers"),
    ("--panel", "--panels"),
    ("--set", "--sets"),
)
"""Names of one option; it is called by the first where it takes one value, or is repeated."""
EPILOG = "--version shows the version."

P = ParamSpec("P")
Command = Callable[..., None]


def run_app(command: Command, *others: Command, program: str | None = None) -> None:
    """Run a typer command on `sys.argv`, and end the process.

    Bad input and an output without room exit with 2 and a message, a bad result with 1, a closed
    pipe with 141, Ctrl-C with 130, SIGTERM with 143 and SIGHUP with 129.

    Parameters
    ----------
    command : callable
        What runs; with others, unless the first argument names one of them.
    *others : callable
        Commands by their names.
    program : str, optional
        What usage messages call it; by default as Python was called.
    """
    arguments = sys.argv[1:]
    names = {one.__name__ for one in (command, *others)}
    if others and names.isdisjoint(arguments[:1]) and arguments[:1] not in (["--help"], ["-h"]):
        arguments = [command.__name__, *arguments]
    output.failure = None
    app = _with_other_names(_app(command, *others))
    with obeying():
        code = _ended(lambda: _parsed(app, arguments, program), command.__module__)
        sys.exit(code or _output_code())


def show(text: str) -> NoReturn:
    """Print a text, and end the process as any command ends."""
    output.failure = None
    with obeying():
        code = _ended(lambda: console.print(text, markup=False), __name__)
        sys.exit(code or _output_code())


def _parsed(app: Command, arguments: list[str], program: str | None) -> None:
    """Run an app; its commands tell their own errors, and what it writes itself is the help."""
    try:
        app(arguments, prog_name=program, standalone_mode=False)
    except OSError as error:
        output.fail(error)


def _app(command: Command, *others: Command) -> typer.Typer:
    default = f"Arguments without a command are those of {command.__name__}." if others else None
    app = typer.Typer(
        help=default,
        epilog=EPILOG,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for one in (command, *others):
        app.command(one.__name__, epilog=EPILOG)(_ending(one))
    return app


def _with_other_names(app: typer.Typer) -> Command:
    """Return what runs an app; its options are known by all names that other commands give them."""
    made = typer.main.get_command(app)
    for one in getattr(made, "commands", {"": made}).values():
        taken = {name for option in one.params for name in option.opts}
        for option in one.params:
            names = next((known for known in SAME if set(known) & set(option.opts)), ())
            option.opts += [name for name in names if name not in taken]
    return made


def _ending(command: Callable[P, None]) -> Callable[P, None]:
    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        """Run the command and exit; typer would end some of what it raises its own way."""
        # Pyomo calls Ctrl-C in a rule an error; what its solvers report is told in the result.
        logging.getLogger("pyomo").setLevel(logging.CRITICAL)
        sys.exit(_ended(lambda: _with_outputs(command, *args, **kwargs), command.__module__))

    return wrapped


def _with_outputs(command: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run a command; what it says goes to standard error if one of its outputs takes the other."""
    taking = [name for name in OUTPUTS if kwargs.get(name) == STANDARD]
    if len(taking) > 1:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in taking)
        raise InputError(f"{options}: expected one on standard output, got both; name a file")
    output.to_errors = bool(taking)
    try:
        command(*args, **kwargs)
    finally:
        output.to_errors = False


def _ended(call: Callable[[], object], room: str) -> int:
    """Run a command, say what is wrong if something is, and return its exit code."""
    try:
        call()
    except SystemExit as end:
        return _code(end)
    except KeyboardInterrupt as error:
        return _interrupted(*error.args)
    except OptionError as error:
        return _refused(f"--{error.field.replace('_', '-')}: {error.message}")
    except InputError as error:
        return _refused(str(error))
    except typer.TyperException as error:
        return _refused(f"{error.format_message().rstrip('. ')}; -h shows what there is")
    except ResultError as error:
        return _refused(str(error), EXIT_BAD_RESULT)
    except BrokenPipeError as error:
        output.fail(error)
    except Exception as error:
        code = _known(error, room)
        if code is None:
            raise
        return code
    return 0


def _known(error: Exception, room: str) -> int | None:
    """Return the exit code of an error that is no fault of the program, which is told; else None.

    Libraries wrap what is raised inside them, Ctrl-C too, in errors of theirs.
    """
    if obeyed():
        return _interrupted()
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        output.flush()  # Fails again if it is standard output that failed.
        if output.failure is not None and output.failure.errno == error.errno:
            return 0
        return _refused(_no_room(error, "" if error.filename is None else f"{error.filename}: "))
    message = lacking(room, error) if isinstance(error, ModuleNotFoundError) else None
    return None if message is None else _refused(message)


def _code(end: SystemExit) -> int:
    """Return an exit code; that of Ctrl-C becomes that of the order that came in truth."""
    if isinstance(end.__context__, BrokenPipeError):  # Typer calls it a failure.
        output.fail(end.__context__)
        return 0
    code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return _signal_code() if code == EXIT_INTERRUPTED else code


def _signal_code() -> int:
    return EXIT_BY_SIGNAL + (obeyed() or signal.SIGINT)


def _interrupted(*kept: object) -> int:
    said = interrupted(obeyed() or signal.SIGINT)
    errors.print(f"{said}{f': {kept[0]}' if kept else ''}.", markup=False)
    return _signal_code()


def _refused(message: str, code: int = EXIT_BAD_INPUT) -> int:
    for line in message.splitlines():
        errors.print(f"Error: {line}", markup=False)
    return code


def _no_room(error: OSError, where: str) -> str:
    return f"{where}expected room to write, got '{error.strerror}'; free some or write elsewhere"


def _output_code() -> int:
    """Return 0, or what it means that standard output took no more."""
    failure = output.failure
    if failure is None:
        return 0
    if isinstance(failure, BrokenPipeError):
        return EXIT_CLOSED_PIPE
    return _refused(_no_room(failure, "standard output: "))
