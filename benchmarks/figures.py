"""The paper's Figure 3, rebuilt: `python -m benchmarks.figures`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.figures")

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from benchmarks.common.command import chosen, listed, print_table, require_folder
from benchmarks.evaluation.page import described, page
from benchmarks.evaluation.panels import PANELS, POLICIES, EvaluationPlan
from benchmarks.evaluation.plot import save_overview, save_panel
from benchmarks.evaluation.results import PLAN_FILE, RUNS_FOLDER
from benchmarks.evaluation.runs import simulate_all
from benchmarks.evaluation.table import (
    BOUND,
    KEYS,
    LATENCY,
    REJECTED,
    SHARED,
    UNSERVED,
    compared,
    decisions,
    lines_of,
    over_seeds,
    to_csv,
    utilisation,
)
from benchmarks.simulate.setting import PAPER_NETWORKS, Setting
from heuristics.policies import policy_type
from instances.cnns import NETWORKS
from optmodel.ground.command_line import console, require_number
from optmodel.ground.file_lock import FileLock
from optmodel.ground.json_files import read_model, write_model
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import write_text

MOST_REQUESTS, MOST_SEEDS, MOST_WORKERS = 1_000_000, 10_000, 256
EVERY_PANEL, EVERY_POLICY, EVERY_NETWORK = [*PANELS], [*POLICIES], [*PAPER_NETWORKS]
IN_OVERVIEW = 2
"""Policies drawn in the overview, the first of those compared; each panel's picture has all."""

PRINTED = {
    "tolerated_ssim": "SSIM",
    LATENCY: "latency s",
    BOUND: "bound s",
    SHARED: "shared Gbit",
    REJECTED: "rejected %",
    UNSERVED: "never %",
}
"""Columns of the printed table, by the measure that they show."""

RequestsOption = Annotated[int, typer.Option(help="Requests of a run.")]
SeedsOption = Annotated[int, typer.Option(help="How many seeds, from 0.")]
WorkersOption = Annotated[int, typer.Option(help="Processes of a local cluster.")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="Address of a dask scheduler to use instead: tcp://host:8786.")
]


def main(
    panel: Annotated[list[str], typer.Option(help="Panels: 3a, or 3a,3b.")] = EVERY_PANEL,
    requests: RequestsOption = 320,
    seeds: SeedsOption = 5,
    policies: Annotated[list[str], typer.Option(help="Who places requests.")] = EVERY_POLICY,
    networks: Annotated[list[str], typer.Option(help="Networks to ask for.")] = EVERY_NETWORK,
    out: Annotated[
        Path, typer.Option(help="Folder for pictures, tables and finished runs.")
    ] = Path("figures"),
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
) -> None:
    """Simulate what the panels of Figure 3 compare; draw them, and write their tables.

    Finished runs are kept in the folder: stopped, the command goes on where it was.

    Example: python -m benchmarks.figures --panel 3e,3f --requests 20 --seeds 2 --out figures
    """
    require_amounts(requests, seeds, workers)
    plan = EvaluationPlan(
        base=Setting(requests=requests, networks=chosen("networks", networks, NETWORKS)),
        panels=chosen("panel", panel, PANELS),
        policies=listed(policies),
        seeds=seeds,
    )
    for name in plan.policies:
        policy_type(name, "policies")
    require_cluster(scheduler)
    require_folder("--out", out, PLAN_FILE)
    with FileLock(out):
        require_covered(plan, out)
        draw(plan, out, workers, scheduler)


def require_amounts(requests: int, seeds: int, workers: int) -> None:
    """Refuse more or fewer requests, seeds or workers than can be.

    Raises
    ------
    InputError
        Naming the option.
    """
    require_number("--requests", requests, 1, MOST_REQUESTS)
    require_number("--seeds", seeds, 1, MOST_SEEDS)
    require_number("--workers", workers, 1, MOST_WORKERS)


def require_cluster(scheduler: str | None) -> None:
    """Refuse the address of a dask scheduler, if one is named and none answers there.

    Raises
    ------
    InputError
        Naming the option.
    """
    from optmodel.ground.workers import (
        require_scheduler,  # dask is an extra, and help is to do without.
    )

    require_scheduler(scheduler)


def require_covered(plan: EvaluationPlan, out: Path) -> None:
    """Refuse a folder that shows what a plan would not show any more.

    Raises
    ------
    InputError
        If it holds a plan that this one does not cover, or one that cannot be read.
    """
    path = out / PLAN_FILE
    if not path.exists():
        return
    known = read_model(path, EvaluationPlan)
    if not plan.covers(known):
        raise InputError(
            f"--out: expected a new folder, or one with no more than this draws, got '{out}' with "
            f"what `{known.command(out)}` draws; name another or ask for all of that too"
        )


def draw(plan: EvaluationPlan, out: Path, workers: int, scheduler: str | None) -> None:
    """Simulate what is missing, and write pictures, tables and the page."""
    write_model(out / PLAN_FILE, plan)
    runs = simulate_all(plan.settings(), out / RUNS_FOLDER, workers, scheduler)
    cases = list(plan.cases())
    frame = over_seeds(lines_of(cases, runs, compared), KEYS)
    for name in plan.panels:
        write_text(out / f"{name}.csv", to_csv(frame[frame["panel"] == name]))
        save_panel(frame, name, [out / f"{name}.png", out / f"{name}.svg"])
    used = over_seeds(lines_of(cases, runs, utilisation), [*KEYS, "family"])
    write_text(out / "utilisation.csv", to_csv(used))
    write_text(out / "decisions.csv", to_csv(over_seeds(lines_of(cases, runs, decisions), KEYS)))
    save_overview(frame, plan.policies[:IN_OVERVIEW], [out / "all.png", out / "all.svg"])
    write_text(out / "index.html", page(frame, plan, plan.command(out)))
    console.print(described(plan))
    print_frame(frame)
    console.print(f"{out / 'index.html'} shows all")


def print_frame(frame: pd.DataFrame) -> None:
    """Print what the panels show, panels that share their runs once."""
    shown = frame.drop_duplicates(["x", "tolerated_ssim", "policy", LATENCY, SHARED])
    texts = ("panel", "x", "policy")
    rows = (
        [*(str(row[name]) for name in texts), *(f"{row[name]:.4g}" for name in PRINTED)]
        for row in shown.to_dict("records")
    )
    print_table(console, texts, [*PRINTED.values()], rows)
