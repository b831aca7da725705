"""Pictures of the gap benchmark: gaps per instance, and a split runtime/gap picture."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from benchmarks.figures import draw_share, saved_figure

INCH_PER_INSTANCE = 0.2
MARKERS = "os^Dv*PX"


def save_gap_plot(frame: pd.DataFrame, path: Path) -> None:
    """Draw gaps per instance and the split runtime/gap picture into one PNG file.

    Parameters
    ----------
    frame : pandas.DataFrame
        Records as `records.as_frame` returns them.
    path : Path
        File to write.
    """
    height = max(4.5, 1.5 + INCH_PER_INSTANCE * frame["instance"].nunique())
    with saved_figure(path, 12, height) as figure:
        grid = figure.add_gridspec(1, 3, width_ratios=(1.4, 1, 1))
        gaps = figure.add_subplot(grid[0])
        plot_gaps(gaps, frame)
        runtime = figure.add_subplot(grid[1])
        plot_runtimes(runtime, frame)
        plot_gap_shares(figure.add_subplot(grid[2], sharey=runtime), frame)
        handles, labels = gaps.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def plot_gaps(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw one line per instance: how far each method is above the proven bound, in percent."""
    served = frame[frame["gap"].notna()]
    order = [str(name) for name in served.groupby("instance")["gap"].max().sort_values().index]
    for number, (name, rows) in enumerate(_by_method(frame)):
        known = rows[rows["gap"].notna()]
        ax.plot(
            100 * known["gap"].to_numpy(float),
            [order.index(instance) for instance in known["instance"]],
            MARKERS[number % len(MARKERS)],
            label=name if len(known) else f"{name} (serves none in full)",
            markersize=max(9 - number, 4),  # What is drawn first looks out from below.
        )
    ax.set_yticks(range(len(order)), order, fontsize=8)
    _as_gaps(ax)
    ax.set_title("Gap per instance")
    ax.grid(axis="x", alpha=0.3)


def plot_runtimes(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw for each method the share of instances it finished within a time, in seconds."""
    for name, rows in _by_method(frame):
        draw_share(ax, rows["wall_time_s"].to_numpy(float), len(rows), name)
    ax.set_xscale("log")
    ax.set_xlabel("run time (s)")
    ax.set_ylabel("share of instances (%)")
    ax.set_title("Finished within ...")
    ax.grid(alpha=0.3)


def plot_gap_shares(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw for each method the share of feasible instances it left within a gap, in percent."""
    feasible = frame[frame.groupby("instance")["bound_s"].transform("count") > 0]
    for name, rows in _by_method(feasible):
        draw_share(ax, 100 * rows["gap"].dropna().to_numpy(float), len(rows), name)
    _as_gaps(ax)
    ax.set_title("Within a gap of ...")
    ax.grid(alpha=0.3)


def _as_gaps(ax: Axes) -> None:
    """Give gaps in percent an axis: linear up to 1 %, logarithmic above."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.5)
    ax.set_xlim(left=-0.1)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xlabel("gap to the proven bound (%)")


def _by_method(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return each method's rows, in the order of the records, so that colours agree."""
    return [(str(name), rows) for name, rows in frame.groupby("method", sort=False)]
