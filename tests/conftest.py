"""What is run: `--solvers` chooses those of the behaviour suite, `-m "not slow"` the quick files.

By default the quick solvers, highs and cpsat; `make test`, and with it continuous integration, runs
`--solvers all`. Tests of a solver that is not chosen are deselected and counted as such. `make
quick` leaves out the files of `slow_files.txt`, which take more than five seconds each.
"""

import os
import signal
from pathlib import Path

import pytest

# Before numpy and torch load, here and in the processes that tests start: with a thread per core in
# each of several workers, threads wait for one another for most of the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

QUICK_SOLVERS = "highs,cpsat"
ALL_SOLVERS = "highs,cpsat,scip,cbc"
HERE = Path(__file__).parent
SLOW_FILES = (HERE / "slow_files.txt").read_text(encoding="utf-8").split()
"""Relative to this folder, the dearest first: at the end one would keep one core busy alone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--solvers",
        default=QUICK_SOLVERS,
        help=f"comma-separated solvers to test, of {ALL_SOLVERS}, or all; default {QUICK_SOLVERS}",
    )


def pytest_configure() -> None:
    """Let orders to stop be heard, by the commands that tests start too.

    Background jobs ignore Ctrl-C, and what `nohup` starts ignores the end of its terminal.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for order in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _turn(item) < len(SLOW_FILES):
            item.add_marker("slow")
    items.sort(key=_turn)
    chosen = _chosen(config.getoption("--solvers"))
    deselected = [item for item in items if _solver_of(item) not in {None, *chosen}]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if _solver_of(item) in {None, *chosen}]


def _turn(item: pytest.Item) -> int:
    """Return the place of a test's file among the slow ones, their number if it is not slow."""
    name = item.path.relative_to(HERE).as_posix()
    return SLOW_FILES.index(name) if name in SLOW_FILES else len(SLOW_FILES)


def _chosen(option: str) -> set[str]:
    known = set(ALL_SOLVERS.split(","))
    names = known if option == "all" else set(option.split(","))
    if not names <= known:
        raise pytest.UsageError(f"--solvers: expected some of {ALL_SOLVERS} or all, got {option}")
    return names


def _solver_of(item: pytest.Item) -> str | None:
    """Return the solver that a test is about, None if it is about none in particular."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return None
    engine = callspec.params.get("engine")
    return engine.solver if engine is not None else callspec.params.get("solver")
