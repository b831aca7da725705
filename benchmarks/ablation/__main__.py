"""What each part of the engine for batches wins: `python -m benchmarks.ablation`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.ablation.__main__")

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from benchmarks.ablation.ablation_table import print_ablation
from benchmarks.common.command import (
    TIME_LIMIT_S,
    Faults,
    ForceOption,
    InstancesOption,
    OutOption,
    TimeLimitOption,
    chosen,
    instance_files,
    progress,
)
from benchmarks.common.records import Record, RecordBook, record_book
from optmodel.batch import BOUNDS, MOVES, BatchEngine, BatchOptions, run_columns
from optmodel.ground.command_line import console, require_output
from optmodel.limits import limit_served
from optmodel.placement import Termination
from optmodel.problem import Instance, read_instance
from optmodel.search import Search, SolverOptions
from optmodel.solving import solve_by

WHOLE = "all parts"
"""Label of the engine with nothing left out."""
PARTS: list[str] = [*(name for name in MOVES if name != "insert"), *BOUNDS]
"""What can be left out: placing moves and bounds. All requests are to be served here, so that there
is nothing to insert."""


def options_without(part: str) -> BatchOptions:
    """Return the engine's options with one part left out, `WHOLE` for none."""
    moves = tuple(name for name in MOVES if name != part)
    return BatchOptions(moves=moves, bounds=tuple(name for name in BOUNDS if name != part))


def _columns(search: Search, options: BatchOptions) -> Termination:
    limit_served(search)
    return run_columns(search, BatchEngine(search, options))


def ablated(
    instance: Instance, part: str, options: SolverOptions, book: RecordBook[Record]
) -> Record:
    """Return the record of a run without a part, solving unless the book has it.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C cut the run short, which is then not recorded.
    """
    label = part if part == WHOLE else f"without {part}"
    method = partial(_columns, options=options_without(part))

    def solved() -> Record:
        return Record.of(solve_by(method, instance, label, options), len(instance.requests))

    return book.recorded(instance, label, asdict(options), solved)


def main(
    instances: InstancesOption,
    without: Annotated[
        list[str],
        typer.Option(
            help=f"Parts to leave out, one at a time, of {', '.join(PARTS)}, with commas between."
        ),
    ] = PARTS,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs of each, with seeds 0, 1, 2, ...")
    ] = 3,
    time_limit: TimeLimitOption = TIME_LIMIT_S,
    out: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Leave out each part of the engine for batches in turn, and compare what comes of it.

    Every run solves an instance with the method columns; all start from the default heuristic's
    placement. A part earns its place if leaving it out makes latencies longer or bounds lower.
    With --out a run that was interrupted goes on where it stopped. Exit code 1 if a placement fails
    the checker, 2 if an instance is unusable.

    Example: python -m benchmarks.ablation --instances instances/medium/ --without plans --seeds 1
    """
    require_output("--out", out, ".csv")
    parts = (WHOLE, *chosen("without", without, PARTS))
    files = instance_files("--instances", instances)
    todo = [(file, seed, part) for file in files for seed in range(seeds) for part in parts]
    faults = Faults()
    records: list[Record] = []
    with record_book(out, Record, force=force) as book:
        for file, seed, part in progress(todo, "Solving"):
            with faults.noted(file):
                options = SolverOptions(time_limit_s=time_limit, seed=seed)
                records.append(ablated(read_instance(file), part, options, book))
    if records:
        print_ablation(console, records, WHOLE)
    faults.print()
    faults.exit_if_any()
