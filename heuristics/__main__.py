"""Place without a solver: `python -m heuristics FILE.json`, or `serve FLEET.json` as they come."""

from pathlib import Path
from typing import Annotated

import typer

from heuristics import policies
from heuristics.policies import POLICIES
from heuristics.scheduler.serve import serve
from optmodel.cli import console, run_app
from optmodel.files import require_writable, write_model
from optmodel.instance import read_instance
from optmodel.report import print_solution


def place(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    policy: Annotated[
        str,
        typer.Option(
            help=f"How to place: {', '.join(POLICIES)}, or package.module.Class of your own."
        ),
    ] = "lookahead",
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of policies that draw at random.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the solution as JSON.")] = None,
) -> None:
    """Place the requests of an instance one after another, as they would arrive.

    Every placement is checked exactly. The bound is what the stages prove of the served requests
    on this fleet; the gap says how far above it they are. Exit code 1 if the policy breaks a limit.

    Example: python -m heuristics instances/small/lenet-0.8-4-mixed.json --policy algorithm1
    """
    if out is not None:
        require_writable(out, file)
    solution = policies.place(read_instance(file), policy, seed)
    if out is not None:
        write_model(out, solution)
    print_solution(console, solution)


if __name__ == "__main__":
    run_app(place, serve)
