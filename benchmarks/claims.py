"""The paper's sentences about Figure 3 against finished runs: `python -m benchmarks.claims`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("benchmarks.claims")

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common.command import print_table
from benchmarks.evaluation.claims_page import NAMES, claims_page, verdicts
from benchmarks.evaluation.panels import PANELS, POLICIES, EvaluationPlan
from benchmarks.evaluation.results import PLAN_FILE, Results
from benchmarks.simulate.setting import PAPER_NETWORKS
from optmodel.ground.command_line import console, require_output
from optmodel.ground.json_files import read_model
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import write_text

JUDGED = ("algorithm1", "lookahead")
"""The paper's algorithm, and the better placement."""


def main(
    folder: Annotated[Path, typer.Argument(help="What benchmarks.figures --out has written.")],
    out: Annotated[Path | None, typer.Option(help="Write table and figures as FILE.md.")] = None,
) -> None:
    """Tell which of the paper's sentences about Figure 3 hold, under which placement.

    The first seeds of which every run is finished count.

    Example: python -m benchmarks.claims figures --out claims.md
    """
    require_output("--out", out, ".md")
    require_all(read_model(folder / PLAN_FILE, EvaluationPlan), folder)
    results = Results.read(folder)
    if out is not None:
        command = (
            f"{results.plan.command(folder)}; python -m benchmarks.claims {folder} --out {out}"
        )
        write_text(out, claims_page(results, JUDGED, command))
    print_claims(results)


def require_all(plan: EvaluationPlan, folder: Path) -> None:
    """Refuse a plan that the claims cannot be judged by.

    Raises
    ------
    InputError
        If panels, policies or networks are missing.
    """
    if not plan.base.requests:
        raise InputError(
            f"{folder}: expected runs with requests, got some with none; run benchmarks.figures "
            "with more of them"
        )
    for what, have, need in (
        ("panels", plan.panels, PANELS),
        ("policies", plan.policies, POLICIES),
        ("networks", plan.base.networks, PAPER_NETWORKS),
    ):
        missing = [name for name in need if name not in have]
        if missing:
            raise InputError(
                f"{folder}: expected the {what} {', '.join(need)}, got none of "
                f"{', '.join(missing)}; run benchmarks.figures with all of them"
            )


def print_claims(results: Results) -> None:
    """Print a line per claim."""
    titles = ("the paper says", *(NAMES[name] for name in JUDGED), "optimal", "verdict")
    rows = ((claim.says, *cells) for claim, cells in verdicts(results, JUDGED))
    print_table(console, titles, (), rows)
