"""Ctrl-C during a solver run: stop it, and keep what it has found."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticing_interrupt(stop: Callable[[], bool]) -> Iterator[threading.Event]:
    """Tell whether Ctrl-C came, and let the solver stop by itself and keep its incumbent.

    An exception raised by a signal handler would come out of the solver's callback and cost the
    incumbent; a solver that can be told to stop is told so instead. Others get the exception, and
    a second Ctrl-C always raises it.

    Parameters
    ----------
    stop : callable
        Tells the solver to stop; returns whether it will.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def notice(_signal: int, _frame: FrameType | None) -> None:
        """Take the first Ctrl-C for a wish to stop, the second for an order."""
        second = interrupted.is_set()
        interrupted.set()
        if second or not stop():
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, notice)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
