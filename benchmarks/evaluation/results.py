"""The finished runs of a plan, asked for single figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.evaluation.panels import Case, Plan
from benchmarks.evaluation.runs import Run, RunFolder
from benchmarks.evaluation.table import measures
from benchmarks.simulate import Setting
from benchmarks.simulate.outcome import Share
from optmodel.files import InputError, read_model
from optmodel.problem import FloatArray

PLAN_FILE, RUNS_FOLDER = "plan.json", "runs"


@dataclass(frozen=True)
class Point:
    """A point of a panel, without policy and seed.

    Attributes
    ----------
    panel, x : str
        The panel, and the value of its axis.
    tolerance : float
        Tolerated SSIM.
    """

    panel: str
    x: str
    tolerance: float

    def __str__(self) -> str:
        units = {"3a": " devices", "3b": " devices", "3c": " mix", "3d": " mix"}
        return f"{self.x}{units.get(self.panel, '')} at {self.tolerance}"


class Results:
    """What the runs of whole seeds say.

    Parameters
    ----------
    plan : Plan
        What is compared; only its seeds that are complete count.
    runs : mapping
        Run by case.
    """

    def __init__(self, plan: Plan, runs: Mapping[Case, Run]) -> None:
        self.plan = plan
        self._runs: dict[tuple[Point, str], list[Run]] = {}
        for case, run in runs.items():
            point = Point(case.panel, case.x, case.setting.tolerated_ssim)
            self._runs.setdefault((point, case.setting.policy), []).append(run)

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read what `python -m benchmarks.figures --out FOLDER` has finished.

        Raises
        ------
        InputError
            If there is no plan, or not even one seed is complete.
        """
        plan = read_model(folder / PLAN_FILE, Plan)
        runs, whole = RunFolder(folder / RUNS_FOLDER), []
        by_seed: dict[int, list[Case]] = {}
        for case in plan.cases():
            by_seed.setdefault(case.setting.seed, []).append(case)
        found = {seed: {one: runs.find(one.setting) for one in of} for seed, of in by_seed.items()}
        for seed, of_seed in found.items():
            if all(of_seed.values()):
                whole.append(seed)
        if not whole:
            raise InputError(
                f"{folder}: expected the runs of one seed at least, got too few; finish "
                f"`python -m benchmarks.figures --out {folder.name}` first"
            )
        complete = {case: run for seed in whole for case, run in found[seed].items() if run}
        return cls(plan.model_copy(update={"seeds": len(whole)}), complete)

    def setting(self, point: Point, policy: str) -> Setting:
        """Return what was simulated at a point with the first seed."""
        return self._runs[point, policy][0].setting

    def values(self, point: Point, policy: str, measure: str) -> FloatArray:
        """Return a measure of `table.measures` for each seed."""
        return np.array([measures(run.outcome)[measure] for run in self._runs[point, policy]])

    def common(
        self, first: Point, second: Point, policy: str
    ) -> tuple[list[str], FloatArray, FloatArray]:
        """Compare two points on the networks of which both serve every request.

        Returns
        -------
        list of str
            These networks.
        ndarray, ndarray
            Their total latency in seconds at either point, for each seed.
        """
        pairs = [self._runs[point, policy] for point in (first, second)]
        known = pairs[0][0].outcome.networks
        names = [
            name
            for name in known
            if not any(run.outcome.networks[name].unserved for runs in pairs for run in runs)
        ]
        one, other = (
            np.array(
                [Share.over(run.outcome.networks[name] for name in names).latency_s for run in runs]
            )
            for runs in pairs
        )
        return names, one, other
