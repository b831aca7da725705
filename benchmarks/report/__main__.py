"""One page with gaps, figures and placements: `python -m benchmarks.report --instances DIR`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.report.__main__")

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.command import (
    TIME_LIMIT_S,
    Faults,
    InstancesOption,
    MethodOption,
    TimeLimitOption,
    instance_files,
    listed,
    progress,
)
from benchmarks.common.records import Record, json_path, record_book
from benchmarks.gap.__main__ import SHOWN, compare_files
from benchmarks.gap.comparison import Comparer, Contender
from benchmarks.gap.gap_table import summary
from benchmarks.report.report_page import Figure, Stored, read_figures, report_page
from heuristics.policies import policy_type
from instances.set_members import solution_file
from optmodel.ground.command_line import console, require_choice, require_output
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import write_text
from optmodel.page import view_solution
from optmodel.placement import read_solution
from optmodel.problem import digest, read_instance
from optmodel.search import SolverOptions
from optmodel.solving import METHODS


def main(
    instances: InstancesOption = Path("instances/small"),
    out: Annotated[Path, typer.Option(help="Write the page, FILE.html.")] = Path("report.html"),
    figures: Annotated[
        Path | None, typer.Option(help="Folder whose PNG and SVG files are shown.")
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            help="FILE.csv of benchmarks.gap; what it holds of the same options is not repeated, "
            "what it lacks is added."
        ),
    ] = None,
    policies: Annotated[
        list[str], typer.Option(help="What to compare, with commas between.")
    ] = SHOWN,
    method: MethodOption = "auto",
    time_limit: TimeLimitOption = TIME_LIMIT_S,
) -> None:
    """Show the gaps of policies, figures, and the stored placements on one page.

    The page is one file: it loads nothing, and everything in it that comes from files is escaped.
    The placements are those of NAME.solution.json beside NAME.json. Exit code 1 if a placement
    fails the checker or a policy beats a proven optimum, 2 if an instance is unusable.

    Example: python -m benchmarks.report --instances instances/small/ --out report.html
    """
    files = instance_files("--instances", instances)
    _refuse_bad_options(files, method, out, records)
    named = listed(policies)
    for name in named:
        policy_type(name, "policies")
    drawings: Sequence[Figure] = () if figures is None else read_figures("--figures", figures)
    contenders = tuple(Contender(name) for name in named)
    options = SolverOptions(time_limit_s=time_limit)
    faults = Faults()
    with record_book(records, Record) as book:
        comparisons = compare_files(files, Comparer(method, options, contenders, book), faults)
    stored = stored_solutions(files, faults)
    if not comparisons and not stored:
        faults.print()
        faults.exit_if_any()
    page = report_page(str(instances), comparisons, drawings, stored, faults)
    write_text(out, page)
    console.print(summary(comparisons), markup=False)
    console.print(
        f"{out}: {len(comparisons)} instances, {len(stored)} stored solutions, "
        f"{len(drawings)} figures; {len(page.encode()) / 1e6:.2f} MB",
        markup=False,
    )
    faults.print()
    faults.exit_if_any()


def _refuse_bad_options(
    files: Sequence[Path], method: str, out: Path, records: Path | None
) -> None:
    require_choice("method", method, METHODS)
    beside = None if records is None else json_path(records)
    solutions = [solution_file(file) for file in files]
    require_output("--out", out, ".html", *files, *solutions, records, beside)
    require_output("--records", records, ".csv", *files)


def stored_solutions(files: Sequence[Path], faults: Faults) -> dict[str, Stored]:
    """Return the solutions that stand beside instances, by instance, as they are shown.

    One that was made for another content, or that the checker refuses, is noted as a fault; the
    latter is shown with what is wrong.
    """
    found: dict[str, Stored] = {}
    for file in progress(files, "Drawing"):
        path = solution_file(file)
        if not path.exists():
            continue
        with faults.noted(path):
            instance, solution = read_instance(file), read_solution(path)
            if solution.instance_sha256 != digest(instance):
                raise InputError(
                    f"{path}: instance_sha256: expected the digest of {file.name}, got that of "
                    "another content; solve the instance again"
                )
            view = view_solution(instance, solution)
            faults.wrong += [f"{path}: {violation}" for violation in view.violations]
            found.setdefault(instance.name, Stored.of(view))
    return found
