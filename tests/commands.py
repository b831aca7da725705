"""Run the project's commands as a user does, and read what they write."""

import csv
import importlib
import os
import runpy
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from optmodel.ground.entry import ORDERS

STREAMS = ("stdin", "stdout", "stderr")


def run(
    module: str, *arguments: object, importing: Path | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Do in this process what `python -m MODULE ARGUMENTS` does, and return what it printed.

    A process of its own would load the same libraries again, for seconds; `run_process` starts one
    where that is what is tested. Modules in the folder `importing` can be imported too; `given` is
    what comes from standard input.
    """
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in STREAMS]
        files[0].write_text(given, encoding="utf-8")
        with _streams(files):
            code = ended(module, *arguments, importing=importing)
        printed = [file.read_text(encoding="utf-8") for file in files[1:]]
    return subprocess.CompletedProcess([module, *arguments], code, *printed)


def output_of(module: str, *arguments: object, importing: Path | None = None) -> str:
    """Return what a command prints that must end well."""
    done = run(module, *arguments, importing=importing)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal_of(module: str, *arguments: object, importing: Path | None = None) -> str:
    """Return what a command says that must refuse its input with exit code 2."""
    done = run(module, *arguments, importing=importing)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def ended(module: str, *arguments: object, importing: Path | None = None) -> int:
    """Do in this process what `python -m MODULE ARGUMENTS` does, and return its exit code."""
    command = [module, *map(str, arguments)]
    with _surroundings(importing), patch.object(sys, "argv", command), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return end.code or 0
        except Exception:
            traceback.print_exc()
            return 1
    return 0


@contextmanager
def _streams(files: list[Path]) -> Iterator[None]:
    """Let files be the standard streams, for libraries in C too."""
    with ExitStack() as stack:
        for number, file in enumerate(files):
            mode = "w" if number else "r"
            before = os.dup(number)
            stack.callback(os.close, before)
            stack.callback(os.dup2, before, number)
            with file.open(mode) as opened:
                os.dup2(opened.fileno(), number)
            # Not closed: a handler of log records that is made meanwhile keeps it.
            stream = os.fdopen(number, mode, encoding="utf-8", closefd=False)
            if number:
                stack.callback(stream.flush)
            stack.enter_context(patch.object(sys, file.name, stream))
        yield


@contextmanager
def _surroundings(importing: Path | None) -> Iterator[None]:
    """Put back the folder, the environment, the import path and the handlers of orders to stop.

    Modules from folders that are searched meanwhile alone are forgotten: others may be called so.
    """
    searched = [os.getcwd(), *([str(importing)] if importing else [])]
    with ExitStack() as stack:
        stack.enter_context(chdir("."))
        stack.enter_context(patch.dict(os.environ))
        for order in ORDERS:
            stack.callback(signal.signal, order, signal.getsignal(order))
        stack.enter_context(patch.object(sys, "path", searched + sys.path))
        importlib.invalidate_caches()
        stack.callback(_forget, set(sys.modules), searched)
        yield


def _forget(kept: set[str], folders: list[str]) -> None:
    """Forget other modules than these that lie in some folders."""
    for name in set(sys.modules) - kept:
        if os.path.dirname(getattr(sys.modules[name], "__file__", None) or "") in folders:
            del sys.modules[name]


def run_process(
    module: str, *arguments: object, importing: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` in a process of its own, and return what it printed.

    Modules in the folder `importing` are found before all others.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    own = {"PYTHONPATH": str(importing)} if importing else {}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=os.environ | own
    )


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of a benchmark's CSV file by instance and method."""
    with path.open(newline="") as stream:
        return {(row["instance"], row["method"]): row for row in csv.DictReader(stream)}
