"""Place without a solver: `python -m heuristics FILE.json`, or `serve FLEET.json` as they come."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("heuristics.__main__")

import sys
from pathlib import Path
from typing import Annotated

import typer

from heuristics import policies
from heuristics.improvement import improve_solution
from heuristics.policy_options import DecisionTimeOption, PolicyOption, SeedOption
from heuristics.scheduler.serve import serve
from optmodel.ground.command_line import EXIT_INTERRUPTED, MAX_SECONDS, console, errors
from optmodel.ground.json_files import write_model
from optmodel.ground.whole_files import STANDARD, require_writable
from optmodel.online import DECISION_TIME_S
from optmodel.placement import Solution, Termination, facts, print_solution
from optmodel.problem import read_instance


def place(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    policy: PolicyOption = "lookahead",
    seed: SeedOption = 0,
    decision_time: DecisionTimeOption = DECISION_TIME_S,
    improve: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_SECONDS,
            help="Improve the placement for so many seconds, or to Ctrl-C.",
        ),
    ] = None,
    bound_time_limit: Annotated[
        float | None,
        typer.Option(
            "--bound-time-limit",
            "--time-limit",
            min=0.001,
            max=MAX_SECONDS,
            help="Seconds for the bound; default: some for each kind of request. What "
            "--improve takes has its own.",
        ),
    ] = None,
    no_bound: Annotated[
        bool, typer.Option("--no-bound", help="Leave the bound and the gap out.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the solution as JSON.")] = None,
) -> None:
    """Place the requests of an instance one after another, as they would arrive.

    Every placement is checked exactly, and shown and written before anything else is looked for.
    The bound is what the stages prove of the served requests on this fleet, in a second for each
    kind of request; the gap says how far above it they are. Exit code 1 if the policy breaks a
    limit, 130 if Ctrl-C cut the bound or an improvement short.

    Example: python -m heuristics instances/small/lenet-0.8-4-mixed.json --policy algorithm1
    """
    if out is not None:
        require_writable(out, file)
    instance = read_instance(file)
    with errors.status("Placing; Ctrl-C ends it."):
        plan = policies.decide(instance, policy, seed, decision_time)
    solution, soon = plan.solution, no_bound or plan.bound_is_known
    if not soon or improve is not None:
        _write_and_print(
            solution, None if out == STANDARD else out
        )  # Standard output is written once.
    try:
        if not no_bound and (improve is None or plan.bound_is_known):
            with errors.status("Bounding the latency; Ctrl-C keeps the placement."):
                solution = plan.bounded(bound_time_limit)
        if improve is not None:
            with errors.status(f"Improving for up to {improve:g} s; Ctrl-C keeps the best so far."):
                solution = improve_solution(
                    instance, solution, improve, seed=seed, with_bound=not no_bound
                )
    except KeyboardInterrupt:
        solution = solution.model_copy(update={"termination": Termination.INTERRUPTED})
    _write_and_print(solution, out, bound_only=not soon and improve is None)
    if solution.termination is Termination.INTERRUPTED:
        sys.exit(EXIT_INTERRUPTED)


def _write_and_print(solution: Solution, out: Path | None, bound_only: bool = False) -> None:
    """Write what is known, and print it, or only what was not known when the placement was."""
    if out is not None:
        write_model(out, solution)
    if not bound_only:
        print_solution(console, solution)
        return
    for label, text in facts(solution):
        if label in ("status", "optimum", "bound", "gap"):
            console.print(f"{label:<12} {text}", markup=False)


COMMANDS = (place, serve)
