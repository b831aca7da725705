"""Ctrl-C, SIGTERM and SIGHUP end every command the same way, whatever it is doing."""

import os
import signal
import subprocess
import sys

import pytest
from places import SMALL
from pydantic import BaseModel, PrivateAttr, field_serializer

from optmodel.ground.app import run_app
from optmodel.ground.command_line import EXIT_INTERRUPTED
from optmodel.ground.interrupt import ORDERS, noticing_interrupt, obeyed, postponed


def ended(monkeypatch, command) -> int:
    """Run a command in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(SystemExit) as end:
        run_app(command)
    return end.value.code


def said_of(order: signal.Signals) -> str:
    """Return what is to be read of a command that an order has ended."""
    by = {signal.SIGINT: "", signal.SIGTERM: " by SIGTERM", signal.SIGHUP: " by SIGHUP"}
    return f"Interrupted{by[order]}.\n"


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_an_order_ends_a_command_with_its_number_and_a_word(monkeypatch, capsys, order):
    before = [signal.getsignal(one) for one in ORDERS]

    def main() -> None:
        signal.raise_signal(order)

    assert ended(monkeypatch, main) == 128 + order
    assert capsys.readouterr().err == said_of(order)
    assert [signal.getsignal(one) for one in ORDERS] == before


class Told(BaseModel):
    """Is interrupted while it is written as JSON, which pydantic calls an error of its own."""

    number: int = 1
    _order: signal.Signals = PrivateAttr(signal.SIGINT)

    @field_serializer("number")
    def interrupted(self, number: int) -> int:
        signal.raise_signal(self._order)
        return number


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_an_order_that_a_library_wraps_in_its_own_error_is_one(monkeypatch, capsys, order):
    def main() -> None:
        told = Told()
        told._order = order
        told.model_dump_json()

    assert ended(monkeypatch, main) == 128 + order
    assert capsys.readouterr().err.startswith("Interrupted")


def test_an_error_without_an_order_is_not_hidden(monkeypatch):
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(ZeroDivisionError):
        run_app(main)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_a_command_that_ends_by_itself_with_what_it_has_tells_which_order_it_was(
    monkeypatch, order
):
    def main() -> None:
        with noticing_interrupt(lambda: True) as interrupted:
            signal.raise_signal(order)
        assert interrupted.is_set()
        sys.exit(EXIT_INTERRUPTED)

    assert ended(monkeypatch, main) == 128 + order


def test_a_second_order_is_obeyed_at_once(monkeypatch):
    def main() -> None:
        with noticing_interrupt(lambda: True):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the second order was lost")

    assert ended(monkeypatch, main) == 128 + signal.SIGTERM


def test_orders_are_postponed_while_something_must_not_be_left_half_done(monkeypatch):
    def main() -> None:
        with postponed() as orders:
            signal.raise_signal(signal.SIGHUP)
        assert orders == [signal.SIGHUP]
        assert obeyed() is signal.SIGHUP

    assert ended(monkeypatch, main) == 0


def test_what_the_starter_of_a_process_ignores_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def main() -> None:
        signal.raise_signal(signal.SIGHUP)

    try:
        assert ended(monkeypatch, main) == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_program_that_calls_the_library_keeps_its_own_sigterm():
    with noticing_interrupt(lambda: True):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


LOADS_FOR_EVER = """
import sys
print("loading", flush=True)
try:
    sys.stdin.read()
except BaseException:
    pass  # As some libraries take any error in an optional import for its absence.
print("went on")
"""


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, **pipes, text=True, env=os.environ | environment)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_an_order_during_imports_ends_a_command_without_a_traceback(tmp_path, order):
    (tmp_path / "slow.py").write_text(LOADS_FOR_EVER)
    command = ("-c", "from optmodel.ground.entry import start; start('slow')")
    process = started(*command, PYTHONPATH=str(tmp_path))
    assert process.stdout.readline() == "loading\n"
    process.send_signal(order)
    assert process.communicate(timeout=60) == ("", said_of(order))
    assert process.returncode == 128 + order


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGHUP], ids=lambda order: order.name)
def test_serving_is_ended_with_a_word(order):
    process = started("-m", "heuristics", "serve", str(SMALL / "lenet-0.8-4-mixed.json"))
    process.stdin.write("{}\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(order)
    assert process.communicate(timeout=60)[1] == f"Interrupted by {order.name}.\n"
    assert process.returncode == 128 + order
