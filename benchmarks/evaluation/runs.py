"""Runs on disk, one file each, and the work of those that are missing, on dask."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import model_validator
from rich.progress import track

from benchmarks.common.origins import simulating
from benchmarks.simulate import Setting, simulate
from benchmarks.simulate.outcome import SimulationOutcome, Timing
from optmodel.ground.command_line import errors
from optmodel.ground.finished_runs import FinishedRun, RunFolder, tell_reused
from optmodel.ground.provenance import Origin
from optmodel.ground.rule_errors import InputError, RuleError

if TYPE_CHECKING:
    from distributed import Client


class SimulatedRun(FinishedRun):
    """One simulated setting and what it was like."""

    setting: Setting
    """What was simulated."""
    outcome: SimulationOutcome
    """What it was like; the same for equal settings."""
    timing: Timing
    """What deciding took."""

    @classmethod
    def of(cls, setting: Setting) -> "SimulatedRun":
        """Simulate a setting."""
        outcome, timing = simulate(setting)
        origin = simulating(setting.policy)
        return cls(setting=setting, outcome=outcome, timing=timing, **origin.stamp())

    @property
    def key(self) -> str:
        """Policy and a digest of the setting."""
        return key_of(self.setting)

    @property
    def origin(self) -> Origin:
        """What decides it, a policy of one's own included."""
        return simulating(self.setting.policy)

    @model_validator(mode="after")
    def _tells_of_what_was_asked(self) -> Self:
        """Refuse other requests than those that the setting asks for."""
        asked, told = self.setting, self.outcome.networks
        if (set(told), self.outcome.all.submitted) != (set(asked.networks), asked.requests):
            raise RuleError(
                "outcome.networks",
                f"{asked.requests} requests for {', '.join(asked.networks)}",
                f"{self.outcome.all.submitted} for {', '.join(told) or 'none'}",
                "correct it",
            )
        return self


def key_of(setting: Setting) -> str:
    """Return what the file of a setting's run is called, without its ending."""
    return f"{setting.policy}-{sha256(setting.model_dump_json().encode()).hexdigest()[:16]}"


class SimulatedRuns(RunFolder[SimulatedRun]):
    """The finished runs of a sweep, in a folder that is made when the first is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SimulatedRun)

    def find(self, settings: Iterable[Setting]) -> dict[Setting, SimulatedRun]:
        """Return the runs of those settings that have one, by this code and these packages.

        Raises
        ------
        InputError
            If files cannot be read; the message names each.
        """
        found, broken = {}, []
        for setting in settings:
            try:
                run = self.get(key_of(setting))
            except InputError as error:
                broken.append(str(error))
            else:
                if run is not None and run.serves(setting=setting):
                    found[setting] = run
        if broken:
            raise InputError("\n".join(broken))
        return found


def simulate_all(
    settings: Sequence[Setting], path: Path, workers: int = 2, scheduler: str | None = None
) -> dict[Setting, SimulatedRun]:
    """Return the run of each setting; what the folder lacks is simulated, and kept there.

    Parameters
    ----------
    settings : sequence of Setting
        What to simulate.
    path : Path
        Folder of finished runs.
    workers : int
        Processes of a local cluster.
    scheduler : str, optional
        Address of a dask scheduler to use instead, such as tcp://host:8786.

    Raises
    ------
    InputError
        If there is no scheduler at the address, or a run cannot be read or written.
    KeyboardInterrupt
        On Ctrl-C, saying how many runs are kept.
    """
    folder = SimulatedRuns(path)
    runs = folder.find(settings)
    tell_reused(path, folder.records, "runs")
    missing = [setting for setting in settings if setting not in runs]
    if missing:
        from optmodel.ground.workers import (
            connected,  # dask is an extra, and help is to do without.
        )

        try:
            with connected(scheduler, min(workers, len(missing))) as client:
                for run in _simulated(client, missing):
                    _require_current(run)
                    folder.add(run)
                    runs[run.setting] = run
        except KeyboardInterrupt:
            kept = f"{len(runs)} of {len(settings)} runs are kept, the same command goes on"
            raise KeyboardInterrupt(kept) from None
    return {setting: runs[setting] for setting in settings}


def _require_current(run: SimulatedRun) -> None:
    """Refuse a run from a worker that has other code."""
    if not run.is_current:
        raise InputError(
            "--scheduler: expected workers with the code and packages of this process, got others; "
            "start them anew"
        )


def _simulated(client: "Client", settings: Sequence[Setting]) -> Iterator[SimulatedRun]:
    """Yield runs as they end, with a progress bar if a person is watching."""
    from distributed import as_completed

    futures = client.map(SimulatedRun.of, settings, pure=False)
    ended = as_completed(futures)
    hidden = not errors.is_terminal
    for future in track(ended, "Simulating", len(futures), console=errors, disable=hidden):
        yield future.result()
        future.release()
