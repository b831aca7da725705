"""Check a solution against its instance: `python -m optmodel.check FILE.json SOLUTION.json`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from optmodel.checker import CheckReport, check_solution
from optmodel.cli import EXIT_BAD_RESULT, console, run_app
from optmodel.instance import read_instance
from optmodel.report import seconds
from optmodel.solution import Solution, read_solution
from optmodel.verified import digest


def main(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    solution: Annotated[Path, typer.Argument(help="Solution, a JSON file.")],
) -> None:
    """Recompute a solution in exact arithmetic; exit 0, or 1 with every violation.

    Example: python -m optmodel.check lenet.json lenet.solution.json
    """
    instance = read_instance(file)
    claimed = read_solution(solution)
    if claimed.instance_sha256 != digest(instance):
        console.print(
            f"{solution}: made for another instance or content ('{claimed.instance}')", markup=False
        )
    report = check_solution(instance, claimed)
    for violation in report.violations:
        console.print(str(violation), markup=False)
    if not report.passed:
        console.print(f"{solution}: {len(report.violations)} violation(s)", markup=False)
        sys.exit(EXIT_BAD_RESULT)
    console.print(f"{solution}: {_praise(claimed, report)}", markup=False)


def _praise(claimed: Solution, report: CheckReport) -> str:
    if claimed.placement is None or not claimed.placement.requests:
        return f"{claimed.solution_status}, no placement to check"
    served = len(claimed.placement.requests)
    return f"passed, {served} request(s), latency {seconds(float(report.objective_s))}"


if __name__ == "__main__":
    run_app(main)
