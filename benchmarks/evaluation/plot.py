"""Pictures of the panels: measures over the axis, one line per tolerance or policy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.common.drawing import label_plainly
from benchmarks.evaluation.panels import PANELS, TOLERANCES
from benchmarks.evaluation.table import BOUND, LATENCY, REJECTED, SHARED, UNSERVED
from optmodel.ground.figure_file import saved_figure

COLOURS = dict(zip(TOLERANCES, ("C0", "C1", "C3"), strict=True))
ASIDE = dict(zip(TOLERANCES, (-0.07, 0.0, 0.07), strict=True))
"""How far points are moved along the axis, so that none hides another."""
Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")
COLUMNS = {"latency": LATENCY, "shared": SHARED}
LABELS = {"latency": "total latency (s)", "shared": "shared data (Gbit)"}
REJECTED_LABEL = "no place at first (%)"
SOME = 0.5
"""From this percentage of requests on that are never served, a point is drawn hollow."""
WIDE = 50.0
"""Ratio of the ends of an axis from which on only powers of ten are labelled."""
FACE, EDGE = "white", 1.3


def save_panel(frame: pd.DataFrame, name: str, paths: Sequence[Path]) -> None:
    """Draw means over seeds of one panel into files: a column per policy, a line per tolerance."""
    panel, rows = PANELS[name], frame[frame["panel"] == name]
    policies = list(dict.fromkeys(rows["policy"]))
    heights = (3.0, 1.5) if panel.measure == "latency" else (2.6,)
    with saved_figure(paths, 1 + 3.6 * len(policies), 1.2 + sum(heights)) as figure:
        axes = figure.subplots(
            len(heights),
            len(policies),
            sharey="row",
            sharex="col",
            squeeze=False,
            height_ratios=heights,
        )
        for column, policy in enumerate(policies):
            _draw_policy(axes[:, column], rows[rows["policy"] == policy], panel.measure)
            axes[0, column].set_title(f"{name}: {policy}")
            axes[-1, column].set_xlabel(panel.label)
        axes[0, 0].set_ylabel(LABELS[panel.measure])
        if len(heights) > 1:
            axes[1, 0].set_ylabel("of requests (%)")
        figure.legend(handles=_panel_legend(panel.measure), loc="outside lower center", ncols=4)


def _draw_policy(axes: np.ndarray, rows: pd.DataFrame, measure: str) -> None:
    """Draw a policy's measure, and below it what it rejects, if there are axes for that."""
    for tolerance in TOLERANCES:
        chosen = rows[rows["tolerated_ssim"] == tolerance]
        draw_measure(axes[0], chosen, measure, tolerance, "-")
        for ax in axes[1:]:
            draw_rejected(ax, chosen, REJECTED, tolerance, "-")
            draw_rejected(ax, chosen, UNSERVED, tolerance, ":")


def save_overview(frame: pd.DataFrame, policies: Sequence[str], paths: Sequence[Path]) -> None:
    """Draw all panels into files: a line per tolerance and policy.

    Latencies stand above, below them what is rejected, then data.
    """
    names = [name for name in PANELS if name in set(frame["panel"])]
    above = [name for name in names if PANELS[name].measure == "latency"]
    below = [name for name in names if PANELS[name].measure == "shared"]
    heights = [*([3.0, 1.2] if above else []), *([3.0] if below else [])]
    columns = max(len(above), len(below))
    with saved_figure(paths, 0.8 + 4.0 * columns, 1.0 + 1.1 * sum(heights)) as figure:
        axes = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
        for row, shown in ((0, above), (len(heights) - 1, below)):
            for ax, name in zip(axes[row], shown, strict=False):
                _draw_all(ax, frame[frame["panel"] == name], policies, name)
        for ax, name in zip(axes[1] if above else (), above, strict=False):
            _draw_all_rejected(ax, frame[frame["panel"] == name], policies)
        for ax in axes.flat:
            ax.set_visible(ax.has_data())
        handles = _legend(policies)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(2 * columns, 4))


def _draw_all(ax: Axes, rows: pd.DataFrame, policies: Sequence[str], name: str) -> None:
    panel = PANELS[name]
    for tolerance in TOLERANCES:
        for dash, policy in zip(DASHES, policies, strict=False):
            at = (rows["policy"] == policy) & (rows["tolerated_ssim"] == tolerance)
            draw_measure(ax, rows[at], panel.measure, tolerance, dash, dash == DASHES[0])
    ax.set_title(f"{name}: {panel.title}")
    ax.set_xlabel(panel.label)
    ax.set_ylabel(LABELS[panel.measure])


def _draw_all_rejected(ax: Axes, rows: pd.DataFrame, policies: Sequence[str]) -> None:
    for tolerance in TOLERANCES:
        for dash, policy in zip(DASHES, policies, strict=False):
            at = (rows["policy"] == policy) & (rows["tolerated_ssim"] == tolerance)
            draw_rejected(ax, rows[at], REJECTED, tolerance, dash)
    ax.set_ylabel(REJECTED_LABEL)


def draw_measure(
    ax: Axes,
    rows: pd.DataFrame,
    measure: str,
    tolerance: float,
    dash: Dash,
    with_bound: bool = True,
) -> None:
    """Draw means with intervals over the axis, hollow where requests are never served.

    Hollow points are on no line: they sum up fewer requests.
    The bound of a latency is drawn below it as a row of ticks.
    """
    column, colour = COLUMNS[measure], COLOURS[tolerance]
    x, y = _places(ax, rows, tolerance), rows[column].to_numpy(float)
    half = rows[f"{column}_ci95"].fillna(0.0).to_numpy(float)
    hollow = rows[UNSERVED].to_numpy(float) >= SOME
    ax.errorbar(x, y, yerr=half, color=colour, linestyle="", elinewidth=1.4, capsize=2)
    ax.plot(x, np.where(hollow, np.nan, y), color=colour, linestyle=dash, linewidth=1.4)
    for full, face in ((~hollow, colour), (hollow, FACE)):
        ax.plot(x[full], y[full], "o", color=colour, markerfacecolor=face, markersize=4.5, zorder=3)
    if measure == "latency" and with_bound:
        ax.plot(x, rows[BOUND], "_", color=colour, markersize=9, markeredgewidth=EDGE)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    label_plainly(ax.yaxis, (1.0, 2.0, 5.0) if high < WIDE * low else (1.0,))
    ax.grid(axis="y", alpha=0.3)


def draw_rejected(ax: Axes, rows: pd.DataFrame, column: str, tolerance: float, dash: Dash) -> None:
    """Draw a percentage of requests over the axis, such as that rejected at first."""
    x = _places(ax, rows, tolerance)
    ax.plot(x, rows[column].to_numpy(float), dash, color=COLOURS[tolerance], linewidth=1.4)
    ax.set_ylim(-3, 103)
    ax.grid(axis="y", alpha=0.3)


def _places(ax: Axes, rows: pd.DataFrame, tolerance: float) -> np.ndarray:
    """Label the axis with the values of a panel, and return where its points stand."""
    places = np.arange(len(rows))
    ax.set_xticks(places, list(rows["x"]))
    return places + ASIDE[tolerance]


def _legend(policies: Sequence[str]) -> list[Line2D]:
    """Return what colours, dashes and markers mean."""
    lines = [
        Line2D([], [], color="black", linestyle=dash, label=policy)
        for dash, policy in zip(DASHES, policies, strict=False)
    ]
    hollow = {"marker": "o", "color": "black", "linestyle": "", "markerfacecolor": FACE}
    tick = {"marker": "_", "color": "black", "linestyle": "", "markersize": 9}
    return [
        *(Line2D([], [], color=COLOURS[t], label=f"SSIM {t}") for t in TOLERANCES),
        *lines,
        Line2D([], [], label="some requests never served", **hollow),  # type: ignore[arg-type]
        Line2D([], [], label="certified lower bound", **tick),  # type: ignore[arg-type]
    ]


def _panel_legend(measure: str) -> list[Line2D]:
    """Return what colours, markers and, below latencies, dashes mean in a panel by itself."""
    *lines, hollow, tick = _legend(())
    if measure == "shared":
        return [*lines, hollow]
    solid = Line2D([], [], color="black", linestyle="-", label="no place at first")
    dotted = Line2D([], [], color="black", linestyle=":", label="never served")
    return [*lines, hollow, tick, solid, dotted]
