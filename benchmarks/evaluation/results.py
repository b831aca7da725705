"""The finished runs of a plan, asked for single figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.evaluation.panels import EvaluationPlan, PanelCase
from benchmarks.evaluation.runs import SimulatedRun, SimulatedRuns
from benchmarks.evaluation.table import measures
from benchmarks.simulate import Setting
from benchmarks.simulate.outcome import NetworkShare
from optmodel.ground.json_files import read_model
from optmodel.ground.rule_errors import InputError
from optmodel.problem import FloatArray

PLAN_FILE, RUNS_FOLDER = "plan.json", "runs"


@dataclass(frozen=True)
class PanelPoint:
    """A point of a panel: the value of its axis, and the tolerance, without policy and seed."""

    panel: str
    x: str
    tolerance: float

    def __str__(self) -> str:
        units = {"3a": " devices", "3b": " devices", "3c": " mix", "3d": " mix"}
        return f"{self.x}{units.get(self.panel, '')} at {self.tolerance}"


class Results:
    """What the runs of whole seeds say."""

    def __init__(self, plan: EvaluationPlan, runs: Mapping[PanelCase, SimulatedRun]) -> None:
        self.plan = plan
        self._runs: dict[tuple[PanelPoint, str], list[SimulatedRun]] = {}
        for case, run in runs.items():
            point = PanelPoint(case.panel, case.x, case.setting.tolerated_ssim)
            self._runs.setdefault((point, case.setting.policy), []).append(run)

    @classmethod
    def read(cls, folder: Path) -> "Results":
        """Read what `python -m benchmarks.figures --out FOLDER` has finished.

        Raises
        ------
        InputError
            If there is no plan, or not even the first seed is complete.
        """
        plan = read_model(folder / PLAN_FILE, EvaluationPlan)
        found = SimulatedRuns(folder / RUNS_FOLDER).find(plan.settings())
        missing = {case.setting.seed for case in plan.cases() if case.setting not in found}
        seeds = min(missing, default=plan.seeds)
        if not seeds:
            raise InputError(
                f"{folder}: expected the runs of one seed at least, by the code as it is, got too "
                f"few; finish `{plan.command(folder)}` first"
            )
        whole = plan.model_copy(update={"seeds": seeds})
        return cls(whole, {case: found[case.setting] for case in whole.cases()})

    def __contains__(self, point: PanelPoint) -> bool:
        return any(point == known for known, _ in self._runs)

    def networks(self, point: PanelPoint, policy: str) -> tuple[str, ...]:
        """Return the networks that are told of at a point."""
        return tuple(self._runs[point, policy][0].outcome.networks)

    def setting(self, point: PanelPoint, policy: str) -> Setting:
        """Return what was simulated at a point with the first seed."""
        return self._runs[point, policy][0].setting

    def values(
        self, point: PanelPoint, policy: str, measure: str, networks: Sequence[str] | None = None
    ) -> FloatArray:
        """Return a measure of `table.measures` for each seed, over all networks or some."""
        shares = (
            run.outcome.all
            if networks is None
            else NetworkShare.over(run.outcome.networks[name] for name in networks)
            for run in self._runs[point, policy]
        )
        return np.array([measures(share)[measure] for share in shares])

    def served_in_full(self, points: Sequence[tuple[PanelPoint, str]]) -> tuple[str, ...] | None:
        """Return the networks of which every request is served at all points, with every seed.

        None if these are all. Totals over the others are over different requests at each point.
        """
        outcomes = [run.outcome for key in points for run in self._runs[key]]
        known = outcomes[0].networks
        full = tuple(name for name in known if not any(o.networks[name].unserved for o in outcomes))
        return None if len(full) == len(known) else full
