"""Statistics of measured runs: shifted geometric means, performance profiles, speed-ups."""

from collections.abc import Iterable, Mapping
from statistics import geometric_mean

from benchmarks.runtime.runtime_record import ProcessEnd, RunRecord

SHIFT_S = 1.0
"""Shift of the geometric means, in seconds: differences far below it hardly count."""

Runs = Mapping[str, Mapping[str, RunRecord]]
"""Records by label (method, or method and solver), then by instance."""


def shifted_geometric_mean(values: Iterable[float], shift: float = SHIFT_S) -> float:
    """Return exp(mean(log(value + shift))) - shift, of one value at least."""
    return geometric_mean(value + shift for value in values) - shift


def shared_instances(runs: Runs) -> list[str]:
    """Return the instances that every label was measured on, sorted: means compare only these."""
    measured = [set(records) for records in runs.values()]
    return sorted(set.intersection(*measured)) if measured else []


def charged_seconds(record: RunRecord) -> float:
    """Return the seconds of a run that proved its result; of any other, its time limit at least."""
    limit = record.options.get("time_limit_s")
    if record.proven or not isinstance(limit, int | float):
        return record.seconds
    return max(record.seconds, limit)


def factors_of_best(runs: Runs) -> dict[str, list[float]]:
    """Return for each label how many times the best one's seconds it took, sorted.

    The instances are those that every label was measured on; one that a label did not prove has
    no factor for it. These are the steps of a performance profile (E. D. Dolan and J. J. More,
    Benchmarking optimization software with performance profiles, 2002).
    """
    factors: dict[str, list[float]] = {label: [] for label in runs}
    for instance in shared_instances(runs):
        seconds = {
            label: records[instance].seconds
            for label, records in runs.items()
            if records[instance].proven
        }
        for label, taken in seconds.items():
            factors[label].append(taken / min(seconds.values()))
    return {label: sorted(values) for label, values in factors.items()}


def speed_ups(
    baseline: Mapping[str, RunRecord], other: Mapping[str, RunRecord]
) -> tuple[list[float], list[str]]:
    """Return how many times as fast another method is, and where only the baseline finished.

    Compared are the wall times of `solve()`, on the instances on which the baseline proved its
    result with a solver; what arithmetic alone proves says nothing about formulations. There are a
    ratio per instance on which both finished, and the instances that only the baseline finished.
    """
    ratios, missed = [], []
    for instance, record in baseline.items():
        if not _proven_by_solver(record) or instance not in other:
            continue
        if other[instance].proven:
            ratios.append(record.wall_time_s / other[instance].wall_time_s)
        else:
            missed.append(instance)
    return ratios, missed


def _proven_by_solver(record: RunRecord) -> bool:
    return record.outcome is ProcessEnd.FINISHED and record.proven and record.solver is not None
