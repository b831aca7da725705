"""What a promise costs: exact trade-off curves, `python -m benchmarks.tradeoffs --out DIR`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cli import ForceOption, progress
from benchmarks.tradeoff_cases import KINDS, Choice, Kind, Policy
from benchmarks.tradeoff_plot import plot_shared, plot_tolerance, save_plot
from benchmarks.tradeoff_record import CurveBook, Curves
from benchmarks.tradeoff_run import Runner
from benchmarks.tradeoff_table import frame_of, print_curves
from instances.ssim import TABLE_I
from optmodel.cli import (
    MAX_SECONDS,
    MipGapOption,
    SeedOption,
    ThreadsOption,
    console,
    require_choice,
    run_app,
)
from optmodel.files import InputError, require_writable, write_text
from optmodel.pareto import MOST_COUNTED
from optmodel.solvers import SolverOptions

PLOTS = {"tolerance": plot_tolerance, "shared": plot_shared}
MOST_DEVICES = 1000


def main(
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and records.")],
    curves: Annotated[
        str, typer.Option(help=f"Which curves, of {', '.join(KINDS)}, with commas between.")
    ] = ",".join(KINDS),
    networks: Annotated[
        str, typer.Option(help="Networks, with commas between.")
    ] = "lenet,cifar_cnn,vgg16,vgg19",
    fleets: Annotated[
        str, typer.Option(help="Fleets as instances.generate takes them, with commas between.")
    ] = "mixed,power",
    devices: Annotated[
        str, typer.Option(help="Numbers of helpers for tolerance and price.")
    ] = "10,40",
    shared_devices: Annotated[
        str,
        typer.Option(
            help=f"Numbers of helpers for shared data; points are proven up to {MOST_COUNTED}, "
            "beyond that they lie between bounds."
        ),
    ] = "4,40",
    tolerances: Annotated[
        str, typer.Option(help="Tolerated SSIM for shared data and price.")
    ] = "0.8,0.6,0.4",
    ssim: Annotated[
        Path | None, typer.Option(help="SSIM table, a JSON file; default: the paper's Table I.")
    ] = None,
    unattainable: Annotated[
        str | None,
        typer.Option(
            help="Layers of which no share is safe: reject or source; default: reject for Table I, "
            "source with --ssim."
        ),
    ] = None,
    points: Annotated[
        int, typer.Option(min=2, help="Points of each front of shared data, at most about.")
    ] = 12,
    time_limit: Annotated[
        float, typer.Option(min=0.001, max=MAX_SECONDS, help="Seconds for each run of a solver.")
    ] = 30.0,
    mip_gap: MipGapOption = 1e-6,
    threads: ThreadsOption = 1,
    seed: SeedOption = None,
    force: ForceOption = False,
) -> None:
    """Compute what latency buys: a looser promise of privacy, or more data shared.

    Writes tolerance, shared and price as CSV, the first two also as PNG and SVG. Every point is
    proven, or says between which bounds it lies. What is recorded in the folder is not computed
    again; a killed run goes on where it stopped.

    Example: python -m benchmarks.tradeoffs --networks lenet --devices 10 --out tradeoffs
    """
    table = TABLE_I if ssim is None else ssim
    choice = Choice(
        kinds=_kinds(curves),
        networks=_listed(networks),
        fleets=_listed(fleets),
        devices=_counts("--devices", devices),
        shared_devices=_counts("--shared-devices", shared_devices),
        tolerances=_tolerances(tolerances),
        ssim=table,
        policy=_policy(unattainable or ("reject" if ssim is None else "source")),
    )
    cases = list(choice.cases())
    for case in cases:
        case.instance()  # Refuses what is not understood before anything is computed.
    book = CurveBook(_folder(out) / "tradeoffs.records.json")
    options = SolverOptions(time_limit_s=time_limit, mip_gap=mip_gap, threads=threads, seed=seed)
    runner = Runner(book, options, points, force)
    found: Curves = {case: runner.run(case) for case in progress(cases, "Trading off")}
    for kind in choice.kinds:
        _write(out, kind, {case: found[case] for case in cases if case.kind == kind})
    print_curves(console, found)


def _write(out: Path, kind: Kind, curves: Curves) -> None:
    write_text(out / f"{kind}.csv", frame_of(kind, curves).to_csv(index=False))
    if kind in PLOTS:
        save_plot(out / f"{kind}.png", curves, PLOTS[kind])


def _folder(out: Path) -> Path:
    """Make the folder, and refuse it if a file cannot be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out: expected a folder, got '{out}' ({error.strerror}); name another"
        ) from error
    for name in ("tradeoffs.records.json", *(f"{kind}.csv" for kind in KINDS)):
        require_writable(out / name)
    return out


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",")))


def _kinds(text: str) -> list[Kind]:
    names = _listed(text)
    for name in names:
        require_choice("--curves", name, KINDS)
    return [kind for kind in KINDS if kind in names]


def _counts(option: str, text: str) -> list[int]:
    counts = []
    for part in _listed(text):
        if not part.isdecimal() or not 1 <= int(part) <= MOST_DEVICES:
            raise InputError(
                f"{option}: expected whole numbers from 1 to {MOST_DEVICES} with commas between, "
                f"got '{part}'; correct it"
            )
        counts.append(int(part))
    return counts


def _tolerances(text: str) -> list[float]:
    try:
        return [float(part) for part in _listed(text)]
    except ValueError as error:
        raise InputError(
            f"--tolerances: expected numbers from -1 to 1 with commas between, got '{text}'; "
            "correct it"
        ) from error


def _policy(text: str) -> Policy:
    if text == "reject":
        return "reject"
    if text == "source":
        return "source"
    raise InputError(f"--unattainable: expected reject or source, got '{text}'; correct it")


if __name__ == "__main__":
    run_app(main)
