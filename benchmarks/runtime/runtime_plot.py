"""Pictures of the runtime benchmark: performance profile, run times, scaling."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from benchmarks.common.drawing import draw_share, label_plainly
from benchmarks.runtime.run_statistics import (
    Runs,
    charged_seconds,
    factors_of_best,
    shared_instances,
)
from benchmarks.runtime.scaling import Series
from optmodel.ground.figure_file import saved_figure


def save_runtime_plot(runs: Runs, path: Path) -> None:
    """Draw the performance profile and the distribution of run times into one PNG file."""
    with saved_figure(path, 11, 4.5) as figure:
        profile, times = figure.subplots(1, 2, sharey=True)
        plot_profile(profile, runs)
        plot_run_times(times, runs)


def plot_profile(ax: Axes, runs: Runs) -> None:
    """Draw for each method which share of instances it proves within a factor of the best one."""
    total = len(shared_instances(runs))
    for label, factors in factors_of_best(runs).items():
        draw_share(ax, np.array(factors), total, label)
    ax.set_ylabel(f"share of {total} instances proven (%)")
    ax.set_title("Performance profile")
    _finish_shares(ax, "time, as a multiple of the fastest method's (factor)")


def plot_run_times(ax: Axes, runs: Runs) -> None:
    """Draw for each method which share of instances it proves within a time, in seconds."""
    shared = shared_instances(runs)
    for label, records in runs.items():
        proven = [records[name].seconds for name in shared if records[name].proven]
        draw_share(ax, np.array(proven), len(shared), label)
    ax.set_title("Proven within ...")
    _finish_shares(ax, "run time (s)")


def save_scaling_plot(series: Sequence[Series], runs: Runs, path: Path) -> None:
    """Draw run time against size, one panel per series, into one PNG file."""
    with saved_figure(path, 12, 4.2) as figure:
        panels = figure.subplots(1, len(series), sharey=True, squeeze=False)[0]
        for ax, one in zip(panels, series, strict=True):
            plot_scaling(ax, one, runs)
        panels[0].set_ylabel("run time: read, build, solve, check (s)")


def plot_scaling(ax: Axes, series: Series, runs: Runs) -> None:
    """Draw run time against size; a hollow mark is a run without proof, at its time limit."""
    for label, records in runs.items():
        sizes = [n for n, instance in series.instances.items() if instance.name in records]
        rows = [records[series.instances[n].name] for n in sizes]
        [line] = ax.plot(sizes, [charged_seconds(r) for r in rows], "-", label=label)
        for size, record in zip(sizes, rows, strict=True):
            fill = "full" if record.proven else "none"
            seconds = charged_seconds(record)
            ax.plot([size], [seconds], "o", color=line.get_color(), fillstyle=fill)
    ax.plot([], [], "o", color="grey", fillstyle="none", label="not proven, stopped")
    ax.set_yscale("log")
    label_plainly(ax.yaxis)
    ax.set_title(f"Time against {series.name}")
    _finish(ax, series.axis)
    ax.xaxis.set_major_locator(FixedLocator(list(series.instances)))


def _finish_shares(ax: Axes, label: str) -> None:
    """Finish a picture of shares, and draw each on to the right edge at its last height."""
    _finish(ax, label)
    left, right = ax.get_xlim()
    for line in ax.get_lines():
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        line.set_data(np.append(x, [right] * (len(x) > 0)), np.append(y, y[-1:]))
    ax.set_xlim(left, right)


def _finish(ax: Axes, label: str) -> None:
    ax.set_xscale("log")
    label_plainly(ax.xaxis)
    ax.set_xlabel(label)
    ax.grid(alpha=0.3)
    ax.legend()
