"""Place without a solver: `python -m heuristics FILE.json`, or `serve FLEET.json` as they come."""

from pathlib import Path
from typing import Annotated

import typer

from heuristics import policies
from heuristics.policies import POLICIES
from heuristics.scheduler.serve import serve
from optmodel.cli import console, require_choice, run_app
from optmodel.files import require_writable, write_model
from optmodel.instance import read_instance
from optmodel.report import print_solution


def place(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    policy: Annotated[
        str, typer.Option(help=f"How to place: {', '.join(POLICIES)}.")
    ] = "algorithm1",
    out: Annotated[Path | None, typer.Option(help="Write the solution as JSON.")] = None,
) -> None:
    """Place the requests of an instance one after another, without a solver.

    Example: python -m heuristics instances/small/lenet-0.8-4-mixed.json
    """
    require_choice("--policy", policy, POLICIES)
    if out is not None:
        require_writable(out, file)
    solution = policies.place(read_instance(file), policy)
    if out is not None:
        write_model(out, solution)
    print_solution(console, solution)


if __name__ == "__main__":
    run_app(place, serve)
