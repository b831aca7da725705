"""Place without a solver: `python -m heuristics FILE.json`, or `serve FLEET.json` as they come."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from heuristics import policies
from heuristics.improve import improve_solution
from heuristics.policies import POLICIES
from heuristics.scheduler.serve import serve
from optmodel.cli import EXIT_INTERRUPTED, MAX_SECONDS, console, errors, run_app
from optmodel.files import require_writable, write_model
from optmodel.instance import read_instance
from optmodel.report import print_solution
from optmodel.solution import Termination


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
    improve: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_SECONDS,
            help="Improve the placement for so many seconds, or to Ctrl-C.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the solution as JSON.")] = None,
) -> None:
    """Place the requests of an instance one after another, as they would arrive.

    Every placement is checked exactly. The bound is what the stages prove of the served requests
    on this fleet; the gap says how far above it they are. Exit code 1 if the policy breaks a limit,
    130 if Ctrl-C cut an improvement short.

    Example: python -m heuristics instances/small/lenet-0.8-4-mixed.json --policy algorithm1
    """
    if out is not None:
        require_writable(out, file)
    instance = read_instance(file)
    with errors.status("Placing; Ctrl-C ends it."):
        solution = policies.place(instance, policy, seed)
    if improve is not None:
        with errors.status(f"Improving for up to {improve:g} s; Ctrl-C keeps the best so far."):
            solution = improve_solution(instance, solution, improve, seed=seed)
    if out is not None:
        write_model(out, solution)
    print_solution(console, solution)
    if solution.termination is Termination.INTERRUPTED:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    run_app(place, serve)
