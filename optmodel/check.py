"""Check a solution, or a placement alone: `python -m optmodel.check FILE.json SOLUTION.json`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("optmodel.check")

import sys
from pathlib import Path
from typing import Annotated

import typer

from optmodel.checker import CheckReport, check, check_solution
from optmodel.ground.command_line import EXIT_BAD_RESULT, console
from optmodel.placement import (
    PlacementDocument,
    Solution,
    latency_text,
    read_solution_or_placement,
    request_table,
    with_flows,
)
from optmodel.problem import read_instance
from optmodel.solution_builder import latencies


def main(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    solution: Annotated[Path, typer.Argument(help="Solution, or its placement, a JSON file.")],
) -> None:
    """Recompute a solution in exact arithmetic; exit 0, or 1 with every violation.

    A file may hold a placement alone: {"requests": [{"request": "r1", "layers": [{"layer": "conv1",
    "segments": {"camera-1": 1}}, ...]}]}. Its latency is printed. Flows may be left out.

    Example: python -m optmodel.check lenet.json lenet.solution.json
    """
    instance = read_instance(file)
    claimed = read_solution_or_placement(solution)
    if isinstance(claimed, Solution):
        report = check_solution(instance, claimed)
    else:
        claimed = with_flows(instance, claimed)
        report = check(instance, claimed)
    for violation in report.violations:
        console.print(str(violation), markup=False)
    if not report.passed:
        console.print(f"{solution}: {len(report.violations)} violation(s)", markup=False)
        sys.exit(EXIT_BAD_RESULT)
    if isinstance(claimed, PlacementDocument):
        for placed, latency in zip(claimed.requests, latencies(report), strict=True):
            console.print(request_table(placed, latency))
    console.print(f"{solution}: {_praise(claimed, report)}", markup=False)


def _praise(claimed: Solution | PlacementDocument, report: CheckReport) -> str:
    placement = claimed.placement if isinstance(claimed, Solution) else claimed
    if isinstance(claimed, Solution) and (placement is None or not placement.requests):
        return f"{claimed.solution_status}, no placement to check"
    served = len(report.layer_latency_s)
    return f"passed, {served} request(s), latency {latency_text(float(report.objective_s))}"
