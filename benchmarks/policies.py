"""How fast policies decide, and how well: `python -m benchmarks.policies`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.policies")

import operator
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer

from benchmarks.common.command import (
    GOAL_TITLES,
    ForceOption,
    OutOption,
    goal_cells,
    print_table,
    progress,
)
from benchmarks.common.records import Record, record_book
from benchmarks.decisions.decision_times import DecisionCase, decide
from benchmarks.decisions.policy_targets import PolicyTarget, policy_table
from optmodel.ground.command_line import console, require_output

Records = Mapping[DecisionCase, Record]


def main(
    repeat: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs of single decisions; the median is kept.")
    ] = 5,
    out: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Measure how long policies take to decide, and how far they are from the optimum.

    Prints what each row of work takes beside what is to be reached. Every placement is checked
    exactly. With --out a run that was interrupted goes on where it stopped. Exit code 1 if a
    placement breaks a limit or beats a proven bound.

    Example: python -m benchmarks.policies --out policies.csv
    """
    require_output("--out", out, ".csv")
    targets = policy_table(repeat)
    cases = [*dict.fromkeys(case for target in targets for case in target.cases)]
    with record_book(out, Record, force=force, timed=True) as book:
        records = {
            case: book.recorded(case.instance, case.contender, case.options, partial(decide, case))
            for case in progress(cases, "Deciding")
        }
    print_targets(targets, records)


def print_targets(targets: tuple[PolicyTarget, ...], records: Records) -> None:
    """Print one line per row: the value, and whether it reaches what it should."""
    rows = []
    for target in targets:
        found = [records[case] for case in target.cases]
        value = target.value(found)
        served, requests = sum(r.served for r in found), sum(r.requests for r in found)
        goals = (target.at_least, target.aim)
        cells = goal_cells(goals, partial(operator.le, value), "{:g}".format)
        rows.append([target.work, f"{served}/{requests}", f"{value:.3f}", *cells])
    print_table(console, ["work"], ["served", "value", *GOAL_TITLES], rows)
    console.print(
        "single decisions: of the slowest instance; the ratio: of the least", markup=False
    )
