"""Worker processes and Ctrl-C: it ends their parent, which ends them."""

import os
import signal

import pytest

from optmodel import workers


def handler_of_interrupts() -> signal.Handlers:
    return signal.getsignal(signal.SIGINT)


def test_workers_ignore_ctrl_c_and_keep_freed_memory():
    before = signal.getsignal(signal.SIGINT)
    with workers.connected(None, 1) as client:
        assert client.submit(handler_of_interrupts).result() == signal.SIG_IGN
        told = client.submit(os.getenv, "MALLOC_TRIM_THRESHOLD_").result()
        assert told == workers.WORKER_ENVIRONMENT["MALLOC_TRIM_THRESHOLD_"]
        assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_while_workers_start_is_obeyed_once_they_have_started(monkeypatch):
    made = []

    def interrupted(*args, **options):
        signal.raise_signal(signal.SIGINT)
        made.append(cluster(*args, **options))
        return made[-1]

    cluster = workers.LocalCluster
    monkeypatch.setattr(workers, "LocalCluster", interrupted)
    with pytest.raises(KeyboardInterrupt), workers.connected(None, 1):
        pytest.fail("the interrupt was lost")
    assert made[0].status.name == "closed"
