"""The trade-off benchmark's tables: tidy frames for the CSV files, and what is printed."""

from collections.abc import Iterator, Sequence

import pandas as pd
from rich.console import Console

from benchmarks.common.command import percent, print_table
from benchmarks.tradeoffs.tradeoff_cases import Kind, TradeoffCase
from benchmarks.tradeoffs.tradeoff_record import CurveRecord, Curves, Optimum
from optmodel.pareto import SharedPoint, front
from optmodel.placement import SolutionStatus, relative_gap

Row = dict[str, object]

DIGITS = 6
"""Of milliseconds in the files: nanoseconds."""


def frame_of(kind: Kind, curves: Curves) -> pd.DataFrame:
    """Return the rows of one kind, a row for each step, point or price; times in milliseconds."""
    rows = {"tolerance": _steps, "shared": _points, "price": _prices}[kind]
    frame = pd.DataFrame(
        [
            {**_where(case), **row}
            for case, record in curves.items()
            if case.kind == kind
            for row in rows(case, record)
        ]
    )
    whole = [name for name in frame if str(name).endswith("_bits")]
    return frame.astype(dict.fromkeys(whole, "Int64"))  # Whole numbers even beside empty cells.


def _where(case: TradeoffCase) -> Row:
    recipe = case.recipe
    return {
        "network": case.network,
        "fleet": recipe.fleet,
        "devices": recipe.devices,
        "table": recipe.ssim.stem,
        "unattainable": recipe.unattainable,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, DIGITS)


def _steps(_: TradeoffCase, record: CurveRecord) -> Iterator[Row]:
    kept = front(list(record.steps))
    for step in record.steps:
        yield {
            "from_ssim": step.from_ssim,
            "below_ssim": step.below_ssim,
            "latency_ms": _ms(step.latency_s),
            "bound_ms": _ms(step.bound_s),
            "status": step.solution_status.value,
            "proven": step.proven,
            "on_front": step in kept,
        }


def _points(case: TradeoffCase, record: CurveRecord) -> Iterator[Row]:
    for point in record.points:
        yield {
            "tolerated_ssim": case.tolerated_ssim,
            "limit_bits": point.limit_bits,
            "latency_ms": _ms(point.latency_s),
            "bound_ms": _ms(point.bound_s),
            "shared_bits": point.shared_bits,
            "bound_bits": point.bound_bits,
            "proven": point.proven,
        }


def _prices(case: TradeoffCase, record: CurveRecord) -> Iterator[Row]:
    if record.price is None:
        return
    price = record.price
    yield {
        "tolerated_ssim": case.tolerated_ssim,
        "latency_ms": _ms(price.private.latency_s),
        "bound_ms": _ms(price.private.bound_s),
        "status": price.private.solution_status.value,
        "free_latency_ms": _ms(price.free.latency_s),
        "free_bound_ms": _ms(price.free.bound_s),
        "free_status": price.free.solution_status.value,
        "price_ms": _ms(price.added_s),
        "price_percent": None if price.share is None else round(100 * price.share, 4),
        "kept_on_source": " ".join(price.kept_on_source),
    }


def print_curves(console: Console, curves: Curves) -> None:
    """Print a table for each kind that was asked for."""
    for kind, title, numbers, cells in (
        ("tolerance", "latency against tolerance", TOLERANCE_TITLES, _tolerance_cells),
        ("shared", "latency against shared data", SHARED_TITLES, _shared_cells),
        ("price", "price of privacy", PRICE_TITLES, _price_cells),
    ):
        chosen = {case: record for case, record in curves.items() if case.kind == kind}
        if chosen:
            rows = ([case.name, *cells(case, record)] for case, record in chosen.items())
            print_table(console, [title], numbers, rows)


TOLERANCE_TITLES = ("steps", "on the front", "proven", "strictest", "ms", "fastest from", "ms")


def _tolerance_cells(_: TradeoffCase, record: CurveRecord) -> list[str]:
    """Return how many steps a curve has, and its strictest and fastest promise."""
    kept = front(list(record.steps))
    ends = [(f"{s.from_ssim:g}", _milliseconds(s.latency_s)) for s in (*kept[:1], *kept[-1:])]
    first, last = ends or [("-", nothing(record))] * 2
    proven = sum(step.proven for step in record.steps)
    return [str(len(record.steps)), str(len(kept)), str(proven), *first, *last]


SHARED_TITLES = (
    *("tolerance", "points", "proven", "above bound %"),
    *("ms", "Mbit", "last point ms", "Mbit", "less data %", "more time %"),
)


def _shared_cells(case: TradeoffCase, record: CurveRecord) -> list[str]:
    """Return both ends of a front of shared data, and what the slow end saves and costs."""
    proven = sum(point.proven for point in record.points)
    cells = [f"{case.tolerated_ssim:g}", str(len(record.points)), str(proven)]
    cells.append(_furthest_above(record.points))
    if not record.points:
        return [*cells, nothing(record), *["-"] * 5]
    first, last = record.points[0], record.points[-1]
    for point in (first, last):
        cells += [_milliseconds(point.latency_s), f"{point.shared_bits / 1e6:.3f}"]
    saved = 1 - last.shared_bits / first.shared_bits if first.shared_bits else 0.0
    slower = last.latency_s / first.latency_s - 1 if first.latency_s else 0.0
    return [*cells, percent(saved), percent(slower)]


PRICE_TITLES = ("tolerance", "private ms", "free ms", "price ms", "price %", "on the source")


def _price_cells(case: TradeoffCase, record: CurveRecord) -> list[str]:
    """Return the optimum with 8f and without, and the difference; dashes before they are known."""
    price = record.price
    if price is None:
        return [f"{case.tolerated_ssim:g}", *["-"] * 5]
    return [
        f"{case.tolerated_ssim:g}",
        _found(price.private),
        _found(price.free),
        _milliseconds(price.added_s),
        percent(price.share),
        f"{len(price.kept_on_source)} layers" if price.kept_on_source else "-",
    ]


def nothing(record: CurveRecord) -> str:
    """Say why a curve has no points: it is proven that there is no placement, or it is open."""
    return "no placement" if record.proven else "open"


def _furthest_above(points: Sequence[SharedPoint]) -> str:
    """Return by how much a point may be slower than any that shares as little, at most."""
    above = [relative_gap(point.latency_s, point.bound_s) for point in points]
    known = [gap for gap in above if gap is not None]
    return percent(max(known)) if known and len(known) == len(above) else "-"


def _found(optimum: Optimum) -> str:
    if optimum.latency_s is None:
        infeasible = optimum.solution_status is SolutionStatus.INFEASIBLE
        return "no placement" if infeasible else "open"
    if optimum.solution_status is SolutionStatus.OPTIMAL:
        return _milliseconds(optimum.latency_s)
    return f"{_milliseconds(optimum.bound_s)} to {_milliseconds(optimum.latency_s)}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.3f}"
