"""The gap tables on the screen: a line per instance, then a line per policy."""

from collections.abc import Iterator, Sequence
from statistics import mean, median

from rich.console import Console

from benchmarks.common.command import percent, print_table
from benchmarks.common.records import Record
from benchmarks.gap.comparison import Comparison, most_served
from optmodel.placement import SolutionStatus, milliseconds

LEGEND = """\
Policies: gap to the best in %, or the requests served where fewer are than can be.
Proven: the best is optimal, or within so many %; m/n: not more than m of n requests can be served.
"""
IMPROVED = "+N s: what the placement to its left became in so many seconds of improvement.\n"


def print_gaps(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Print one line per instance, one per policy, and what was proven."""
    if comparisons:
        policies = comparisons[0].policies
        titles = ("best ms", *map(policy_title, policies))
        print_table(console, ("instance", "proven"), titles, map(_row, comparisons), narrow=True)
        improved = any("improve_s" in record.options for record in policies)
        console.print(f"\n{LEGEND}{IMPROVED if improved else ''}", markup=False)
        print_table(console, ["policy"], POLICY_COLUMNS, policy_rows(comparisons), narrow=True)
        console.print()
    console.print(summary(comparisons), markup=False)


def _row(one: Comparison) -> list[str]:
    best = one.reference
    cells = [gap_cell(record, best) for record in one.policies]
    return [one.exact.instance, proven(one), milliseconds(best.objective_s), *cells]


def policy_title(record: Record) -> str:
    """Return the title of a policy's column; that of its improvement stands to the right."""
    improve_s = record.options.get("improve_s")
    return record.method.rpartition(".")[2] if improve_s is None else f"+{improve_s:g} s"


def proven(one: Comparison) -> str:
    """Return what is proven of the reference."""
    best, most = one.reference, most_served(one.reference)
    words = [] if most == best.requests else [f"{most}/{best.requests}"]
    if best.solution_status is not SolutionStatus.OPTIMAL:
        words.append("open" if best.gap is None else f"{percent(best.gap)} %")
    return " ".join(words) or "optimal"


def gap_cell(record: Record, reference: Record) -> str:
    """Return a gap, or the served requests where they are fewer than can be served."""
    if record.served < most_served(reference):
        return f"{record.served}/{record.requests}"
    return percent(record.gap)


POLICY_COLUMNS = (
    *("served", "rejected", "instances"),
    *("mean %", "median %", "worst %", "ms/request", "s"),
)
"""What is counted of a policy."""


def policy_rows(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, ...]]:
    """Yield name and `POLICY_COLUMNS` of each policy: what it serves, its gaps, its time."""
    for records in zip(*(one.policies for one in comparisons), strict=True):
        served, requests = sum(r.served for r in records), sum(r.requests for r in records)
        known = [record.gap for record in records if record.gap is not None]
        spread = [percent(f(known)) for f in (mean, median, max)] if known else ["-"] * 3
        seconds = sum(record.wall_time_s for record in records)
        yield (
            records[0].method,
            *(str(served), str(requests - served), str(len(known))),
            *spread,
            *(f"{1e3 * seconds / requests:.1f}", f"{seconds:.2f}"),
        )


def summary(comparisons: Sequence[Comparison]) -> str:
    """Return what was proven, and how many requests can be served."""
    status = [one.exact.solution_status for one in comparisons]
    optimal = status.count(SolutionStatus.OPTIMAL)
    infeasible = status.count(SolutionStatus.INFEASIBLE)
    most = sum(most_served(one.reference) for one in comparisons)
    requests = sum(one.exact.requests for one in comparisons)
    exact = [record for one in comparisons for record in (one.exact, one.most) if record]
    return (
        f"{len(comparisons)} instances: {optimal} optimal, {infeasible} proven infeasible, "
        f"{len(comparisons) - optimal - infeasible} open; "
        f"{sum(record.wall_time_s for record in exact):.1f} s\n"
        f"{requests} requests, of which {most} can be served at most"
    )
