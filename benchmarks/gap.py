"""How far every policy is from the optimum: `python -m benchmarks.gap --instances DIR`."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from benchmarks.cli import ForceOption, OutOption, instance_files, require_output
from benchmarks.gap_table import print_gaps
from benchmarks.records import Record, RecordBook, as_frame
from heuristics.policies import POLICIES, place
from optmodel.cli import (
    EXIT_BAD_INPUT,
    EXIT_BAD_RESULT,
    MAX_SECONDS,
    MipGapOption,
    SeedOption,
    ThreadsOption,
    console,
    errors,
    require_choice,
    run_app,
)
from optmodel.files import InputError
from optmodel.instance import Instance, read_instance
from optmodel.search import BOUND_TOLERANCE
from optmodel.solution import ResultError, SolutionStatus, Termination, relative_gap
from optmodel.solve import METHODS, solve
from optmodel.solvers import SolverOptions, require_solver
from optmodel.verified import digest


@dataclass(frozen=True)
class Comparison:
    """The records of one instance.

    Attributes
    ----------
    exact : Record
        Optimum, or incumbent and bound.
    policies : tuple of Record
        One per policy, their gaps against the exact bound.
    """

    exact: Record
    policies: tuple[Record, ...]

    def contradictions(self) -> Iterator[str]:
        """Yield how a policy refutes what the exact method claims to have proven."""
        for record in self.policies:
            if record.solution_status is not SolutionStatus.FEASIBLE:
                continue
            name = f"{record.instance}: {record.method}"
            if self.exact.solution_status is SolutionStatus.INFEASIBLE:
                yield f"{name} serves all requests of an instance proven infeasible"
            bound, objective = self.exact.bound_s, record.objective_s
            if bound and objective and objective < bound * (1 - BOUND_TOLERANCE):
                yield f"{name} takes {objective!r} s, below the proven bound {bound!r} s"


def compare(
    instance: Instance, method: str, options: SolverOptions, book: RecordBook[Record], force: bool
) -> Comparison:
    """Solve an instance exactly and by every policy, unless the book has the records.

    Raises
    ------
    ResultError
        If a placement fails the checker.
    KeyboardInterrupt
        If the solver was interrupted; nothing is recorded then.
    """
    exact = None if force else book.find(instance.name, digest(instance), method, asdict(options))
    if exact is None:
        solution = solve(instance, method, options)
        if solution.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        exact = Record.of(solution, len(instance.requests))
        book.add(exact)
    policies = tuple(_place(instance, policy, exact, book, force) for policy in POLICIES)
    return Comparison(exact, policies)


def _place(
    instance: Instance, policy: str, exact: Record, book: RecordBook[Record], force: bool
) -> Record:
    """Return a policy's record, its gap measured against the exact bound."""
    known = None if force else book.find(instance.name, digest(instance), policy, {})
    record = known or Record.of(place(instance, policy), len(instance.requests))
    comparable = record.solution_status is SolutionStatus.FEASIBLE
    gap = relative_gap(record.objective_s, exact.bound_s) if comparable else None
    measured = record.model_copy(update={"bound_s": exact.bound_s, "gap": gap})
    if measured != known:
        book.add(measured)
    return measured


def main(
    instances: Annotated[Path, typer.Option(help="Folder with instances, or one file.")],
    method: Annotated[
        str, typer.Option(help=f"How to find the optimum: {', '.join(METHODS)}.")
    ] = "auto",
    solver: Annotated[str, typer.Option(help="MILP solver.")] = "highs",
    time_limit: Annotated[
        float, typer.Option(min=0.001, max=MAX_SECONDS, help="Seconds for each optimum.")
    ] = 60.0,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = None,
    seed: SeedOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the gaps as FILE.png.")] = None,
) -> None:
    """Compare every policy with the optimum of every instance.

    The gap is (latency - bound) / bound: at most so much above the optimum. Exit code 1 if a
    placement fails the checker or a policy beats a proven optimum, 2 if an instance is unusable.

    Example: python -m benchmarks.gap --instances instances/small/ --out gap.csv
    """
    _refuse_bad_options(method, solver, out, plot)
    options = SolverOptions(solver, time_limit, mip_gap, threads, seed)
    book = RecordBook(out, Record)
    comparisons: list[Comparison] = []
    unusable, wrong = [], []
    names: dict[str, Path] = {}
    files = instance_files("--instances", instances)
    for file in track(files, "Solving", console=errors, disable=not errors.is_terminal):
        try:
            instance = read_instance(file)
            _refuse_repeated_name(instance, file, names)
            comparison = compare(instance, method, options, book, force)
        except InputError as error:
            unusable.append(str(error))
        except ResultError as error:
            wrong.append(f"{file}: {error}")
        else:
            comparisons.append(comparison)
            wrong += comparison.contradictions()
    if comparisons:
        print_gaps(console, [c.exact for c in comparisons], [c.policies for c in comparisons])
    if plot is not None:
        _draw(comparisons, plot)
    for line in [*unusable, *wrong]:
        errors.print(f"Error: {line}", markup=False)
    if wrong:
        sys.exit(EXIT_BAD_RESULT)
    if unusable:
        sys.exit(EXIT_BAD_INPUT)


def _refuse_repeated_name(instance: Instance, file: Path, names: dict[str, Path]) -> None:
    other = names.setdefault(instance.name, file)
    if other != file:
        raise InputError(
            f"{file}: name: expected one that no other instance has, got '{instance.name}' as in "
            f"{other}; rename one"
        )


def _refuse_bad_options(method: str, solver: str, out: Path | None, plot: Path | None) -> None:
    require_choice("--method", method, METHODS)
    require_output("--out", out, ".csv")
    require_output("--plot", plot, ".png")
    require_solver(solver)


def _draw(comparisons: list[Comparison], path: Path) -> None:
    from benchmarks.gap_plot import save_gap_plot

    records = [record for c in comparisons for record in (c.exact, *c.policies)]
    if any(record.gap is not None for record in records):
        save_gap_plot(as_frame(records), path)
    else:
        errors.print(f"{path}: not drawn, there is no gap to show", markup=False)


if __name__ == "__main__":
    run_app(main)
