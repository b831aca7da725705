"""Runs on disk, one file each, and the work of those that are missing, on dask."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from rich.progress import track

from benchmarks.common import provenance
from benchmarks.common.reuse import tell_reused
from benchmarks.simulate import Setting, simulate
from benchmarks.simulate.outcome import SimulationOutcome, Timing
from optmodel.ground.command_line import errors
from optmodel.ground.json_files import StrictModel, read_model, write_model
from optmodel.ground.rule_errors import InputError

if TYPE_CHECKING:
    from distributed import Client


class SimulatedRun(StrictModel):
    """One simulated setting and what it was like."""

    setting: Setting
    """What was simulated."""
    outcome: SimulationOutcome
    """What it was like; the same for equal settings."""
    timing: Timing
    """What deciding took."""
    source_sha256: str
    """Digest of the code that decided it, a policy of one's own included."""
    versions: dict[str, str]
    """Versions of Python and packages."""
    commit: str | None = Field(default_factory=provenance.commit)
    """Commit of the code."""

    @classmethod
    def of(cls, setting: Setting) -> "SimulatedRun":
        """Simulate a setting."""
        outcome, timing = simulate(setting)
        return cls(
            setting=setting,
            outcome=outcome,
            timing=timing,
            source_sha256=provenance.source(setting.policy),
            versions=provenance.versions("simpy"),
        )

    @property
    def is_whole(self) -> bool:
        """Whether it tells of every request that its setting asks for, and of no other."""
        told = self.outcome
        asked = (set(self.setting.networks), self.setting.requests)
        return (set(told.networks), told.all.submitted) == asked

    @property
    def is_current(self) -> bool:
        """Whether this code and these packages would give it again."""
        found = (self.source_sha256, self.versions)
        return found == (provenance.source(self.setting.policy), provenance.versions("simpy"))


class RunFolder:
    """Finished runs, so that a killed sweep goes on where it was.

    Parameters
    ----------
    path : Path
        Made when the first run is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, setting: Setting) -> Path:
        """Return where the run of a setting is kept."""
        digest = sha256(setting.model_dump_json().encode()).hexdigest()[:16]
        return self.path / f"{setting.policy}-{digest}.json"

    def find(self, setting: Setting) -> SimulatedRun | None:
        """Return the run of a setting by this code and these packages, None if there is none.

        Raises
        ------
        InputError
            If its file cannot be read.
        """
        path = self.file(setting)
        if not path.exists():
            return None
        try:
            run = read_model(path, SimulatedRun)
            _require_whole(run, path)
        except InputError as error:
            raise InputError(
                f"{error}; this is a finished run: delete it and begin again"
            ) from error
        return run if run.setting == setting and run.is_current else None

    def find_all(self, settings: Iterable[Setting]) -> dict[Setting, SimulatedRun]:
        """Return the runs of those settings that have one.

        Raises
        ------
        InputError
            If files cannot be read; the message names each.
        """
        found, broken = {}, []
        for setting in settings:
            try:
                found[setting] = self.find(setting)
            except InputError as error:
                broken.append(str(error))
        if broken:
            raise InputError("\n".join(broken))
        return {setting: run for setting, run in found.items() if run is not None}

    def keep(self, run: SimulatedRun) -> None:
        """Write a run, wholly or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_model(self.file(run.setting), run)


def _require_current(run: SimulatedRun) -> None:
    """Refuse a run from a worker that has other code."""
    if not run.is_current:
        raise InputError(
            "--scheduler: expected workers with the code and packages of this process, got others; "
            "start them anew"
        )


def _require_whole(run: SimulatedRun, path: Path) -> None:
    """Refuse a run that does not tell of the requests that its setting asks for."""
    setting, networks, told = run.setting, run.outcome.networks, run.outcome.all.submitted
    if not run.is_whole:
        raise InputError(
            f"{path}: outcome.networks: expected {setting.requests} requests for "
            f"{', '.join(setting.networks)}, got {told} for {', '.join(networks) or 'none'}"
        )


def simulate_all(
    settings: Sequence[Setting], folder: RunFolder, workers: int = 2, scheduler: str | None = None
) -> dict[Setting, SimulatedRun]:
    """Return the run of each setting; what the folder has not is simulated and kept there.

    Parameters
    ----------
    settings : sequence of Setting
        What to simulate.
    folder : RunFolder
        Finished runs.
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
    runs = folder.find_all(settings)
    current = [setting in runs for setting in settings if folder.file(setting).exists()]
    tell_reused(folder.path, current, "runs")
    missing = [setting for setting in settings if setting not in runs]
    if missing:
        from optmodel.ground.workers import (
            connected,  # dask is an extra, and help is to do without.
        )

        try:
            with connected(scheduler, min(workers, len(missing))) as client:
                for run in _simulated(client, missing):
                    _require_current(run)
                    folder.keep(run)
                    runs[run.setting] = run
        except KeyboardInterrupt:
            kept = f"{len(runs)} of {len(settings)} runs are kept, the same command goes on"
            raise KeyboardInterrupt(kept) from None
    return {setting: runs[setting] for setting in settings}


def _simulated(client: "Client", settings: Sequence[Setting]) -> Iterator[SimulatedRun]:
    """Yield runs as they end, with a progress bar if a person is watching."""
    from distributed import as_completed

    futures = client.map(SimulatedRun.of, settings, pure=False)
    ended = as_completed(futures)
    hidden = not errors.is_terminal
    for future in track(ended, "Simulating", len(futures), console=errors, disable=hidden):
        yield future.result()
        future.release()
