"""Ctrl-C during a solver run: stop it, and keep what it has found."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import highspy


@contextmanager
def noticing_interrupt(solver: Any) -> Iterator[threading.Event]:
    """Tell whether Ctrl-C came, and let HiGHS stop by itself and keep its incumbent.

    Pyomo runs HiGHS in the main thread, where an exception raised by a signal handler would come
    out of HiGHS's callback and cost the incumbent; HiGHS is told to stop instead. Other solvers
    get the exception. A second Ctrl-C always raises it.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def notice(_signal: int, _frame: FrameType | None) -> None:
        highs = getattr(solver, "_solver_model", None)
        if interrupted.is_set() or not isinstance(highs, highspy.Highs):
            interrupted.set()
            raise KeyboardInterrupt
        interrupted.set()
        highs.cancelSolve()  # type: ignore[no-untyped-call]

    previous = signal.signal(signal.SIGINT, notice)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
