"""Pictures of the panels: measures over the axis, one line per tolerance or policy."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.evaluation.panels import PANELS, TOLERANCES
from optmodel.figure_file import saved_figure

COLOURS = dict(zip(TOLERANCES, ("C0", "C1", "C3"), strict=True))
Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")
COLUMNS = {"latency": "latency_total_s", "shared": "shared_total_gbit"}
LABELS = {"latency": "total latency (s)", "shared": "shared data (Gbit)"}
SOME = 0.5
"""From this percentage of requests on that are never served, a point is drawn hollow."""
FACE, EDGE = "white", 1.3


def save_panel(frame: pd.DataFrame, name: str, paths: Sequence[Path]) -> None:
    """Draw one panel into files: a column per policy, a line per tolerance.

    Parameters
    ----------
    frame : pandas.DataFrame
        Means over seeds, as `table.over_seeds` returns them.
    name : str
        Key of `PANELS`.
    paths : sequence of Path
        Where to write; the ending tells the format.
    """
    panel, rows = PANELS[name], frame[frame["panel"] == name]
    policies = list(dict.fromkeys(rows["policy"]))
    with_rejected = panel.measure == "latency"
    with saved_figure(paths, 1 + 3.6 * len(policies), 5.6 if with_rejected else 3.8) as figure:
        axes = figure.subplots(
            1 + with_rejected,
            len(policies),
            sharey="row",
            sharex="col",
            squeeze=False,
            height_ratios=(2, 1)[: 1 + with_rejected],
        )
        for column, policy in enumerate(policies):
            chosen = rows[rows["policy"] == policy]
            axes[0, column].set_title(f"{name}: {policy}")
            for tolerance in TOLERANCES:
                of_tolerance = chosen[chosen["tolerated_ssim"] == tolerance]
                colour = COLOURS[tolerance]
                draw_measure(axes[0, column], of_tolerance, panel.measure, colour, "-")
                if with_rejected:
                    draw_rejected(axes[1, column], of_tolerance, colour)
            axes[-1, column].set_xlabel(panel.label)
        axes[0, 0].set_ylabel(LABELS[panel.measure])
        if with_rejected:
            axes[1, 0].set_ylabel("no place at first (%)")
        figure.legend(handles=_legend(()), loc="outside lower center", ncols=5)


def save_overview(frame: pd.DataFrame, policies: Sequence[str], paths: Sequence[Path]) -> None:
    """Draw all panels into files: a line per tolerance and policy, latencies above, data below."""
    names = [name for name in PANELS if name in set(frame["panel"])]
    columns = math.ceil(len(names) / 2) if len(names) > 1 else 1
    with saved_figure(paths, 0.8 + 4.0 * columns, 7.4 if len(names) > 1 else 4.6) as figure:
        above = [name for name in names if PANELS[name].measure == "latency"]
        below = [name for name in names if PANELS[name].measure == "shared"]
        ordered = [*above, *below]
        grid = figure.add_gridspec(math.ceil(len(ordered) / columns), columns)
        for place, name in enumerate(ordered):
            ax = figure.add_subplot(grid[place // columns, place % columns])
            _draw_all_policies(ax, frame[frame["panel"] == name], policies, name)
        handles = _legend(policies)
        figure.legend(handles=handles, loc="outside lower center", ncols=4)


def _draw_all_policies(ax: Axes, rows: pd.DataFrame, policies: Sequence[str], name: str) -> None:
    panel = PANELS[name]
    for tolerance in TOLERANCES:
        for number, policy in enumerate(policies):
            at = (rows["policy"] == policy) & (rows["tolerated_ssim"] == tolerance)
            dash = DASHES[number % len(DASHES)]
            draw_measure(ax, rows[at], panel.measure, COLOURS[tolerance], dash, number == 0)
    ax.set_title(f"{name}: {panel.title}")
    ax.set_xlabel(panel.label)
    ax.set_ylabel(LABELS[panel.measure])


def draw_measure(
    ax: Axes,
    rows: pd.DataFrame,
    measure: str,
    colour: str,
    dash: Dash,
    with_bound: bool = True,
) -> None:
    """Draw means with intervals over the axis, hollow where requests are never served.

    Hollow points are on no line: they sum up fewer requests.
    The bound of a latency is drawn below it as a row of ticks.
    """
    column = COLUMNS[measure]
    x, y = list(rows["x"]), rows[column].to_numpy(float)
    half = rows[f"{column}_ci95"].fillna(0.0).to_numpy(float)
    hollow = rows["unserved_percent"].to_numpy(float) >= SOME
    ax.errorbar(x, y, yerr=half, color=colour, linestyle="", elinewidth=1.4, capsize=2)
    ax.plot(x, np.where(hollow, np.nan, y), color=colour, linestyle=dash, linewidth=1.4)
    for full, face in ((~hollow, colour), (hollow, FACE)):
        at = [x[k] for k in range(len(x)) if full[k]]
        ax.plot(at, y[full], "o", color=colour, markerfacecolor=face, markersize=5, zorder=3)
    if measure == "latency" and with_bound:
        ax.plot(x, rows["bound_total_s"], "_", color=colour, markersize=11, markeredgewidth=EDGE)
    ax.set_yscale("log")
    ax.grid(axis="y", alpha=0.3)


def draw_rejected(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Draw the percentage rejected at first, and thinner that of requests never served."""
    for column, width, dash in (("rejected_first_percent", 1.4, "-"), ("unserved_percent", 1, ":")):
        ax.plot(list(rows["x"]), rows[column].to_numpy(float), dash, color=colour, linewidth=width)
    ax.set_ylim(-3, 103)
    ax.grid(axis="y", alpha=0.3)


def _legend(policies: Sequence[str]) -> list[Line2D]:
    """Return what colours, dashes and markers mean."""
    tolerances = [Line2D([], [], color=COLOURS[t], label=f"SSIM {t}") for t in TOLERANCES]
    lines = [
        Line2D([], [], color="black", linestyle=DASHES[number % len(DASHES)], label=policy)
        for number, policy in enumerate(policies)
    ]
    hollow = {"marker": "o", "color": "black", "linestyle": "", "markerfacecolor": FACE}
    tick = {"marker": "_", "color": "black", "linestyle": "", "markersize": 11}
    return [
        *tolerances,
        *lines,
        Line2D([], [], label="some requests never served", **hollow),  # type: ignore[arg-type]
        Line2D([], [], label="certified lower bound", **tick),  # type: ignore[arg-type]
    ]
