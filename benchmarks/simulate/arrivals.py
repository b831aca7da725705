"""When requests come, and when devices go and come back: drawn before anything is placed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.simulate.setting import Setting
from heuristics.scheduler.events import DieEvent, Event, JoinEvent, LeaveEvent, SubmitEvent
from optmodel.problem import FleetDocument, Request

MICROSECONDS = 1_000_000
"""Per second; the clock of a simulation counts whole ones."""


@dataclass(frozen=True)
class DueEvent:
    """What happens when."""

    time_us: int
    event: Event
    """What happens, without its time."""


def arrivals(setting: Setting) -> Iterator[DueEvent]:
    """Yield the requests of a Poisson process, r1, r2, ...

    Times, networks and cameras are drawn from streams of their own: another mix of networks leaves
    the times as they are.
    """
    gaps, networks, cameras = (
        random.Random(f"{setting.seed} {what}") for what in ("gaps", "networks", "cameras")
    )
    time_s = 0.0
    for number in range(1, setting.requests + 1):
        time_s += gaps.expovariate(setting.arrivals_per_s)
        request = Request(
            id=f"r{number}",
            source=f"camera-{cameras.randint(1, setting.cameras)}",
            network=networks.choice(setting.networks),
            tolerated_ssim=setting.tolerated_ssim,
        )
        yield DueEvent(round(time_s * MICROSECONDS), SubmitEvent(event="submit", request=request))


def changes(setting: Setting, fleet: FleetDocument, until_us: int) -> list[DueEvent]:
    """Return what the devices do until a time, in order of time.

    A device that is present, drawn at random, leaves or fails, and joins again after an
    exponentially distributed time.
    """
    draw = random.Random(f"{setting.seed} changes")
    away: dict[str, float] = {}
    due: list[DueEvent] = []
    time_s = 0.0
    while setting.changes_per_s:
        time_s += draw.expovariate(setting.changes_per_s)
        if round(time_s * MICROSECONDS) > until_us:
            break
        present = [one for one in fleet.devices if away.get(one.id, 0.0) <= time_s]
        if present:
            device = draw.choice(present)
            kind = draw.choice((_leaves, _fails))
            away[device.id] = time_s + draw.expovariate(1 / setting.away_s)
            due.append(DueEvent(round(time_s * MICROSECONDS), kind(device.id)))
            back = JoinEvent(event="join", device=device)
            due.append(DueEvent(round(away[device.id] * MICROSECONDS), back))
    return sorted(due, key=lambda one: one.time_us)


def _leaves(device: str) -> Event:
    return LeaveEvent(event="leave", device=device)


def _fails(device: str) -> Event:
    return DieEvent(event="die", device=device)
