"""The gap table on the screen: a line per instance, then mean, median and worst."""

from collections.abc import Sequence
from statistics import mean, median

from rich.console import Console
from rich.text import Text

from benchmarks.cli import new_table, percent, print_table
from benchmarks.records import Record
from optmodel.report import milliseconds
from optmodel.solution import SolutionStatus


def print_gaps(
    console: Console, exact: Sequence[Record], policies: Sequence[Sequence[Record]]
) -> None:
    """Print one line per instance, and the statistics of each policy's gaps.

    Parameters
    ----------
    console : rich.console.Console
        Where to print.
    exact : sequence of Record
        Optimum, or incumbent and bound, of each instance.
    policies : sequence of sequence of Record
        The policies' records of each instance.
    """
    names = [record.method for record in policies[0]] if policies else []
    numbers = ("optimum ms", "s", *(title for name in names for title in _titles(name)))
    table = new_table(("instance", "status"), numbers)
    for best, others in zip(exact, policies, strict=True):
        cells = [str(best.solution_status), _optimum(best), f"{best.wall_time_s:.2f}"]
        cells += [cell for record in others for cell in _cells(record)]
        table.add_row(Text(best.instance), *cells)
    print_table(console, table)
    for line in summary(exact, policies):
        console.print(line, markup=False)


def _titles(policy: str) -> tuple[str, ...]:
    return (f"{policy} ms", "gap %", "served", "s")


def _cells(record: Record) -> tuple[str, ...]:
    requests = record.served + record.rejected
    return (
        milliseconds(record.objective_s),
        percent(record.gap),
        f"{record.served}/{requests}",
        f"{record.wall_time_s:.3f}",
    )


def _optimum(record: Record) -> str:
    """Return the optimum, or incumbent and bound where it is not proven."""
    if record.solution_status is SolutionStatus.OPTIMAL or record.bound_s is None:
        return milliseconds(record.objective_s)
    return f"{milliseconds(record.objective_s)} >= {milliseconds(record.bound_s)}"


def summary(exact: Sequence[Record], policies: Sequence[Sequence[Record]]) -> list[str]:
    """Return what was proven, and each policy's mean, median and worst gap, as sentences."""
    status = [record.solution_status for record in exact]
    optimal = status.count(SolutionStatus.OPTIMAL)
    infeasible = status.count(SolutionStatus.INFEASIBLE)
    lines = [
        f"{len(exact)} instances: {optimal} optimal, {infeasible} proven infeasible, "
        f"{len(exact) - optimal - infeasible} open; "
        f"{sum(record.wall_time_s for record in exact):.1f} s"
    ]
    for records in zip(*policies, strict=True):
        gaps = [record.gap for record in records if record.gap is not None]
        served = sum(record.served for record in records)
        requests = served + sum(record.rejected for record in records)
        text = f"{records[0].method}: {served} of {requests} requests served"
        if gaps:
            text += (
                f"; gap over {len(gaps)} instances: mean {percent(mean(gaps))} %, "
                f"median {percent(median(gaps))} %, worst {percent(max(gaps))} %"
            )
        lines.append(text)
    return lines
