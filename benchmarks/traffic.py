"""How the scheduler bears a day's traffic: `python -m benchmarks.traffic`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.traffic")

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from benchmarks.common.command import ForceOption, OutOption, print_table, progress
from benchmarks.common.origins import SOLVING
from benchmarks.common.records import Options, Record, record_book
from benchmarks.runtime.runtime_worker import peak_memory_bytes
from heuristics.scheduler import OnlineScheduler
from instances.generate import Recipe, generate
from optmodel.ground.command_line import console, require_output
from optmodel.placement import SolutionStatus, Termination
from optmodel.problem import FleetDocument, Instance, Node, Request, digest

NETWORKS = ("lenet",) * 10 + ("cifar_cnn",) * 9 + ("vgg16",)
"""What of twenty requests each is for; the order is drawn."""
TOLERANCES = (0.8, 0.6)
CAMERAS, RUNNING, CHANGE_EVERY = 100, 1000, 5000
"""From that many running requests on, one that is drawn finishes before the next comes; after so
many requests each time, a device dies, and the one that died before joins again."""
AT_LEAST_S, AIM_S = 1800, 300
"""For 100,000 requests on 1,000 devices."""
SEED = 0


@dataclass(frozen=True)
class Traffic:
    """Requests that come and finish on a fleet of mixed devices."""

    requests: int
    devices: int

    @property
    def name(self) -> str:
        """What records call it."""
        return f"traffic-{self.requests}-{self.devices}-mixed"

    def fleet(self) -> Instance:
        """Return the devices and cameras."""
        networks = tuple(dict.fromkeys(NETWORKS))
        recipe = Recipe(networks, "mixed", self.devices, TOLERANCES, cameras=CAMERAS)
        return generate(recipe, self.name)

    def arrivals(self) -> Iterator[Request]:
        """Yield the requests; equal numbers give equal requests."""
        draw = random.Random(SEED)
        for number in range(1, self.requests + 1):
            yield Request(
                id=f"r{number}",
                source=f"camera-{draw.randint(1, CAMERAS)}",
                network=draw.choice(NETWORKS),
                tolerated_ssim=draw.choice(TOLERANCES),
            )


class TrafficRecord(Record):
    """How a scheduler bore it; served are those that had a place when they came."""

    slowest_s: float
    """The slowest event, in seconds."""
    peak_at_tenth_bytes: int
    """Most memory of the process until a tenth of the requests had come."""
    peak_bytes: int
    """Most memory of the process."""


class _Run:
    """A scheduler under traffic: seconds of all events and of the slowest, and who was placed."""

    def __init__(self, fleet: FleetDocument) -> None:
        self.scheduler = OnlineScheduler(fleet)
        self.events_s = self.slowest_s = self.latency_s = self.bound_s = 0.0
        self.served = 0
        self._draw = random.Random(SEED + 1)
        self._here: list[str] = []
        self._absent: Node | None = None

    def come(self, number: int, request: Request) -> None:
        """Let a request come, and what is due before."""
        start = time.perf_counter()
        if number % CHANGE_EVERY == 0:
            self._change_devices()
        if len(self._here) >= RUNNING:
            at = self._draw.randrange(len(self._here))
            self._here[at], self._here[-1] = self._here[-1], self._here[at]
            self.scheduler.finish(self._here.pop())
        decision = self.scheduler.submit(request)
        taken = time.perf_counter() - start
        self.events_s, self.slowest_s = self.events_s + taken, max(self.slowest_s, taken)
        self._here.append(request.id)
        if decision.placement is not None:
            self.served += 1
            self.latency_s += decision.latency_s or 0.0
            self.bound_s += decision.bound_s or 0.0

    def _change_devices(self) -> None:
        dying = self._draw.choice(self.scheduler.devices)
        self.scheduler.die(dying.id)
        if self._absent is not None:
            self.scheduler.join(self._absent)
        self._absent = dying


def measure(traffic: Traffic) -> TrafficRecord:
    """Send the requests one by one, and check exactly what runs at the end.

    The time is that of the events, each with its decision written in names.

    Raises
    ------
    RuleError
        If what runs at the end breaks a limit.
    """
    instance = traffic.fleet()
    run = _Run(instance)
    at_tenth = 0
    numbers = progress(range(1, traffic.requests + 1), "Serving")
    for number, request in zip(numbers, traffic.arrivals(), strict=True):
        run.come(number, request)
        if number == traffic.requests // 10:
            at_tenth = peak_memory_bytes()
    peak = max(at_tenth, peak_memory_bytes())  # The kernel counts pages late, by a few.
    run.scheduler.snapshot().books()
    return TrafficRecord(
        instance=traffic.name,
        method="lookahead",
        solution_status=SolutionStatus.FEASIBLE
        if run.served == traffic.requests
        else SolutionStatus.PARTIAL,
        objective_s=run.latency_s,
        bound_s=run.bound_s,
        gap=run.latency_s / run.bound_s - 1 if run.bound_s else None,
        served=run.served,
        rejected=traffic.requests - run.served,
        wall_time_s=run.events_s,
        termination=Termination.HEURISTIC_END,
        solver=None,
        solver_version=None,
        options=_options(traffic),
        instance_sha256=digest(instance),
        **SOLVING.stamp(),
        slowest_s=run.slowest_s,
        peak_at_tenth_bytes=at_tenth,
        peak_bytes=peak,
    )


def _options(traffic: Traffic) -> Options:
    return {"seed": SEED, "requests": traffic.requests, "devices": traffic.devices}


def main(
    requests: Annotated[int, typer.Option(min=10, help="How many requests come.")] = 100_000,
    devices: Annotated[int, typer.Option(min=3, help="How many devices there are.")] = 1000,
    out: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Serve requests as they come and finish, while now and then a device dies and joins again.

    Half of them are for LeNet, 45 % for the CIFAR network, 5 % for VGG16; a thousand run at a time.
    What runs at the end is checked exactly. With --out, what is recorded is not measured again.

    Example: python -m benchmarks.traffic --requests 5000 --out traffic.csv
    """
    require_output("--out", out, ".csv")
    traffic = Traffic(requests, devices)
    with record_book(out, TrafficRecord, force=force, timed=True) as book:
        make = partial(measure, traffic)
        record = book.recorded(traffic.fleet(), "lookahead", _options(traffic), make)
    print_record(traffic, record)


def print_record(traffic: Traffic, record: TrafficRecord) -> None:
    """Print what it took beside what is to be reached by the full traffic."""
    cells = {
        "served at once": f"{record.served}/{record.requests}",
        "seconds": f"{record.wall_time_s:.0f}",
        "requests/s": f"{record.requests / record.wall_time_s:.0f}",
        "slowest, s": f"{record.slowest_s:.2f}",
        "MB at 10 %": f"{record.peak_at_tenth_bytes / 1e6:.0f}",
        "MB": f"{record.peak_bytes / 1e6:.0f}",
        "mean gap": "-" if record.gap is None else f"{100 * record.gap:.1f} %",
    }
    work = f"{traffic.requests:,} requests, {traffic.devices:,} devices"
    print_table(console, ["work"], [*cells], [[work, *cells.values()]])
    if (traffic.requests, traffic.devices) == (100_000, 1000):
        reached = ["yes" if record.wall_time_s <= goal else "no" for goal in (AT_LEAST_S, AIM_S)]
        console.print(f"at least {AT_LEAST_S} s: {reached[0]}; aim {AIM_S} s: {reached[1]}")
