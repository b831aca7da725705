"""Processes that work at the same time, on this machine or on a cluster: a client of dask.

The only module here that needs dask, which the extras `attack` and `evaluation` bring along.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver

import dask
from distributed import Client, LocalCluster
from distributed.comm import connect
from distributed.security import Security

from optmodel.ground.interrupt import postponed
from optmodel.ground.rule_errors import OptionError

ANY_PORT = "127.0.0.1:0"
"""Of dask's own pages, so that a second run on a machine needs no other."""
NO_PAGES: list[str] = []
"""On those ports: they would ask nobody who reads them."""
CONNECT_S = 10
OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)
"""Signals that a terminal sends to all processes of a command."""
SILENT = 50
"""The level of logging that shows nothing: what goes wrong is raised."""
WORKER_ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "200000000",
    "OMP_NUM_THREADS": "1",
    "THP_MEM_ALLOC_ENABLE": "1",
}
"""Keep freed memory (glibc), in large pages (torch): else page faults take 40 % of a training."""
LOCAL = {
    "distributed.scheduler.http.routes": NO_PAGES,
    "distributed.worker.http.routes": NO_PAGES,
    "distributed.worker.multiprocessing-method": "forkserver",
    "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
}
"""How dask starts a scheduler and workers on this machine."""


@contextmanager
def connected(scheduler: str | None, count: int | None) -> Iterator[Client]:
    """Give a client of a named dask scheduler, or of worker processes on this machine.

    Parameters
    ----------
    scheduler : str or None
        Address of a running scheduler, such as tcp://host:8786.
    count : int or None
        Worker processes on this machine, of one thread each; by default one per core.

    Raises
    ------
    InputError
        If no scheduler answers at the address.
    """
    with _client_of(scheduler) if scheduler is not None else _local_client(count) as client:
        yield client


def require_scheduler(address: str | None) -> None:
    """Refuse the address of a dask scheduler, if one is named, before anything is written.

    Raises
    ------
    InputError
        If no scheduler answers there.
    """
    if address is not None:
        _client_of(address).close()


def _client_of(address: str) -> Client:
    try:
        # Before there is a client: one whose start fails closes itself when it is collected, and if
        # that is in the middle of another one's start, both wait for one lock without end.
        asyncio.run(_hail(address))
        return Client(address, timeout=CONNECT_S)
    # TypeError: tls:// without certificates.
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(
            "scheduler",
            f"expected the address of a dask scheduler, such as tcp://host:8786, got '{address}', "
            "where none answers; start one with `dask scheduler`, correct it, or name the "
            "certificates for tls:// in dask's configuration",
        ) from error


async def _hail(address: str) -> None:
    """Connect to a scheduler and hang up, raising what hinders it."""
    security = Security().get_connection_args("client")
    comm = await connect(address, timeout=CONNECT_S, **security)
    await comm.close()


@contextmanager
def _local_client(count: int | None) -> Iterator[Client]:
    _start_server()
    with postponed() as orders, dask.config.set(LOCAL):
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address=ANY_PORT,
            silence_logs=SILENT,
            security=True,  # Keys of this run only: others on this machine cannot run code in it.
        )
    with cluster, Client(cluster) as client:
        if orders:
            raise KeyboardInterrupt
        yield client


def _start_server() -> None:
    """Start the process that all workers are forked from, in their environment.

    It ignores Ctrl-C and the end of the terminal, and so do they: it reaches their parent, which
    ends them. What is ignored when a process starts stays so.
    """
    os.environ.update(WORKER_ENVIRONMENT)  # As dask does before it starts a worker.
    before = {order: signal.signal(order, signal.SIG_IGN) for order in OF_THE_TERMINAL}
    try:
        forkserver.ensure_running()
    finally:
        for order, handler in before.items():
            signal.signal(order, handler)
