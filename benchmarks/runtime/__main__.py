"""What proving an optimum takes: `python -m benchmarks.runtime --set small`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.runtime.__main__")

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from benchmarks.common.command import ForceOption, OutOption, chosen, listed, progress
from benchmarks.common.records import RecordBook, record_book
from benchmarks.runtime.measure import measure
from benchmarks.runtime.run_statistics import Runs
from benchmarks.runtime.runtime_cases import SETS, RuntimePlan, SolveCase, cases_of
from benchmarks.runtime.runtime_record import ProcessEnd, RunRecord
from benchmarks.runtime.runtime_table import (
    failures,
    print_methods,
    print_runs,
    print_speed_ups,
    print_targets,
)
from optmodel.ground.command_line import (
    EXIT_BAD_RESULT,
    MAX_SECONDS,
    SeedOption,
    ThreadsOption,
    console,
    errors,
    require_output,
)
from optmodel.ground.rule_errors import InputError
from optmodel.milp import require_solver
from optmodel.search import SolverOptions
from optmodel.solving import FORMULATIONS, METHODS

BASELINE = "segment"
COMPARED, DRIVEN = [BASELINE, "count", "auto"], ["highs"]
"""Methods and solvers that are measured by default."""


class Configuration(NamedTuple):
    """A method, and the solver behind it."""

    method: str
    solver: str


def configurations(methods: Sequence[str], solvers: Sequence[str]) -> list[Configuration]:
    """Return every formulation with every solver.

    A method that is no MILP of its own is measured once, with the first solver.
    """
    return [
        Configuration(method, solver)
        for method in methods
        for solver in (solvers if method in FORMULATIONS else solvers[:1])
    ]


def labels(chosen: Sequence[Configuration]) -> dict[Configuration, str]:
    """Return what tables call each configuration: the method, and the solver if it has several."""
    methods = Counter(configuration.method for configuration in chosen)
    return {c: "/".join(c) if methods[c.method] > 1 else c.method for c in chosen}


def pending(
    work: RuntimePlan, chosen: Sequence[Configuration], baseline: Configuration
) -> list[tuple[SolveCase, Configuration]]:
    """Return what is to be measured, instance by instance."""
    with_baseline = [*dict.fromkeys([*chosen, baseline])]
    return [
        (case, one)
        for case in work.cases.values()
        for one in (with_baseline if case.with_baseline else chosen)
    ]


def recorded(
    case: SolveCase,
    configuration: Configuration,
    asked: Mapping[str, Any],
    repeat: int,
    book: RecordBook[RunRecord],
) -> RunRecord:
    """Return the record of a run on this machine, measuring it unless the book has it.

    `asked` holds fields of `SolverOptions` that the command line sets in place of the case.
    """
    limits = {"time_limit_s": case.time_limit_s, "mip_gap": case.mip_gap}
    options = SolverOptions(configuration.solver, **{**limits, **asked})
    instance, method = case.instance, configuration.method
    make = partial(measure, instance, method, options, repeat)
    return book.recorded(instance, method, asdict(options) | {"repeat": repeat}, make)


def main(
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help=f"{', '.join(SETS)}, or a folder of instances or one file; repeatable. targets is "
            "the table of speeds to reach; scaling grows maps, devices and requests. Default: "
            "small.",
        ),
    ] = None,
    methods: Annotated[
        list[str],
        typer.Option(
            help=f"Methods to measure, of {', '.join(METHODS)}. With segment among them, its "
            "seconds over those of each other method are printed; targets adds it by itself."
        ),
    ] = COMPARED,
    solvers: Annotated[
        list[str],
        typer.Option(help="MILP solvers to measure each formulation with: highs,scip,cbc."),
    ] = DRIVEN,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_SECONDS,
            help="Seconds for each search; default: 60, or what a row of targets allows.",
        ),
    ] = None,
    mip_gap: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Relative gap that counts as optimal; default: 1e-6, or that of a row of targets.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    seed: SeedOption = None,
    repeat: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs of each; the one of median time is kept.")
    ] = 1,
    out: OutOption = None,
    force: ForceOption = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw performance profile and run times as FILE.png.")
    ] = None,
    scaling_plot: Annotated[
        Path | None, typer.Option(help="Draw time against size as FILE.png; needs --set scaling.")
    ] = None,
) -> None:
    """Measure what each method takes: seconds to read, build, solve and check, and memory.

    Every run is a process of its own. One that crashes, runs out of memory or has to be killed is
    recorded as such, and with --out a benchmark that was interrupted goes on where it stopped.
    Seconds leave out starting Python. Exit code 1 if the checker refuses a result.

    Example: python -m benchmarks.runtime --set small --methods count,segment --out runtime.csv
    """
    require_output("--out", out, ".csv")
    require_output("--plot", plot, ".png")
    require_output("--scaling-plot", scaling_plot, ".png", plot)
    measured = _chosen(methods, solvers)
    work = cases_of(sets or ["small"])
    if scaling_plot is not None and not work.series:
        raise InputError("--scaling-plot: expected --set scaling with it, got none; add it")
    baseline = Configuration(BASELINE, measured[0].solver)
    told = {"time_limit_s": time_limit, "mip_gap": mip_gap, "threads": threads, "seed": seed}
    asked = {name: value for name, value in told.items() if value is not None}
    todo = pending(work, measured, baseline)
    named = labels([*dict.fromkeys(one for _, one in todo)])
    runs: dict[str, dict[str, RunRecord]] = {label: {} for label in named.values()}
    with record_book(out, RunRecord, force=force, timed=True) as book:
        for case, one in progress(todo, "Measuring"):
            runs[named[one]][case.instance.name] = recorded(case, one, asked, repeat, book)
    _print_all(work, runs, named.get(baseline))
    if plot is not None or scaling_plot is not None:
        _draw(work, runs, plot, scaling_plot)
    wrong = failures(runs, ProcessEnd.WRONG)
    for line in wrong:
        errors.print(f"Error: {line}", markup=False)
    if wrong:
        sys.exit(EXIT_BAD_RESULT)


def _chosen(methods: Sequence[str], solvers: Sequence[str]) -> list[Configuration]:
    """Return the configurations that the options name, each once."""
    named = chosen("methods", methods, METHODS)
    driven = listed(solvers)
    for solver in driven:
        require_solver(solver)
    return configurations(named, driven)


def _print_all(work: RuntimePlan, runs: Runs, baseline: str | None) -> None:
    print_runs(console, runs)
    print_methods(console, runs)
    if baseline is not None:
        print_speed_ups(console, runs, baseline)
    if work.targets:
        print_targets(console, work.targets, runs, baseline)
    for outcome in (ProcessEnd.CRASHED, ProcessEnd.KILLED, ProcessEnd.OUT_OF_MEMORY):
        for line in failures(runs, outcome):
            console.print(f"{outcome}: {line}", markup=False)


def _draw(work: RuntimePlan, runs: Runs, plot: Path | None, scaling_plot: Path | None) -> None:
    from benchmarks.runtime.runtime_plot import save_runtime_plot, save_scaling_plot

    if plot is not None:
        save_runtime_plot(runs, plot)
    if scaling_plot is not None:
        save_scaling_plot(work.series, runs, scaling_plot)
