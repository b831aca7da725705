"""Runs as tidy tables: measures with their units, means over seeds with 95 % intervals."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common.csv_text import csv_text
from benchmarks.evaluation.panels import PanelCase
from benchmarks.evaluation.runs import SimulatedRun
from benchmarks.simulate import Setting
from benchmarks.simulate.outcome import NetworkShare

CONFIDENCE = 0.95
LATENCY, BOUND, SHARED = "latency_total_s", "bound_total_s", "shared_total_gbit"
REJECTED, UNSERVED = "rejected_first_percent", "unserved_percent"
"""Measures by their names."""
KEYS = ["panel", "x", "tolerated_ssim", "policy"]
"""What tells the lines of a table apart, seeds left out."""


def measures(total: NetworkShare) -> dict[str, float]:
    """Return what is compared, each with its unit; undefined ones are NaN."""
    return {
        "latency_total_s": total.latency_s,
        "latency_mean_s": _ratio(total.latency_s, total.served),
        "waiting_total_s": total.waiting_s,
        "bound_total_s": total.bound_s,
        "above_bound_percent": 100 * (_ratio(total.latency_s, total.bound_s) - 1),
        "sending_percent_of_service": 100 * (1 - _ratio(total.computing_s, total.service_s)),
        "shared_total_gbit": total.shared_bits / 1e9,
        "shared_mean_mbit": _ratio(total.shared_bits / 1e6, total.served),
        "rejected_first_percent": 100 * _ratio(total.rejected_first, total.submitted),
        "unserved_percent": 100 * _ratio(total.unserved, total.submitted),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


Row = dict[str, Any]


def lines_of(
    cases: Iterable[PanelCase],
    runs: Mapping[Setting, SimulatedRun],
    rows: Callable[[SimulatedRun], Iterable[Row]],
) -> pd.DataFrame:
    """Return what is said of each run, behind its panel, x, tolerance, policy and seed."""
    return pd.DataFrame(
        [
            {
                "panel": case.panel,
                "x": case.x,
                "tolerated_ssim": case.setting.tolerated_ssim,
                "policy": case.setting.policy,
                "seed": case.setting.seed,
            }
            | row
            for case in cases
            for row in rows(runs[case.setting])
        ]
    )


def compared(run: SimulatedRun) -> list[Row]:
    """Return the measures of all requests of a run."""
    return [measures(run.outcome.all)]


def utilisation(run: SimulatedRun) -> list[Row]:
    """Return for each family how much of its devices was used."""
    return [
        {
            "family": family,
            "devices": used.devices,
            "computing_percent": 100 * used.compute_share,
            "memory_percent": 100 * used.memory_share,
            "sending_percent": 100 * used.sending_share,
        }
        for family, used in run.outcome.families.items()
    ]


def decisions(run: SimulatedRun) -> list[Row]:
    """Return what deciding took; it differs from run to run."""
    timing = run.timing
    mean_s = _ratio(timing.total_s, timing.events)
    return [{"event_mean_ms": 1e3 * mean_s, "event_slowest_ms": 1e3 * timing.slowest_s}]


def over_seeds(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the mean of each measure over seeds, and half the width of its interval beside it.

    The interval holds the mean of all seeds with 95 % confidence (Student's t); with a single seed
    it is unknown, and its cell empty.
    """
    named = [name for name in frame.columns if name not in {*keys, "seed"}]
    lines = []
    for values, group in frame.groupby(keys, sort=False):
        line = dict(zip(keys, values, strict=True)) | {"seeds": len(group)}
        for name in named:
            line[name], line[f"{name}_ci95"] = mean_and_half(group[name].to_numpy(float))
        lines.append(line)
    return pd.DataFrame(lines)


def mean_and_half(values: np.ndarray) -> tuple[float, float]:
    """Return a mean and half the width of its 95 % interval, NaN where it is unknown."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    mean = float(known.mean())
    if len(known) == 1:
        return mean, float("nan")
    from scipy.stats import t as student_t  # SciPy is an extra, and help is to do without.

    quantile = student_t.ppf((1 + CONFIDENCE) / 2, len(known) - 1)
    return mean, float(quantile * known.std(ddof=1) / np.sqrt(len(known)))


def to_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV text, figures to ten digits."""
    return csv_text(frame, "%.10g")
