"""Where every command begins: orders to stop are heard before its modules are loaded.

Loading takes a second or more, and needs nothing undone: an order to stop ends it at once. This
module itself loads nothing that takes long. A module that is run by `python -m` starts with

    if __name__ == "__main__":
        from optmodel.ground.entry import start

        start("its.name")

and a package with a `__main__` whose `__init__` loads much does so inside `loading`.
"""

import codecs
import os
import signal
import sys
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

TYPE_CHECKING = False  # As type checkers see it; `typing` takes longer than all else here.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

ORDERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that tell a run to stop."""

EXIT_BY_SIGNAL = 128
"""What shells add to the number of the signal that ended a process."""
EXIT_MISSING = 2

ESCAPE = "distprivacy.escape"
"""What output does that cannot encode a character; JSON remains JSON."""

EXTRAS = {
    "attack": ("PIL", "dask", "distributed", "safetensors", "scipy", "skimage", "torch"),
    "benchmarks": ("dask", "distributed", "scipy", "simpy"),
}
"""What the commands of a room need that not every installation has."""
EXTRA_OF = {"attack": "attack", "benchmarks": "evaluation"}
"""The extra that brings it along."""


def start(module: str, program: str | None = None) -> "NoReturn":
    """Load a module, run its command on `sys.argv`, and end the process.

    Parameters
    ----------
    module : str
        Its commands are its `COMMANDS`, or its `main` if it has no others.
    program : str, optional
        What usage messages call it; by default as Python was called.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors=ESCAPE)
    if "--version" in sys.argv[1:]:
        from importlib.metadata import version

        show(f"distprivacy {version('distprivacy')}")
    with loading(module, commanded=True):
        loaded = import_module(module)
        from optmodel.ground.app import run_app

    run_app(*getattr(loaded, "COMMANDS", None) or (loaded.main,), program=program)
    sys.exit()


def show(text: str) -> "NoReturn":
    """Print a text instead of running a command, and end the process as commands end."""
    with loading("optmodel.ground.app", commanded=True):
        from optmodel.ground import app

    app.show(text)


@contextmanager
def loading(module: str, commanded: bool | None = None) -> "Iterator[None]":
    """Hear orders to stop while a command's modules are loaded, and say which extra it lacks.

    Parameters
    ----------
    module : str
        What is loaded.
    commanded : bool, optional
        Whether that is for a command; by default, whether Python was called to run this package.
    """
    if not (_is_located(module) if commanded is None else commanded):
        yield
        return
    install(_leave)
    try:
        yield
    except ModuleNotFoundError as error:
        message = lacking(module, error)
        if message is None:
            raise
        print(f"Error: {message}", file=sys.stderr)
        sys.exit(EXIT_MISSING)


def install(handler: "Callable[[int, FrameType | None], None]") -> None:
    """Let orders to stop call a handler, but for those that whoever started the process ignores."""
    for order in ORDERS:
        if signal.getsignal(order) is not signal.SIG_IGN:
            signal.signal(order, handler)


def _is_located(package: str) -> bool:
    """Return whether `python -m` is about to run a package, and loads its `__init__` for that."""
    return sys.argv[:1] == ["-m"] and sys.orig_argv[sys.orig_argv.index("-m") + 1] == package


def lacking(module: str, error: ModuleNotFoundError) -> str | None:
    """Return what to install for a module, None if what is missing belongs to no extra."""
    room = module.partition(".")[0]
    missing = (error.name or "").partition(".")[0]
    if missing not in EXTRAS.get(room, ()):
        return None
    extra = EXTRA_OF[room]
    return (
        f"{module.removesuffix('.__main__')}: expected the extra '{extra}', got an installation "
        f"without {missing}; pip install 'distprivacy[{extra}]'"
    )


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the characters that cannot be encoded as JSON would escape them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[i : i + 2].hex() for i in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


codecs.register_error(ESCAPE, _escaped)


def interrupted(order: int) -> str:
    """Return how a command that an order has ended says so."""
    by = "" if order == signal.SIGINT else f" by {signal.Signals(order).name}"
    return f"Interrupted{by}"


def _leave(number: int, _frame: FrameType | None) -> None:
    """End the process at once: nothing has begun that would have to be undone."""
    try:
        os.write(2, f"{interrupted(number)}.\n".encode())
    finally:  # Whether anybody can be told or not.
        os._exit(EXIT_BY_SIGNAL + number)
