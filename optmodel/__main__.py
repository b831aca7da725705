"""Solve one instance exactly: `python -m optmodel FILE.json`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("optmodel.__main__")

import sys
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.markup import escape

from optmodel.ground.command_line import (
    EXIT_BAD_RESULT,
    EXIT_INTERRUPTED,
    MipGapOption,
    SeedOption,
    ThreadsOption,
    TimeLimitOption,
    console,
    require_choice,
    require_output,
)
from optmodel.ground.json_files import write_model
from optmodel.ground.whole_files import require_writable, write_text
from optmodel.milp import require_solver
from optmodel.placement import Admission, Solution, Termination, print_solution
from optmodel.problem import Instance, read_instance
from optmodel.search import SolverOptions
from optmodel.solving import METHODS, export_lp, solve

EXIT_CODES = {Termination.ERROR: EXIT_BAD_RESULT, Termination.INTERRUPTED: EXIT_INTERRUPTED}


def main(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    method: Annotated[str, typer.Option(help=f"How to solve: {', '.join(METHODS)}.")] = "auto",
    solver: Annotated[
        str, typer.Option(help="Any MILP solver that Pyomo drives: highs, scip, cbc, gurobi, ...")
    ] = "highs",
    time_limit: TimeLimitOption = None,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = None,
    seed: SeedOption = None,
    admission: Annotated[
        str,
        typer.Option(help="Serve all requests, or the most that can be: all, most."),
    ] = "all",
    out: Annotated[Path | None, typer.Option(help="Write the solution as JSON.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Draw the solution on one page, FILE.html.")
    ] = None,
    lp: Annotated[
        Path | None,
        typer.Option(
            help="Write a model as an LP file, units and names in its comments: segment if "
            "--method says so, else count."
        ),
    ] = None,
) -> None:
    """Find the placement of least latency, or prove that there is none.

    Example: python -m optmodel instances/small/lenet-0.8-4-mixed.json --out solution.json
    """
    require_choice("method", method, METHODS)
    require_choice("admission", admission, get_args(Admission))
    if out is not None:
        require_writable(out, file, lp, report)
    if lp is not None:
        require_writable(lp, file, report)
    require_output("--report", report, ".html", file, out, lp)
    require_solver(solver)
    instance = read_instance(file)
    if lp is not None:
        written = export_lp(instance, method, lp)
        console.print(
            f"{'model':<12} {written}, written to {lp} with its time unit and names", markup=False
        )
    options = SolverOptions(
        solver, time_limit, mip_gap, threads, seed, admission=cast(Admission, admission)
    )
    with console.status(escape(f"Solving {instance.name} ...")):
        solution = solve(instance, method, options)
    if out is not None:
        write_model(out, solution)
    print_solution(console, solution)
    if report is not None:
        _write_page(report, instance, solution)
    sys.exit(EXIT_CODES.get(solution.termination, 0))


def _write_page(path: Path, instance: Instance, solution: Solution) -> None:
    from optmodel.page import solution_page, view_solution

    write_text(path, solution_page(view_solution(instance, solution)))
    console.print(f"{'report':<12} written to {path}", markup=False)
