"""What the paper leaves open, chosen otherwise: `python -m benchmarks.sensitivity`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.sensitivity")

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.command import require_folder
from benchmarks.evaluation.results import RUNS_FOLDER, Results
from benchmarks.evaluation.runs import simulate_all
from benchmarks.evaluation.variants import sensitivity_page, variants
from benchmarks.figures import (
    RequestsOption,
    SchedulerOption,
    SeedsOption,
    WorkersOption,
    require_amounts,
    require_cluster,
)
from benchmarks.simulate import Setting
from optmodel.ground.command_line import console
from optmodel.ground.file_lock import FileLock
from optmodel.ground.whole_files import write_text

PAGE_FILE = "sensitivity.md"


def main(
    out: Annotated[Path, typer.Option(help="Folder for the page and finished runs.")],
    requests: RequestsOption = 160,
    seeds: SeedsOption = 1,
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
) -> None:
    """Judge the paper's sentences with period, memory, alpha, beta and unit chosen otherwise.

    With one seed a difference counts by its sign, with more by its 95 % interval. Finished runs are
    kept in the folder: stopped, the command goes on where it was.

    Example: python -m benchmarks.sensitivity --out sensitivity
    """
    require_amounts(requests, seeds, workers)
    require_cluster(scheduler)
    require_folder("--out", out, PAGE_FILE)
    base = Setting(requests=requests)
    plans = {one.name: one.plan(base, seeds) for one in variants(base)}
    settings = list(dict.fromkeys(one for plan in plans.values() for one in plan.settings()))
    command = (
        f"python -m benchmarks.sensitivity --requests {requests} --seeds {seeds} --out {out.name}"
    )
    with FileLock(out):
        runs = simulate_all(settings, out / RUNS_FOLDER, workers, scheduler)
        told = {
            name: Results(plan, {case: runs[case.setting] for case in plan.cases()})
            for name, plan in plans.items()
        }
        write_text(out / PAGE_FILE, sensitivity_page(base, told, command))
    console.print(f"{out / PAGE_FILE}: {len(settings)} runs, {len(plans)} variants")
