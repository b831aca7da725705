"""The runtime tables on the screen: runs, methods, speed-ups over `segment`, targets."""

import operator
from collections.abc import Mapping, Sequence
from functools import partial
from math import inf
from statistics import geometric_mean, median

from rich.console import Console

from benchmarks.common.command import GOAL_TITLES, goal_cells, percent, print_table
from benchmarks.runtime.run_statistics import (
    SHIFT_S,
    Runs,
    charged_seconds,
    shared_instances,
    shifted_geometric_mean,
    speed_ups,
)
from benchmarks.runtime.runtime_record import PHASES, ProcessEnd, RunRecord
from benchmarks.runtime.speed_targets import SPEED_UP_AIM, SPEED_UP_AT_LEAST, RuntimeTarget
from optmodel.placement import milliseconds

PHASE_TITLES = tuple(f"{phase} s" for phase in PHASES)


def print_runs(console: Console, runs: Runs) -> None:
    """Print one line per instance and label: result, phases, memory."""
    rows = (
        [
            *(instance, label, _status(records[instance])),
            *(milliseconds(records[instance].objective_s), percent(records[instance].gap)),
            *(*_with_total(records[instance]), _memory([records[instance]])),
        ]
        for instance in dict.fromkeys(name for records in runs.values() for name in records)
        for label, records in runs.items()
        if instance in records
    )
    numbers = ("latency ms", "gap %", *PHASE_TITLES, "total s", "memory MB")
    print_table(console, ("instance", "method", "status"), numbers, rows)


def print_methods(console: Console, runs: Runs) -> None:
    """Print one line per label: what it proved, its shifted geometric means, its memory."""
    shared = shared_instances(runs)
    by_label = {label: [records[name] for name in shared] for label, records in runs.items()}
    rows = (
        [label, *_counts(found), *_means(found), _memory(found)]
        for label, found in by_label.items()
        if found
    )
    numbers = ("proven", "open", "failed", *PHASE_TITLES, "total s", "median s", "memory MB")
    print_table(console, ["method"], numbers, rows)
    console.print(
        f"{len(shared)} instances that every method was measured on; shifted geometric means, "
        f"shift {SHIFT_S:g} s, of each phase over finished runs; total and median over all runs, "
        "one without proof counted with its time limit"
    )


def print_speed_ups(console: Console, runs: Runs, baseline: str) -> None:
    """Print how many times as fast as the baseline each other label is."""
    for label in runs:
        if label != baseline:
            ratios, missed = speed_ups(runs[baseline], runs[label])
            console.print(f"{baseline} / {label}: {_spread(ratios, missed)}", markup=False)


def print_targets(
    console: Console, targets: Sequence[RuntimeTarget], runs: Runs, baseline: str | None
) -> None:
    """Print one line per row of the speed table and label, and the line of the speed-up."""
    numbers = ("instances", *PHASE_TITLES, "total s", "median s", "gap %", "memory MB")
    rows = []
    for target in targets:
        for label, records in runs.items():
            names = [instance.name for instance in target.instances]
            found = [records[name] for name in names if name in records]
            if found:
                rows.append(
                    [target.work, label, *_row(found, len(names)), *_verdicts(target, found)]
                )
    for label in runs:
        if baseline is not None and label != baseline:
            ratios, missed = speed_ups(runs[baseline], runs[label])
            worst = 0.0 if missed else min(ratios, default=0.0)
            goals = goal_cells(
                (SPEED_UP_AT_LEAST, SPEED_UP_AIM), partial(operator.ge, worst), "{:,.0f} x".format
            )
            cells = (f"{len(ratios)}/{len(ratios) + len(missed)}", *[""] * (len(numbers) - 1))
            rows.append([f"{baseline} / {label}", _ratio(ratios), *cells, *goals])
    print_table(console, ("work", "method"), (*numbers, *GOAL_TITLES), rows)
    console.print(
        "phases and total of the slowest instance, largest gap, largest memory; the speed-up is "
        "the geometric mean, and is reached if every instance reaches it"
    )


def _row(rows: Sequence[RunRecord], instances: int) -> tuple[str, ...]:
    slowest = max(rows, key=charged_seconds)
    gaps = [_gap(record) for record in rows]
    return (
        f"{len(rows)}/{instances}",
        *_with_total(slowest),
        f"{median(map(charged_seconds, rows)):.3f}",
        "-" if max(gaps) == inf else f"{100 * max(gaps):.4f}",
        _memory(rows),
    )


def _gap(record: RunRecord) -> float:
    """Return the certified gap, 0 where infeasibility is proven, infinity where nothing is."""
    if record.gap is not None:
        return record.gap
    return 0.0 if record.proven else inf


def _verdicts(target: RuntimeTarget, rows: Sequence[RunRecord]) -> list[str]:
    complete = len(rows) == len(target.instances)
    goals = (target.at_least, target.aim)
    return goal_cells(goals, lambda goal: complete and goal.reached(rows))


def _counts(rows: Sequence[RunRecord]) -> tuple[str, ...]:
    proven = sum(record.proven for record in rows)
    failed = sum(record.outcome is not ProcessEnd.FINISHED for record in rows)
    return str(proven), str(len(rows) - proven - failed), str(failed)


def _means(rows: Sequence[RunRecord]) -> list[str]:
    phases = zip(*map(_phases, rows), strict=True)
    known = [[s for s in seconds if s is not None] for seconds in phases]
    means = [f"{shifted_geometric_mean(values):.3f}" if values else "-" for values in known]
    charged = [charged_seconds(record) for record in rows]
    return [*means, f"{shifted_geometric_mean(charged):.3f}", f"{median(charged):.3f}"]


def _spread(ratios: Sequence[float], missed: Sequence[str]) -> str:
    both = f"over {len(ratios)} instances that both finished"
    lost = f"; {len(missed)} that only the first finished" if missed else ""
    if not ratios:
        return f"nothing to compare {both}{lost}"
    spread = f"from {min(ratios):.1f} to {max(ratios):.1f}"
    return f"geometric mean {_ratio(ratios)}, {spread}, {both}{lost}"


def _ratio(ratios: Sequence[float]) -> str:
    return f"{geometric_mean(ratios):.1f} x" if ratios else "-"


def _phases(record: RunRecord) -> list[float | None]:
    return [getattr(record, f"{phase}_s") for phase in PHASES]


def _with_total(record: RunRecord) -> list[str]:
    return [*map(_seconds, _phases(record)), _seconds(record.seconds)]


def _status(record: RunRecord) -> str:
    finished = record.outcome is ProcessEnd.FINISHED
    return str(record.solution_status if finished else record.outcome)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _memory(rows: Sequence[RunRecord]) -> str:
    """Return the largest memory in MB; a failed run, of which nothing is known, adds a mark."""
    known = [r.peak_memory_bytes for r in rows if r.peak_memory_bytes is not None]
    mark = "" if len(known) == len(rows) else "+"
    return f"{max(known) / 1e6:.0f}{mark}" if known else "-"


def failures(runs: Mapping[str, Mapping[str, RunRecord]], outcome: ProcessEnd) -> list[str]:
    """Return what runs that ended this way said, one line each."""
    return [
        f"{record.instance}: {label}: {record.error}"
        for label, records in runs.items()
        for record in records.values()
        if record.outcome is outcome
    ]
