"""The six panels of Figure 3, and the settings that each of them compares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from benchmarks.simulate import Setting
from benchmarks.simulate.setting import PAPER_NETWORKS
from optmodel.ground.json_files import StrictModel

TOLERANCES = (0.8, 0.6, 0.4)
DEVICES = (20, 30, 40, 50, 60, 70)
MIXES = ("100-0", "70-30", "50-50", "30-70")
"""Percent powerful (Raspberry Pi 3 and Nexus 5 in turn) and small (STM32H7)."""
POLICIES = ("algorithm1", "lookahead", "layerwise")


@dataclass(frozen=True)
class Panel:
    """One panel."""

    title: str
    axis: Literal["devices", "fleet", "networks"]
    """The field of the setting that varies."""
    label: str
    measure: Literal["latency", "shared"]
    """What is drawn over it."""

    def points(self, base: Setting, ends: bool) -> list[tuple[str, dict[str, Any]]]:
        """Return values of the axis as text, and what each changes in a setting.

        `ends` asks for the least and the most devices only.
        """
        if self.axis == "devices":
            numbers = (DEVICES[0], DEVICES[-1]) if ends else DEVICES
            return [(str(number), {"devices": number}) for number in numbers]
        if self.axis == "fleet":
            return [(mix, {"fleet": mix}) for mix in MIXES]
        return [(name, {"networks": (name,)}) for name in base.networks]


PANELS: Mapping[str, Panel] = {
    "3a": Panel("Latency, more devices", "devices", "number of devices", "latency"),
    "3b": Panel("Shared data, more devices", "devices", "number of devices", "shared"),
    "3c": Panel("Latency, weaker devices", "fleet", "% powerful - % small", "latency"),
    "3d": Panel("Shared data, weaker devices", "fleet", "% powerful - % small", "shared"),
    "3e": Panel("Latency per network", "networks", "network of all requests", "latency"),
    "3f": Panel("Shared data per network", "networks", "network of all requests", "shared"),
}


@dataclass(frozen=True)
class PanelCase:
    """One run as a panel knows it: at which value of its axis it stands, and what is simulated."""

    panel: str
    x: str
    setting: Setting


class EvaluationPlan(StrictModel):
    """What is compared: panels over base settings, for policies and seeds."""

    base: Setting = Setting()
    """What a panel does not vary."""
    panels: tuple[str, ...] = tuple(PANELS)
    """Keys of `PANELS`."""
    policies: Annotated[tuple[str, ...], Field(min_length=1)] = POLICIES
    """Who places requests."""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 5
    """How many seeds, from 0."""
    ends: bool = False
    """Whether only the least and the most devices are compared: all that the claims look at."""

    def cases(self) -> Iterator[PanelCase]:
        """Yield the runs of all panels, all of one seed before the next."""
        panels = [(name, PANELS[name]) for name in self.panels]
        for seed, (name, panel) in product(range(self.seeds), panels):
            grid = product(panel.points(self.base, self.ends), TOLERANCES, self.policies)
            for (x, update), tolerance, policy in grid:
                more = {"tolerated_ssim": tolerance, "policy": policy, "seed": seed}
                yield PanelCase(name, x, self.base.model_copy(update={**update, **more}))

    def settings(self) -> list[Setting]:
        """Return the settings to be simulated, each once: panels share runs."""
        return list(dict.fromkeys(case.setting for case in self.cases()))

    def covers(self, other: "EvaluationPlan") -> bool:
        """Tell whether this one compares all that another does, and perhaps more."""
        return (
            (self.base, self.ends) == (other.base, other.ends)
            and self.seeds >= other.seeds
            and set(self.panels) >= set(other.panels)
            and set(self.policies) >= set(other.policies)
        )

    def command(self, folder: Path) -> str:
        """Return the command that simulates and draws it in a folder."""
        parts = [f"python -m benchmarks.figures --out {folder}"]
        if self.panels != tuple(PANELS):
            parts.append(f"--panel {','.join(self.panels)}")
        if self.base.networks != PAPER_NETWORKS:
            parts.append(f"--networks {','.join(self.base.networks)}")
        if self.policies != POLICIES:
            parts.append(f"--policies {','.join(self.policies)}")
        return " ".join([*parts, f"--requests {self.base.requests} --seeds {self.seeds}"])
