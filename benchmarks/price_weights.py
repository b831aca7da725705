"""What the weights of lookahead's price win: `python -m benchmarks.price_weights`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.price_weights")

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from benchmarks.common.command import instance_files, progress
from benchmarks.common.csv_text import csv_text
from benchmarks.simulate import Setting, simulate
from heuristics.policy import place_all
from optmodel.ground.command_line import console, require_output
from optmodel.ground.json_files import read_model
from optmodel.ground.whole_files import write_text
from optmodel.online import KnownPaths, LookaheadPolicy, PriceWeights
from optmodel.placement import Solution, evaluate
from optmodel.problem import Problem, read_instance

CHOSEN = PriceWeights()
LINEAR = 1 + 1e-6
"""A steepness at which prices grow as what is used."""
BUSY = ((0.8, 20), (0.8, 40), (0.4, 40))
"""Tolerance and devices of the simulated runs, of 160 requests and two seeds each."""


class WeighedSetting(Setting):
    """A simulated run with weights of its own."""

    weights: PriceWeights

    def make_policy(self, paths: KnownPaths | None = None) -> LookaheadPolicy:
        """Return lookahead with these weights."""
        return LookaheadPolicy(paths=paths, weights=self.weights)


def variants() -> Iterator[tuple[str, PriceWeights]]:
    """Yield the chosen weights, and each of them left out, halved and doubled."""
    yield "as chosen", CHOSEN
    for name, value in asdict(CHOSEN).items():
        none = LINEAR if name == "steepness" else 0.0
        for label, other in (("none", none), ("halved", value / 2), ("doubled", value * 2)):
            yield f"{name} {label}", replace(CHOSEN, **{name: other})


def gap(file: Path, weights: PriceWeights, paths: KnownPaths) -> tuple[int, float | None]:
    """Return how many requests are served, and how far above the bound that ships beside a file.

    None where fewer are served than by the placement that ships there.
    """
    problem = Problem.of(read_instance(file))
    known = read_model(file.with_suffix(".solution.json"), Solution)
    placement = place_all(problem, LookaheadPolicy(paths=paths, weights=weights)).placement
    served = len(placement.requests)
    best = 0 if known.placement is None else len(known.placement.requests)
    if not served or served < best or not known.bound_s:
        return served, None
    return served, evaluate(problem, placement).latency_s / known.bound_s - 1


def measured(files: Sequence[Path], weights: PriceWeights, paths: KnownPaths) -> dict[str, float]:
    """Return what some weights lead to, on instances and in simulated runs."""
    served, gaps = zip(*(gap(file, weights, paths) for file in files), strict=True)
    found = [one for one in gaps if one is not None]
    runs = [
        simulate(
            WeighedSetting(
                requests=160, tolerated_ssim=tolerance, devices=devices, seed=seed, weights=weights
            )
        )[0].all
        for tolerance, devices in BUSY
        for seed in range(2)
    ]
    return {
        "served": sum(served),
        "gaps": len(found),
        "gap_percent": 100 * sum(found) / len(found),
        "waited": sum(run.rejected_first for run in runs),
        "latency_s": sum(run.latency_s for run in runs) / sum(run.served for run in runs),
    }


def main(
    instances: Annotated[list[Path], typer.Option(help="Folder with instances, or one file.")],
    out: Annotated[Path | None, typer.Option(help="Write the table as FILE.csv.")] = None,
) -> None:
    """Measure lookahead with each weight of its price left out, halved and doubled.

    On instances: how many requests are served; and the mean gap to the bound that ships beside each
    of those (their number is told) of which as many are served as by the placement there. In
    simulated runs: how many requests had to wait, and the mean latency, waiting included.

    Example: python -m benchmarks.price_weights --instances instances/small/ --instances
    instances/medium/
    """
    require_output("--out", out, ".csv")
    files = [file for one in instances for file in instance_files("--instances", one)]
    paths = KnownPaths(len(files), shares_arcs=False)
    rows = [
        {"weights": label, **measured(files, weights, paths)}
        for label, weights in progress([*variants()], "Measuring")
    ]
    frame = pd.DataFrame(rows).round({"gap_percent": 3, "latency_s": 3})
    console.print(frame.to_string(index=False), markup=False, highlight=False)
    if out is not None:
        write_text(out, csv_text(frame))
