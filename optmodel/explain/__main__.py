"""Explain an infeasible instance: `python -m optmodel.explain FILE.json`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("optmodel.explain.__main__")

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from optmodel.explain.explanation import Explanation, explain
from optmodel.explain.limit_conflict import ConflictProof, LimitConflict
from optmodel.explain.limit_groups import SHOWN, LimitGroup, listed
from optmodel.ground.command_line import TimeLimitOption, console
from optmodel.ground.json_files import write_model
from optmodel.ground.whole_files import require_writable
from optmodel.milp import BUDGETS, FeasibilityVerdict
from optmodel.problem import read_instance

HEADINGS = {
    ConflictProof.SMALLEST: "cannot all be kept; no smaller set of limits clashes",
    ConflictProof.IRREDUCIBLE: "cannot all be kept, and each is needed; a smaller set is not ruled "
    "out",
    ConflictProof.UNREDUCED: "cannot all be kept; the time limit came before all were tested",
}


def main(
    file: Annotated[Path, typer.Argument(help="Instance, a JSON file.")],
    time_limit: TimeLimitOption = None,
    out: Annotated[Path | None, typer.Option(help="Write the explanation as JSON.")] = None,
) -> None:
    """Say which limits leave no placement, and which single change would give one.

    Example: python -m optmodel.explain instances/small/infeasible-privacy.json
    """
    if out is not None:
        require_writable(out, file)
    instance = read_instance(file)
    with console.status(escape(f"Explaining {instance.name} ...")):
        explanation = explain(instance, time_limit)
    if out is not None:
        write_model(out, explanation)
    for label, text in _lines(explanation):
        console.print(f"{label:<12} {text}", markup=False)


def _lines(explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield "instance", explanation.instance
    yield "status", explanation.verdict
    yield "run time", f"{explanation.wall_time_s:.3f} s"
    if explanation.verdict is FeasibilityVerdict.FEASIBLE:
        yield "placement", "every request has a place; python -m optmodel finds the best"
    if explanation.verdict is FeasibilityVerdict.UNKNOWN:
        yield "unproven", "the time limit came before a placement or a proof that there is none"
    yield from (("because", reason) for reason in explanation.reasons)
    for number, conflict in enumerate(explanation.conflicts):
        yield from _conflict(conflict, "conflict" if number == 0 else "another")
    for repair in explanation.repairs:
        yield "repair", repair.sentence
    yield from (("no repair", sentence) for sentence in explanation.without_repair)
    if explanation.repairs:
        yield "verified", "each repair alone: its placement of every request passes the checker"


def _conflict(conflict: LimitConflict, label: str) -> Iterator[tuple[str, str]]:
    if len(conflict.groups) == 1:
        yield label, f"{conflict.groups[0].sentence} cannot be kept"
        return
    yield label, HEADINGS[conflict.proof]
    for kind, groups in groupby(conflict.groups, key=lambda group: group.kind):
        yield from (("", f"- {sentence}") for sentence in _sentences(kind, list(groups)))


def _sentences(kind: str, groups: list[LimitGroup]) -> list[str]:
    """Return a sentence per group, or one for all if they are the budgets of many nodes."""
    nodes = [node for group in groups for node in group.nodes]
    if kind not in BUDGETS or len(groups) <= SHOWN:
        return [group.sentence for group in groups]
    return [f"{kind} of {listed(nodes)} ({BUDGETS[kind].equation})"]
