"""`python -m attack table`: measure an SSIM table; `victim` trains a network once for several.

`curves` draws tables, `sheet` shows what was recovered. Torch is an extra, and takes seconds to
load: what needs it is imported when a command runs, and help is to do without.
"""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("attack.__main__")

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from attack.attacker_view import VIEW_KINDS, AttackerView
from attack.budgets import BUDGETS
from attack.curves import read_tables, save_curves
from instances.networks import network_file
from optmodel.ground.command_line import console, errors, parted, require_choice, require_output
from optmodel.ground.figure_file import PICTURE_SUFFIXES
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import refuse_standard_output, require_writable

if TYPE_CHECKING:
    from distributed import Client

    from attack.cell_attack import AttackScene, CellKey
    from attack.victim_training import TrainedVictim

NetworkOption = Annotated[
    str, typer.Option(help="Network of the victim: its name, or a FILE.json that describes it.")
]
DataOption = Annotated[
    Path | None, typer.Option(help="Folder or zip with images; default: those shipped.")
]
SeedOption = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of everything.")]
EpochsOption = Annotated[int, typer.Option(min=1, max=10_000, help="Epochs of the victim.")]
RowsOption = Annotated[
    list[str] | None,
    typer.Option(help="Rows or layers, with commas between or repeated; default: all rows."),
]
CountsOption = Annotated[
    str, typer.Option(help="Maps held, for example 1,4,16; default: those of Table I.")
]
BudgetOption = Annotated[str, typer.Option(help=f"Attacker: {', '.join(BUDGETS)}.")]
VictimOption = Annotated[Path | None, typer.Option(help="Checkpoint of `python -m attack victim`.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, max=256, help="Default: one per core or GPU.")
]
SchedulerOption = Annotated[str | None, typer.Option(help="Address of a dask scheduler.")]
PictureOption = Annotated[Path, typer.Option(help="Picture to write, FILE.png or FILE.svg.")]

FILE_OPTIONS = ("--data", "--network", "--networks", "--out", "--victim")
"""Whose values are files or folders; a network that is built in has no folders in its name."""


def table(
    out: Annotated[Path, typer.Option(help="SSIM table to write, FILE.json.")],
    network: NetworkOption = "lenet",
    data: DataOption = None,
    rows: RowsOption = None,
    counts: CountsOption = "",
    budget: BudgetOption = "smoke",
    view: Annotated[str, typer.Option(help=f"What it holds: {', '.join(VIEW_KINDS)}.")] = "output",
    senders: Annotated[int, typer.Option(min=1, help="Senders of partial sums.")] = 1,
    colluders: Annotated[int, typer.Option(min=1, help="Devices that pool their shares.")] = 1,
    subsets: Annotated[int, typer.Option(min=0, max=100, help="Random ones, besides worst.")] = 2,
    seed: SeedOption = 0,
    victim: VictimOption = None,
    epochs: EpochsOption = 15,
    worker_processes: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure how much of an image each share of feature maps gives away.

    Example: python -m attack table --network lenet --budget smoke --out lenet.json
    """
    from attack.grid import FinishedCells, grid, measure_grid
    from attack.printed_table import print_measured
    from attack.scene_setting import load_data, set_scene, victim_of, view_of
    from attack.settings import describe

    refuse_standard_output(out)
    require_output("--out", out, ".json", victim, data, network_file(network))
    lock = FileLock(out)
    require_choice("budget", budget, BUDGETS)
    seen = view_of(view, senders, colluders)
    loaded = load_data(network, data, seed)
    keys = grid(loaded.network, parted(rows or []), parse_counts(counts), subsets)
    trained = victim_of(loaded, victim, epochs)
    _print_victim(trained)
    scene = set_scene(loaded, trained, budget, seen)
    ledger = FinishedCells(out, describe(loaded, trained, scene, budget), _command())
    missing = ledger.missing(loaded.network, keys)
    working = _workers(scene, missing, len(keys), scheduler, worker_processes)
    with lock, working as (client, advance):
        measured = measure_grid(client, scene, keys, ledger, advance)
    print_measured(console, measured)
    console.print(f"{out}: {len(measured.cells)} cells", markup=False)


def victim(
    out: Annotated[Path, typer.Option(help="Checkpoint to write, FILE.safetensors.")],
    network: NetworkOption = "lenet",
    data: DataOption = None,
    epochs: EpochsOption = 15,
    seed: SeedOption = 0,
) -> None:
    """Train a victim and keep it.

    Example: python -m attack victim --network lenet --out lenet.safetensors
    """
    from attack.checkpoint import write_checkpoint
    from attack.scene_setting import load_data, victim_of

    require_writable(out, data, network_file(network))
    loaded = load_data(network, data, seed)
    trained = victim_of(loaded, None, epochs)
    write_checkpoint(out, trained, loaded.images.fingerprint, seed)
    console.print(f"{out}: {_described(trained)}", markup=False)


def curves(
    tables: Annotated[list[Path], typer.Argument(help="Measured tables of one victim.")],
    out: PictureOption,
) -> None:
    """Draw SSIM against maps held: measured tables, the paper's Table I, blind guesses.

    Example: python -m attack curves paper.json strong.json --out curves.png
    """
    require_output("--out", out, PICTURE_SUFFIXES, *tables)
    save_curves(read_tables(tables), out)
    console.print(f"{out}: {len(tables)} table(s)", markup=False)


def sheet(
    out: PictureOption,
    network: NetworkOption = "lenet",
    data: DataOption = None,
    rows: RowsOption = None,
    counts: CountsOption = "",
    budget: BudgetOption = "smoke",
    images: Annotated[int, typer.Option(min=1, max=20, help="Images to show.")] = 8,
    seed: SeedOption = 0,
    victim: VictimOption = None,
    epochs: EpochsOption = 15,
    worker_processes: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Show images and what is recovered of them, worst subset of maps, by maps held.

    Example: python -m attack sheet --network lenet --counts 8,4,2,1 --out recovered.png
    """
    from attack.contact_sheet import choose_images, recover_rows, save_sheet
    from attack.grid import grid
    from attack.scene_setting import load_data, set_scene, victim_of
    from attack.settings import describe

    require_output("--out", out, PICTURE_SUFFIXES, victim, data, network_file(network))
    require_choice("budget", budget, BUDGETS)
    loaded = load_data(network, data, seed)
    keys = grid(loaded.network, parted(rows or []), parse_counts(counts), subsets=0)
    shown = choose_images(loaded.splits.evaluation, images, seed)
    trained = victim_of(loaded, victim, epochs)
    _print_victim(trained)
    scene = set_scene(loaded, trained, budget, AttackerView())
    working = _workers(scene, keys, len(keys), scheduler, worker_processes)
    with working as (client, advance):
        drawn = recover_rows(client, scene, keys, shown, advance)
    settings = describe(loaded, trained, scene, budget)
    save_sheet(drawn, settings, scene.view.describe(), out)
    console.print(f"{out}: {len(drawn)} rows of {images} images", markup=False)


def parse_counts(text: str) -> list[int]:
    """Return the numbers of a comma-separated list.

    Raises
    ------
    InputError
        If one is not a positive whole number.
    """
    parts = [part for part in parted(text) if part]
    for part in parts:
        if not part.isdecimal() or int(part) == 0:
            raise InputError(
                f"--counts: expected numbers of maps such as 1,4,16, got '{part}'; correct it"
            )
    return [int(part) for part in parts]


def _print_victim(trained: "TrainedVictim") -> None:
    console.print(f"victim: {_described(trained)}", markup=False)


def _described(trained: "TrainedVictim") -> str:
    name, seen = trained.victim.network.id, trained.exam_images
    return f"{name}, {trained.accuracy:.1%} of {seen} unseen images right"


@contextmanager
def _workers(
    scene: "AttackScene",
    missing: Sequence["CellKey"],
    total: int,
    scheduler: str | None,
    processes: int | None,
) -> Iterator[tuple["Client", Callable[[object], None]]]:
    """Give workers for the missing of all cells, and what moves the bar; print what they cost."""
    from attack.grid import default_workers
    from attack.time_forecast import seconds_of_cells
    from optmodel.ground.workers import connected

    with connected(scheduler, processes or default_workers()) as client:
        count = max(1, len(client.scheduler_info()["workers"]))
        seconds = seconds_of_cells(scene, missing) / count
        console.print(f"{len(missing)} cells, about {_duration(seconds)} on {count} worker(s)")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        shown = errors.is_terminal
        with Progress(*columns, TimeRemainingColumn(), console=errors, disable=not shown) as bar:
            task = bar.add_task("Cells", total=total, completed=total - len(missing))
            yield client, lambda _done: bar.advance(task)


def _command() -> str:
    """Return the command line; of a file only its name, whatever folders this machine has."""
    told = [_without_folders(before, word) for before, word in pairwise(["", *sys.argv[1:]])]
    return shlex.join(["python", "-m", "attack", *told])


def _without_folders(before: str, word: str) -> str:
    """Return a word of the command line; if it names a file, without the file's folders."""
    option, equals, value = word.partition("=")
    if equals and option in FILE_OPTIONS:
        return f"{option}={Path(value).name or value}"
    return (Path(word).name or word) if before in FILE_OPTIONS else word


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


COMMANDS = (table, victim, curves, sheet)
