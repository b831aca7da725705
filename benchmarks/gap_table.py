"""The gap table on the screen: a line per instance, then mean, median and worst."""

from collections.abc import Sequence
from statistics import mean, median

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.records import Record
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
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("instance", "status"):
        table.add_column(title, no_wrap=True)
    for title in ("optimum ms", "s", *(t for name in names for t in _titles(name))):
        table.add_column(title, justify="right", no_wrap=True)
    for best, others in zip(exact, policies, strict=True):
        cells = [str(best.solution_status), _optimum(best), f"{best.wall_time_s:.2f}"]
        cells += [cell for record in others for cell in _cells(record)]
        table.add_row(Text(best.instance), *cells)
    natural = console.measure(table, options=console.options.update(width=1000)).maximum
    wide = Console(file=console.file, width=max(natural, console.width), highlight=False)
    wide.print(table)
    for line in summary(exact, policies):
        console.print(line, markup=False)


def _titles(policy: str) -> tuple[str, ...]:
    return (f"{policy} ms", "gap %", "served", "s")


def _cells(record: Record) -> tuple[str, ...]:
    requests = record.served + record.rejected
    return (
        _ms(record.objective_s),
        _percent(record.gap),
        f"{record.served}/{requests}",
        f"{record.wall_time_s:.3f}",
    )


def _optimum(record: Record) -> str:
    """Return the optimum, or incumbent and bound where it is not proven."""
    if record.solution_status is SolutionStatus.OPTIMAL or record.bound_s is None:
        return _ms(record.objective_s)
    return f"{_ms(record.objective_s)} >= {_ms(record.bound_s)}"


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
                f"; gap over {len(gaps)} instances: mean {_percent(mean(gaps))} %, "
                f"median {_percent(median(gaps))} %, worst {_percent(max(gaps))} %"
            )
        lines.append(text)
    return lines


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.6f}"


def _percent(gap: float | None) -> str:
    return "-" if gap is None else f"{gap * 100:.2f}"
