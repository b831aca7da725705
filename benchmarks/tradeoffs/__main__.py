"""What a promise costs: exact trade-off curves, `python -m benchmarks.tradeoffs --out DIR`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.tradeoffs.__main__")

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.command import (
    TIME_LIMIT_S,
    ForceOption,
    chosen,
    listed,
    progress,
    require_folder,
)
from benchmarks.common.csv_text import csv_text
from benchmarks.tradeoffs.tradeoff_cases import KINDS, Kind, TradeoffCase, cases_of
from benchmarks.tradeoffs.tradeoff_plot import plot_shared, plot_tolerance, save_plot
from benchmarks.tradeoffs.tradeoff_record import CurveRecord, Curves
from benchmarks.tradeoffs.tradeoff_run import Runner
from benchmarks.tradeoffs.tradeoff_table import frame_of, print_curves
from instances.cnns import NETWORKS, SYNTHETIC
from instances.generate import Recipe, UnattainableOption, policy_of
from instances.ssim import TABLE_I
from optmodel.ground.command_line import (
    MAX_SECONDS,
    MipGapOption,
    SeedOption,
    ThreadsOption,
    console,
    parted_numbers,
    require_number,
)
from optmodel.ground.file_lock import FileLock
from optmodel.ground.finished_runs import RunStore, tell_reused
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import write_text
from optmodel.pareto import MOST_COUNTED
from optmodel.search import SolverOptions

PLOTS = {"tolerance": plot_tolerance, "shared": plot_shared}
RECORDS = "tradeoffs.records.json"
MOST_DEVICES, MOST_POINTS = 1000, 10_000
LEAST_SECONDS = 0.001
EVERY_CURVE: list[str] = [*KINDS]
EVERY_NETWORK = ["lenet", "cifar_cnn", "vgg16", "vgg19"]
FLEETS, DEVICES, SHARED_DEVICES = ["mixed", "power"], ["10", "40"], ["4", "40"]
TOLERANCES = ["0.8", "0.6", "0.4"]


def main(
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and records.")],
    curves: Annotated[
        list[str], typer.Option(help=f"Which curves, of {', '.join(KINDS)}, with commas between.")
    ] = EVERY_CURVE,
    networks: Annotated[
        list[str], typer.Option(help="Networks, with commas between.")
    ] = EVERY_NETWORK,
    fleets: Annotated[
        list[str],
        typer.Option(help="Fleets as instances.generate takes them, with commas between."),
    ] = FLEETS,
    devices: Annotated[
        list[str], typer.Option(help="Numbers of helpers for tolerance and price.")
    ] = DEVICES,
    shared_devices: Annotated[
        list[str],
        typer.Option(
            help=f"Numbers of helpers for shared data; up to {MOST_COUNTED}, points are sought one "
            "by one until proven, beyond that all together, between bounds."
        ),
    ] = SHARED_DEVICES,
    tolerances: Annotated[
        list[str], typer.Option(help="Tolerated SSIM for shared data and price.")
    ] = TOLERANCES,
    ssim: Annotated[
        Path | None, typer.Option(help="SSIM table, a JSON file; default: the paper's Table I.")
    ] = None,
    unattainable: UnattainableOption = "reject",
    points: Annotated[
        int, typer.Option(help="Points of each front of shared data, at most about; at least 2.")
    ] = 12,
    time_limit: Annotated[
        float,
        typer.Option(
            help="Seconds for each search: one for an optimum; for a front of shared data one for "
            "all prices on bits, which finishes the price it tries, and with up to "
            f"{MOST_COUNTED} helpers two more for each point."
        ),
    ] = TIME_LIMIT_S,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = 1,
    seed: SeedOption = None,
    force: ForceOption = False,
) -> None:
    """Compute what latency buys: a looser promise of privacy, or more data shared.

    Writes tolerance, shared and price as CSV, the first two also as PNG and SVG. Every point is
    proven, or says between which bounds it lies. What is recorded in the folder is not computed
    again: stopped, the command goes on where it was.

    Example: python -m benchmarks.tradeoffs --networks lenet --devices 10 --out tradeoffs
    """
    require_number("--points", points, 2, MOST_POINTS)
    require_number("--time-limit", time_limit, LEAST_SECONDS, MAX_SECONDS)
    kinds = _kinds(curves)
    cases = [
        *cases_of(
            kinds,
            chosen("networks", networks, [*NETWORKS, *SYNTHETIC]),
            listed(fleets),
            {
                "--devices": _counts("--devices", devices),
                "--shared-devices": _counts("--shared-devices", shared_devices),
            },
            [*dict.fromkeys(parted_numbers("--tolerances", tolerances, -1, 1))],
            Recipe((), ssim=ssim or TABLE_I, unattainable=policy_of(unattainable)),
        )
    ]
    for case in cases:
        case.instance()  # What is not understood is refused before anything is computed.
    require_folder("--out", out, RECORDS, *(f"{kind}.csv" for kind in kinds))
    options = SolverOptions(time_limit_s=time_limit, mip_gap=mip_gap, threads=threads, seed=seed)
    with FileLock(out):
        store = RunStore(out / RECORDS, CurveRecord)
        tell_reused(out / RECORDS, store.records)
        found = _computed(Runner(store, options, points, force), cases)
        for kind in kinds:
            _write(out, kind, {case: found[case] for case in cases if case.kind == kind})
    print_curves(console, found)


def _computed(runner: Runner, cases: Sequence[TradeoffCase]) -> Curves:
    """Return the record of each case; on Ctrl-C tell how many are finished."""
    found: Curves = {}
    try:
        for case in progress(cases, "Trading off"):
            found[case] = runner.run(case)
    except KeyboardInterrupt:
        kept = f"{len(found)} of {len(cases)} curves and prices are kept, the same command goes on"
        raise KeyboardInterrupt(kept) from None
    return found


def _write(out: Path, kind: Kind, curves: Curves) -> None:
    write_text(out / f"{kind}.csv", csv_text(frame_of(kind, curves)))
    if kind in PLOTS:
        save_plot(out / f"{kind}.png", curves, PLOTS[kind])


def _kinds(text: Iterable[str]) -> list[Kind]:
    names = chosen("curves", text, KINDS)
    return [kind for kind in KINDS if kind in names]


def _counts(option: str, texts: Iterable[str]) -> list[int]:
    counts = []
    for part in listed(texts):
        if not part.isdecimal() or not 1 <= int(part) <= MOST_DEVICES:
            raise InputError(
                f"{option}: expected whole numbers from 1 to {MOST_DEVICES} with commas between, "
                f"got '{part}'; correct it"
            )
        counts.append(int(part))
    return counts
