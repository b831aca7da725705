"""One setting simulated, from its seed to what it was like."""

from pathlib import Path
from threading import local

from benchmarks.simulate.arrivals import arrivals, changes
from benchmarks.simulate.log import logging_to
from benchmarks.simulate.outcome import SimulationOutcome, Timing
from benchmarks.simulate.setting import Setting
from heuristics.scheduler import OnlineScheduler
from optmodel.online import KnownPaths

MOST_FLEETS = 16
"""How many fleets are remembered from one run to the next; the figures compare ten."""


class _Kept(local):
    """What one thread keeps from run to run; it takes time to find, and changes no run."""

    def __init__(self) -> None:
        self.paths = KnownPaths(MOST_FLEETS, shares_arcs=False)


_kept = _Kept()


def simulate(setting: Setting, log: Path | None = None) -> tuple[SimulationOutcome, Timing]:
    """Simulate a setting; a log gets every event as JSON lines.

    Returns
    -------
    SimulationOutcome
        The same for equal settings.
    Timing
        What deciding took this time.

    Raises
    ------
    InputError
        If a name in the setting is not understood, or the log cannot be written.
    ResultError
        If the policy fails, or breaks a limit.
    """
    fleet, paths = setting.make_fleet(), _kept.paths
    from benchmarks.simulate.simulation import Simulation  # simpy is an extra.

    decider = setting.make_policy(paths)
    scheduler = OnlineScheduler(
        fleet,
        setting.policy,
        seed=setting.seed,
        decider=decider,
        paths=paths,
        in_names=log is not None,
        tolerant=False,
    )
    devices = changes(setting, fleet, _last_arrival_us(setting))
    with logging_to(log, scheduler) as tell:
        simulation = Simulation(scheduler, arrivals(setting), devices, tell)
        return simulation.run(), simulation.timing


def _last_arrival_us(setting: Setting) -> int:
    """Return when the last request comes; devices change until then."""
    last = 0
    if setting.changes_per_s:
        for one in arrivals(setting):
            last = one.time_us
    return last
