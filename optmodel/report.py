"""Tables that front ends print for one solution."""

from rich import box
from rich.console import Console
from rich.table import Table

from optmodel.solution import PlacedRequest, RequestLatency, Solution


def seconds(value: float | None) -> str:
    """Return a time in milliseconds with six decimals, or a dash."""
    return "-" if value is None else f"{value * 1e3:.6f} ms"


def percent(gap: float | None) -> str:
    """Return a relative gap in percent, or a dash."""
    return "-" if gap is None else f"{gap * 100:.4f} %"


def print_solution(console: Console, solution: Solution) -> None:
    """Print what is known, latency per layer, who holds what, and who was rejected."""
    for label, text in _facts(solution):
        console.print(f"{label:<12} {text}", markup=False)
    for reason in solution.reasons:
        console.print(f"{'because':<12} {reason}", markup=False)
    if solution.placement is None:
        return
    for placed, latency in zip(solution.placement.requests, solution.latency, strict=True):
        console.print(_request_table(placed, latency))
    for rejection in solution.placement.rejected:
        console.print(
            f"{'rejected':<12} request '{rejection.request}' at layer '{rejection.layer}', segment "
            f"{rejection.segment}: {rejection.condition}",
            markup=False,
        )


def _facts(solution: Solution) -> list[tuple[str, str]]:
    by = " ".join(part for part in (solution.solver, solution.solver_version) if part)
    optimal = solution.solution_status == "optimal"
    facts = [
        ("instance", solution.instance),
        ("method", f"{solution.method} ({by})" if by else solution.method),
        ("status", f"{solution.solution_status} ({solution.termination})"),
        ("optimum" if optimal else "latency", seconds(solution.objective_s)),
        ("bound", seconds(solution.bound_s)),
        ("gap", percent(solution.gap)),
        ("run time", f"{solution.wall_time_s:.3f} s"),
    ]
    if solution.placement is not None:
        served, rejected = len(solution.placement.requests), len(solution.placement.rejected)
        facts.append(("served", f"{served} of {served + rejected} requests; checked exactly"))
    return facts


def _request_table(placed: PlacedRequest, latency: RequestLatency) -> Table:
    total = sum(latency.layers_s.values())
    table = Table(
        title=f"request {placed.request}: {seconds(total)}", title_justify="left", box=box.SIMPLE
    )
    table.add_column("layer")
    table.add_column("latency", justify="right")
    table.add_column("segments on each node")
    for layer in placed.layers:
        holders = ", ".join(f"{node}: {number}" for node, number in layer.segments.items())
        table.add_row(layer.layer, seconds(latency.layers_s[layer.layer]), holders)
    return table
