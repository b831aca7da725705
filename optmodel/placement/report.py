"""Tables that front ends print for one solution."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from optmodel.placement.solution import PlacedRequest, RequestLatency, Solution, SolutionStatus

PROVEN_GAP = 2e-6
"""Largest gap at which a latency is called the optimum."""
ONLY_A_SEARCH = "budgets clash between layers; no single limit shows it, only an exact search does"


def milliseconds(seconds: float | None) -> str:
    """Return a time in milliseconds with six decimals, without its unit, or a dash."""
    return "-" if seconds is None else f"{seconds * 1e3:.6f}"


def latency_text(value: float | None) -> str:
    """Return a time in milliseconds with six decimals and its unit, or a dash."""
    return "-" if value is None else f"{milliseconds(value)} ms"


def percent(gap: float | None) -> str:
    """Return a relative gap in percent, or a dash."""
    return "-" if gap is None else f"{gap * 100:.4f} %"


def print_solution(console: Console, solution: Solution) -> None:
    """Print what is known, latency per layer, who holds what, and who was rejected."""
    for label, text in facts(solution):
        console.print(f"{label:<12} {text}", markup=False)
    for reason in infeasible_because(solution):
        console.print(f"{'because':<12} {reason}", markup=False)
    for note in solution.notes:
        console.print(f"{'note':<12} {note}", markup=False)
    if solution.placement is None:
        return
    latency = {one.request: one for one in solution.latency}
    for placed in solution.placement.requests:
        console.print(request_table(placed, latency[placed.request]))
    for rejection in rejections(solution):
        console.print(f"{'rejected':<12} {rejection}", markup=False)


def infeasible_because(solution: Solution) -> tuple[str, ...]:
    """Return why there is no placement; nothing unless that is proven."""
    proven = solution.solution_status is SolutionStatus.INFEASIBLE
    return solution.reasons or ((ONLY_A_SEARCH,) if proven else ())


def rejections(solution: Solution) -> Iterator[str]:
    """Yield each rejected request, where placing it failed, and why."""
    for rejection in solution.placement.rejected if solution.placement else ():
        where = "" if rejection.layer is None else f" at layer '{rejection.layer}', segment "
        where += "" if rejection.segment is None else str(rejection.segment)
        yield f"request '{rejection.request}'{where}: {rejection.condition}"


def facts(solution: Solution) -> list[tuple[str, str]]:
    """Return what is known of a solution as labels and texts."""
    by = " ".join(part for part in (solution.solver, solution.solver_version) if part)
    if solution.solution_status is SolutionStatus.INFEASIBLE and not by:
        by = "no solver needed"
    proven = solution.gap is not None and solution.gap <= PROVEN_GAP
    found = [
        ("instance", solution.instance),
        ("method", f"{solution.method} ({by})" if by else solution.method),
        ("status", f"{solution.solution_status} ({solution.termination})"),
        ("optimum" if proven else "latency", latency_text(solution.objective_s)),
        ("bound", latency_text(solution.bound_s)),
        ("gap", percent(solution.gap)),
        ("run time", f"{solution.wall_time_s:.3f} s"),
    ]
    if solution.placement is not None:
        served, rejected = len(solution.placement.requests), len(solution.placement.rejected)
        checked = "; checked exactly" if served else ""
        found.append(("served", f"{served} of {served + rejected} requests{checked}"))
    return found


def request_table(placed: PlacedRequest, latency: RequestLatency) -> Table:
    """Return a table of one request: latency and holders of each layer."""
    total = sum(latency.layers_s.values())
    table = Table(
        title=Text(f"request {placed.request}: {latency_text(total)}"),
        title_justify="left",
        box=box.SIMPLE,
    )
    table.add_column("layer")
    table.add_column("latency", justify="right")
    table.add_column("segments on each node", overflow="fold")
    for layer in placed.layers:
        holders = ", ".join(f"{node}: {number}" for node, number in layer.segments.items())
        table.add_row(Text(layer.layer), latency_text(latency.layers_s[layer.layer]), Text(holders))
    return table
