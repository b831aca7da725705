"""Pictures of the trade-off benchmark: latency against tolerance, latency against shared data."""

import math
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.common.drawing import label_plainly
from benchmarks.tradeoffs.tradeoff_record import CurveRecord, Curves
from optmodel.ground.figure_file import saved_figure
from optmodel.pareto import front

PANEL_WIDTH, PANEL_HEIGHT, LEGEND_LINE = 4.2, 2.9, 0.18
"""Inches of a panel, and of each curve's line in the legend below it."""
BELOW_LABEL = 4.5
"""Font sizes from an axis to the legend below it, whatever the panel's height."""
MARKERS = "os^Dv*PX"
LARGEST_DOT, DOT_STEP, SMALLEST_DOT = 8.0, 0.75, 3.0
"""Points; the dots of each curve are smaller than those below, so that these can be seen."""
LINEAR_UP_TO = 3.0
"""Ratio of the longest to the shortest latency, beyond which the axis is logarithmic."""

MULTIPLES = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Of powers of ten, labelled on a logarithmic axis."""

Panel = Callable[[Axes, Curves], None]


def save_plot(path: Path, curves: Curves, draw: Panel) -> None:
    """Draw one panel per network into PATH, a PNG file, and into an SVG file beside it."""
    networks = groupby(curves.items(), key=lambda item: item[0].network)
    panels = [dict(items) for _, items in networks]
    columns = min(len(panels), 2)
    rows = math.ceil(len(panels) / columns)
    height = PANEL_HEIGHT + LEGEND_LINE * max(len(panel) for panel in panels)
    paths = (path, path.with_suffix(".svg"))
    with saved_figure(paths, PANEL_WIDTH * columns, height * rows) as figure:
        for number, panel in enumerate(panels, start=1):
            draw(figure.add_subplot(rows, columns, number), panel)


def plot_tolerance(ax: Axes, curves: Curves) -> None:
    """Draw the least latency for each tolerance; a dot is where a looser promise gets faster.

    Left of a curve there is no placement at all.
    """
    lines = [(case, record) for case, record in curves.items() if front(list(record.steps))]
    for number, (case, record) in enumerate(lines):
        _draw_steps(ax, f"{case.recipe.devices} devices, {case.recipe.fleet}", record, number)
    _finish(ax, next(iter(curves)).network, bool(lines))
    ax.set_xlim(0, 1)
    ax.set_xlabel("tolerated SSIM (0: nothing alike, 1: no promise)")


def _draw_steps(ax: Axes, label: str, record: CurveRecord, number: int) -> None:
    kept = front(list(record.steps))
    x = [step.from_ssim for step in kept]
    y = [1000 * step.latency_s for step in kept if step.latency_s is not None]
    ax.step([*x, 1.0], [*y, y[-1]], where="post", color=f"C{number}", alpha=0.8)
    marker = MARKERS[number % len(MARKERS)]
    ax.plot(x, y, marker, color=f"C{number}", markersize=_dot(number), label=label)


def _dot(number: int) -> float:
    return max(LARGEST_DOT - DOT_STEP * number, SMALLEST_DOT)


def plot_shared(ax: Axes, curves: Curves) -> None:
    """Draw the least latency for each amount of shared data.

    Hollow points are not proven: the line below reaches down to the bound on the latency.
    """
    lines = [(case, record) for case, record in curves.items() if record.points]
    most = max((r.points[0].shared_bits for _, r in lines), default=1)
    unit, name = (1e6, "Mbit") if most >= 1e6 else (1e3, "kbit")
    for number, (case, record) in enumerate(lines):
        recipe, tolerance = case.recipe, case.tolerated_ssim
        label = f"{recipe.devices} devices, {recipe.fleet}, SSIM up to {tolerance:g}"
        _draw_points(ax, label, record, unit, number)
    _finish(ax, next(iter(curves)).network, bool(lines))
    ax.set_xlabel(f"shared data ({name})")


def _draw_points(ax: Axes, label: str, record: CurveRecord, unit: float, number: int) -> None:
    colour, marker = f"C{number}", MARKERS[number % len(MARKERS)]
    x = [point.shared_bits / unit for point in record.points]
    y = [1000 * point.latency_s for point in record.points]
    ax.step(x, y, where="pre", color=colour, alpha=0.6)
    ax.plot([], [], marker, color=colour, markersize=_dot(number), label=label)
    for at, latency, point in zip(x, y, record.points, strict=True):
        fill = "full" if point.proven else "none"
        ax.plot([at], [latency], marker, color=colour, fillstyle=fill, markersize=_dot(number))
        if point.bound_s is not None and not point.proven:
            ax.plot([at, at], [1000 * point.bound_s, latency], "-", color=colour, linewidth=1)


def _finish(ax: Axes, title: str, drawn: bool) -> None:
    ax.set_title(title)
    ax.set_ylabel("latency (ms)")
    ax.grid(alpha=0.3)
    low, high = ax.get_ylim()
    if drawn:
        if high > LINEAR_UP_TO * low:
            ax.set_yscale("log")
            label_plainly(ax.yaxis, MULTIPLES)
        ax.legend(
            fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=BELOW_LABEL
        )
    else:
        ax.text(0.5, 0.5, "no points", transform=ax.transAxes, ha="center")
