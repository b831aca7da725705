"""How far policies are from the optimum: `python -m benchmarks.gap --instances DIR`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.gap.__main__")

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.command import (
    TIME_LIMIT_S,
    Faults,
    ForceOption,
    InstancesOption,
    MethodOption,
    OutOption,
    SolverOption,
    TimeLimitOption,
    instance_files,
    listed,
    progress,
)
from benchmarks.common.records import Record, as_frame, record_book
from benchmarks.gap.comparison import Comparer, Comparison, Contender
from benchmarks.gap.gap_table import print_gaps
from heuristics.policies import POLICIES, policy_type
from optmodel.ground.command_line import (
    MAX_SECONDS,
    MipGapOption,
    SeedOption,
    ThreadsOption,
    console,
    errors,
    require_choice,
    require_output,
)
from optmodel.ground.rule_errors import InputError
from optmodel.milp import require_solver
from optmodel.problem import Instance, read_instance
from optmodel.search import SolverOptions
from optmodel.solving import METHODS

SHOWN = [name for name in POLICIES if name != "exact"]
"""The policies that are compared by default; `exact` takes as long as all others together."""


def main(
    instances: InstancesOption,
    policies: Annotated[
        list[str],
        typer.Option(
            help=f"What to compare, of {', '.join(POLICIES)}, or package.module.Class of your own, "
            "with commas between."
        ),
    ] = SHOWN,
    improve: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_SECONDS,
            help="Compare also what becomes of each placement in so many seconds of improvement.",
        ),
    ] = None,
    method: MethodOption = "auto",
    solver: SolverOption = "highs",
    time_limit: TimeLimitOption = TIME_LIMIT_S,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = None,
    seed: SeedOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the gaps as FILE.png.")] = None,
) -> None:
    """Compare policies with the optimum of every instance.

    The gap is (latency - bound) / bound: at most so much above the optimum. Where it is proven that
    not all requests can be served, policies are compared with the most that can. Exit code 1 if a
    placement fails the checker or a policy beats a proven optimum, 2 if an instance is unusable.

    Example: python -m benchmarks.gap --instances instances/small/ --policies algorithm1,lookahead
    """
    _refuse_bad_options(method, solver, out, plot)
    named = listed(policies)
    for name in named:
        policy_type(name, "policies")
    options = SolverOptions(solver, time_limit, mip_gap, threads, seed)
    spent = (None,) if improve is None else (None, improve)
    contenders = tuple(Contender(name, seconds) for name in named for seconds in spent)
    faults = Faults()
    with record_book(out, Record, force=force) as book:
        comparer = Comparer(method, options, contenders, book)
        comparisons = compare_files(instance_files("--instances", instances), comparer, faults)
    if comparisons:
        print_gaps(console, comparisons)
    if plot is not None:
        _draw(comparisons, plot)
    faults.print()
    faults.exit_if_any()


def compare_files(files: Sequence[Path], comparer: Comparer, faults: Faults) -> list[Comparison]:
    """Return the comparison of each usable instance; note what is wrong with the others."""
    comparisons: list[Comparison] = []
    names: dict[str, Path] = {}
    for file in progress(files, "Solving"):
        with faults.noted(file):
            instance = read_instance(file)
            _refuse_repeated_name(instance, file, names)
            comparisons.append(comparer.compare(instance))
            faults.wrong += comparisons[-1].contradictions()
    return comparisons


def _refuse_repeated_name(instance: Instance, file: Path, names: dict[str, Path]) -> None:
    other = names.setdefault(instance.name, file)
    if other != file:
        raise InputError(
            f"{file}: name: expected one that no other instance has, got '{instance.name}' as in "
            f"{other}; rename one"
        )


def _refuse_bad_options(method: str, solver: str, out: Path | None, plot: Path | None) -> None:
    require_choice("method", method, METHODS)
    require_output("--out", out, ".csv")
    require_output("--plot", plot, ".png")
    require_solver(solver)


def _draw(comparisons: list[Comparison], path: Path) -> None:
    from benchmarks.gap.gap_plot import save_gap_plot

    records = [record for c in comparisons for record in (c.reference, *c.policies)]
    if any(record.gap is not None for record in records):
        save_gap_plot(as_frame(records), path)
    else:
        errors.print(f"{path}: not drawn, there is no gap to show", markup=False)
