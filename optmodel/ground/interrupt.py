"""Orders to stop, Ctrl-C, SIGTERM and SIGHUP: a run ends the same way by each, and keeps its work.

Each raises `KeyboardInterrupt`, whoever sent it; `obeyed` then says which one came.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from optmodel.ground.entry import ORDERS

Handler = Callable[[int, FrameType | None], None] | signal.Handlers

_heeded: list[signal.Signals] = [signal.SIGINT]
"""What is taken for an order: Ctrl-C alone, unless a command says otherwise."""
_obeyed: list[signal.Signals] = []
"""What has come, first things first."""


def obeyed() -> signal.Signals | None:
    """Return the first order to stop that the running command was given, None if there is none."""
    return _obeyed[0] if _obeyed else None


@contextmanager
def obeying() -> Iterator[None]:
    """Let every order to stop raise `KeyboardInterrupt`, as Ctrl-C does, and note which it was."""
    heeded, _heeded[:] = _heeded[:], [o for o in ORDERS if signal.getsignal(o) != signal.SIG_IGN]
    _obeyed.clear()
    try:
        with handled_by(_obey):
            yield
    finally:
        _heeded[:] = heeded


def _obey(number: int, _frame: FrameType | None) -> None:
    _obeyed.append(signal.Signals(number))
    raise KeyboardInterrupt


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    """Let orders to stop call another handler for a while."""
    before = {order: signal.signal(order, handler) for order in _heeded}
    try:
        yield
    finally:
        for order, previous in before.items():
            signal.signal(order, previous)


@contextmanager
def postponed() -> Iterator[list[signal.Signals]]:
    """Note orders to stop, for whoever looks at the end of what must not be left half done."""
    came: list[signal.Signals] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(signal.Signals(number))
        _obeyed.append(came[-1])

    with handled_by(note):
        yield came


@contextmanager
def noticing_interrupt(stop: Callable[[], bool]) -> Iterator[threading.Event]:
    """Tell whether an order to stop came, and let the solver stop by itself with its incumbent.

    An exception raised by a signal handler would come out of the solver's callback and cost the
    incumbent; a solver that can be told to stop is told so instead. Others get the exception, and
    a second order always raises it.

    Parameters
    ----------
    stop : callable
        Tells the solver to stop; returns whether it will.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def notice(number: int, frame: FrameType | None) -> None:
        """Take the first order for a wish to stop, the second for what it is."""
        second = interrupted.is_set()
        interrupted.set()
        if second or not stop():
            _obey(number, frame)
        _obeyed.append(signal.Signals(number))

    with handled_by(notice):
        yield interrupted
