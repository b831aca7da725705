"""Worker processes and Ctrl-C: it ends their parent, which ends them."""

import os
import signal
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from distributed import Client, Security

from optmodel.ground import workers
from optmodel.ground.app import run_app
from optmodel.ground.interrupt import ORDERS


def refused(address: str, security: Security | None = None) -> None:
    with pytest.raises(OSError, match=r"certificate|reset|Timed out"):
        Client(address, timeout=2, security=security)


def pages(client: Client) -> set[int]:
    """Return the ports on which the scheduler and its workers answer HTTP."""
    info = client.scheduler_info()
    told = [info["services"], *(worker["services"] for worker in info["workers"].values())]
    return {port for services in told for port in services.values()}


def test_nobody_else_on_the_machine_can_run_code_in_the_workers():
    with workers.connected(None, 1) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        refused(address, Security.temporary())
        refused(address.replace("tls://", "tcp://"))
        assert pages(client)
        for port in pages(client):
            for page in ("/info/main/workers.html", "/api/v1/get_workers", "/health"):
                with pytest.raises(HTTPError, match="404"):
                    urlopen(f"http://127.0.0.1:{port}{page}", timeout=10)


def handler_of_interrupts() -> signal.Handlers:
    return signal.getsignal(signal.SIGINT)


def test_workers_ignore_ctrl_c_and_keep_freed_memory():
    before = signal.getsignal(signal.SIGINT)
    with workers.connected(None, 1) as client:
        assert client.submit(handler_of_interrupts).result() == signal.SIG_IGN
        told = client.submit(os.getenv, "MALLOC_TRIM_THRESHOLD_").result()
        assert told == workers.WORKER_ENVIRONMENT["MALLOC_TRIM_THRESHOLD_"]
        assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_an_order_to_stop_ends_the_workers_too(monkeypatch, order):
    pids = []

    def main() -> None:
        with workers.connected(None, 2) as client:
            pids.extend(client.run(os.getpid).values())
            signal.raise_signal(order)

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(SystemExit) as end:
        run_app(main)
    assert end.value.code == 128 + order
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


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
