"""The table of an ablation: what leaving a part out does to latency and bound."""

from collections.abc import Sequence
from math import inf
from statistics import median

from rich.console import Console

from benchmarks.common.command import percent, print_table
from benchmarks.common.records import Record

LEGEND = """\
gap %: the median over seeds. latency, bound: the median, in % of that with all parts; a latency
above 100 or a bound below it is what the part is worth. A dash: no placement, or no bound.
"""
WORTH = 0.05
"""Per cent; less is no difference."""


def print_ablation(console: Console, records: Sequence[Record], whole: str) -> None:
    """Print a line per instance and part left out, then how often each part was worth something.

    `whole` is the method of the records with all parts.
    """
    labels = list(dict.fromkeys(record.method for record in records))
    rows = []
    better: dict[str, list[tuple[float, float]]] = {label: [] for label in labels}
    for instance in dict.fromkeys(record.instance for record in records):
        base = _medians(records, instance, whole)
        for label in labels:
            gap, latency_s, bound_s, seconds = _medians(records, instance, label)
            ratios = _ratio(latency_s, base[1], inf), _ratio(bound_s, base[2], 0.0)
            cells = [f"{ratio:.2f}" if 0 < ratio < inf else "-" for ratio in ratios]
            rows.append([instance, label, percent(gap), *cells, f"{seconds:.1f}"])
            better[label].append(ratios)
    print_table(console, ["instance", "parts"], ["gap %", "latency", "bound", "s"], rows)
    console.print(LEGEND, markup=False)
    missed = (_missed(label, ratios) for label, ratios in better.items() if label != whole)
    numbers = ("worse latency", "better latency", "lower bound", "worst %")
    print_table(console, ["parts"], numbers, missed)


def _missed(label: str, ratios: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    """Return on how many instances a part was missed."""
    latencies, bounds = zip(*ratios, strict=True)
    return (
        label,
        str(sum(ratio > 100 + WORTH for ratio in latencies)),
        str(sum(ratio < 100 - WORTH for ratio in latencies)),
        str(sum(ratio < 100 - WORTH for ratio in bounds)),
        f"{max(latencies) - 100:.2f}" if max(latencies) < inf else "no placement",
    )


Medians = tuple[float | None, float | None, float | None, float]
"""Gap, latency and bound in seconds, and seconds of the run."""


def _medians(records: Sequence[Record], instance: str, label: str) -> Medians:
    """Return the medians over seeds; None where one of the runs has no such number."""
    runs = [one for one in records if (one.instance, one.method) == (instance, label)]
    gaps, latencies, bounds = (
        [getattr(run, name) for run in runs] for name in ("gap", "objective_s", "bound_s")
    )
    each = [None if None in numbers else median(numbers) for numbers in (gaps, latencies, bounds)]
    return each[0], each[1], each[2], median(run.wall_time_s for run in runs)


def _ratio(seconds: float | None, base_s: float | None, nothing: float) -> float:
    """Return a number in per cent of that with all parts, and what to put where there is none."""
    if seconds is None:
        return nothing if base_s is not None else 100.0
    return 100 * seconds / base_s if base_s else 100.0
