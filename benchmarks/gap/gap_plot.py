"""Pictures of the gap benchmark: gaps per instance, and a split runtime/gap picture."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from benchmarks.common.drawing import draw_share
from optmodel.ground.figure_file import saved_figure

INCH_PER_INSTANCE = 0.2
MARKERS = "os^Dv*PX"
LEGEND_COLUMNS = 6


@dataclass(frozen=True)
class _Series:
    """The records of one method, and how they are drawn."""

    name: str
    rows: pd.DataFrame
    number: int
    """Gives colour and marker; a policy and what became of it by improvement share one."""
    improved: bool
    """Whether it is drawn hollow or dashed."""

    def draw_share(self, ax: Axes, values: np.ndarray) -> None:
        """Draw which share of the records has at most a value."""
        linestyle = "--" if self.improved else "-"
        draw_share(ax, values, len(self.rows), self.name, f"C{self.number}", linestyle)


def save_gap_plot(frame: pd.DataFrame, path: Path) -> None:
    """Draw gaps per instance and the split runtime/gap picture of records into one PNG file."""
    height = max(4.5, 1.5 + INCH_PER_INSTANCE * frame["instance"].nunique())
    with saved_figure(path, 12, height) as figure:
        grid = figure.add_gridspec(1, 3, width_ratios=(1.4, 1, 1))
        gaps = figure.add_subplot(grid[0])
        plot_gaps(gaps, frame)
        runtime = figure.add_subplot(grid[1])
        plot_runtimes(runtime, frame)
        plot_gap_shares(figure.add_subplot(grid[2], sharey=runtime), frame)
        handles, labels = gaps.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=LEGEND_COLUMNS)


def plot_gaps(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw one line per instance: how far each method is above the proven bound, in percent."""
    served = frame[frame["gap"].notna()]
    order = [str(name) for name in served.groupby("instance")["gap"].max().sort_values().index]
    for drawn, one in enumerate(_by_method(frame)):
        known = one.rows[one.rows["gap"].notna()]
        ax.plot(
            100 * known["gap"].to_numpy(float),
            [order.index(instance) for instance in known["instance"]],
            MARKERS[one.number % len(MARKERS)],
            color=f"C{one.number}",
            fillstyle="none" if one.improved else "full",
            label=one.name if len(known) else f"{one.name} (serves none in full)",
            markersize=max(9 - drawn, 4),  # What is drawn first looks out from below.
        )
    ax.set_yticks(range(len(order)), order, fontsize=8)
    _as_gaps(ax)
    ax.set_title("Gap per instance")
    ax.grid(axis="x", alpha=0.3)


def plot_runtimes(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw for each method the share of instances it finished within a time, in seconds."""
    for one in _by_method(frame):
        one.draw_share(ax, one.rows["wall_time_s"].to_numpy(float))
    ax.set_xscale("log")
    ax.set_xlabel("run time (s)")
    ax.set_ylabel("share of instances (%)")
    ax.set_title("Finished within ...")
    ax.grid(alpha=0.3)


def plot_gap_shares(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw for each method the share of feasible instances it left within a gap, in percent."""
    feasible = frame[frame.groupby("instance")["bound_s"].transform("count") > 0]
    for one in _by_method(feasible):
        one.draw_share(ax, 100 * one.rows["gap"].dropna().to_numpy(float))
    _as_gaps(ax)
    ax.set_title("Within a gap of ...")
    ax.grid(alpha=0.3)


def _as_gaps(ax: Axes) -> None:
    """Give gaps in percent an axis: linear up to 1 %, logarithmic above."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ax.set_xlim(left=-0.1)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xlabel("gap to the proven bound (%)")


def _by_method(frame: pd.DataFrame) -> list[_Series]:
    """Return each method's records, in the order of the records, so that colours agree."""
    numbers: dict[str, int] = {}
    series = []
    for name, rows in frame.groupby("method", sort=False):
        policy, improved, _ = str(name).partition(" +")
        number = numbers.setdefault(policy, len(numbers))
        series.append(_Series(str(name), rows, number, bool(improved)))
    return series
