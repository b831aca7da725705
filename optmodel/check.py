"""Check a solution against its instance: `python -m optmodel.check FILE.json SOLUTION.json`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from optmodel.checker import check
from optmodel.cli import EXIT_BAD_RESULT, console, run_app
from optmodel.instance import read_instance
from optmodel.report import seconds
from optmodel.solution import read_solution


def main(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    solution: Annotated[Path, typer.Argument(help="Solution, a JSON file.")],
) -> None:
    """Recompute a solution in exact arithmetic; exit 0, or 1 with every violation.

    Example: python -m optmodel.check lenet.json lenet.solution.json
    """
    instance = read_instance(file)
    claimed = read_solution(solution)
    if claimed.placement is None:
        console.print(f"{solution}: {claimed.solution_status}, no placement to check", markup=False)
        return
    report = check(instance, claimed.placement, claimed.objective_s, claimed.latency)
    for violation in report.violations:
        console.print(str(violation), markup=False)
    if not report.passed:
        console.print(f"{solution}: {len(report.violations)} violation(s)", markup=False)
        sys.exit(EXIT_BAD_RESULT)
    console.print(
        f"{solution}: passed, {len(claimed.placement.requests)} request(s), "
        f"latency {seconds(float(report.objective_s))}",
        markup=False,
    )


if __name__ == "__main__":
    run_app(main)
