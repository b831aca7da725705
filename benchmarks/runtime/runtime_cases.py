"""What the runtime benchmark measures: named sets and folders as cases with their limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.common.command import instance_files
from benchmarks.runtime.scaling import Series, series
from benchmarks.runtime.speed_targets import RuntimeTarget, small, speed_table
from optmodel.ground.rule_errors import InputError
from optmodel.problem import Instance, read_instance

SETS = ("small", "targets", "scaling")
"""Sets by the name that `--set` takes; anything else is a folder or a file."""


@dataclass(frozen=True)
class SolveCase:
    """One instance and how long, and how well, it is to be solved."""

    instance: Instance
    mip_gap: float = 1e-6
    """Relative gap that counts as optimal."""
    time_limit_s: float = 60.0
    """Seconds for each run."""
    with_baseline: bool = False
    """Whether `segment` is measured too, whatever the methods."""


@dataclass
class RuntimePlan:
    """All that one call of the benchmark measures."""

    cases: dict[str, SolveCase] = field(default_factory=dict)
    """By the instance's name."""
    targets: tuple[RuntimeTarget, ...] = ()
    """Rows to be judged, if asked for."""
    series: tuple[Series, ...] = ()
    """Series to be drawn, if asked for."""

    def add(self, cases: Iterable[SolveCase]) -> None:
        """Add cases; an instance that is there already keeps its limits.

        Raises
        ------
        InputError
            If two different instances have the same name.
        """
        for case in cases:
            known = self.cases.setdefault(case.instance.name, case)
            if known.instance != case.instance:
                raise InputError(
                    "--set: expected instances whose names differ, got two named "
                    f"'{case.instance.name}'; rename one or measure the sets apart"
                )


def cases_of(names: Sequence[str]) -> RuntimePlan:
    """Return the work of the named sets, folders and files.

    Raises
    ------
    InputError
        If a folder holds no instances, one of them is unusable, or names clash.
    """
    work = RuntimePlan()
    if "targets" in names:  # First: its limits go with its goals.
        work.targets = speed_table()
        for number, target in enumerate(work.targets):
            work.add(
                SolveCase(instance, target.mip_gap, target.time_limit_s, with_baseline=number == 0)
                for instance in target.instances
            )
    if "small" in names:
        work.add(SolveCase(instance) for instance in small())
    if "scaling" in names:
        work.series = series()
        work.add(SolveCase(instance) for one in work.series for instance in one.instances.values())
    for name in names:
        if name not in SETS:
            files = instance_files("--set", Path(name))
            work.add(SolveCase(read_instance(file)) for file in files)
    return work
