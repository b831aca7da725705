"""Draw measured tables: SSIM against maps held, beside Table I and the blind guesses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instances.cnns import NETWORKS
from instances.measured import MeasuredCell, MeasuredTable
from instances.ssim import table_i_values
from optmodel.ground.figure_file import plain, saved_figure
from optmodel.ground.json_files import read_model
from optmodel.ground.rule_errors import InputError

WIDTH = 8.2
"""Of the picture, in inches."""
PANEL_HEIGHT = 2.7
LEGEND_LINE = 0.22
"""Height of one line of the legend, in inches."""
COLUMNS = 2
"""Panels beside each other at most: sums, and the finished maps that become of them."""
MARKERS = "os^Dv*PX"
BLIND_COLOURS = {"most similar image": "0.1", "mean image": "0.4", "black image": "0.7"}


@dataclass(frozen=True)
class CurvePoint:
    """What was measured of one number of maps."""

    maps: int
    """Maps that one device holds."""
    worst: MeasuredCell
    """The subset with the highest upper limit, of which caps are made."""
    mean: float
    """Mean SSIM over all subsets, the worst included."""
    subsets: int
    """How many these are."""


def read_tables(paths: Sequence[Path]) -> list[MeasuredTable]:
    """Read tables that belong into one picture.

    Raises
    ------
    InputError
        If a file is no measured table, if a table is of another network, other images or another
        victim than the first, or if two are of the same attacker and view.
    """
    tables: list[MeasuredTable] = []
    for path in paths:
        table = read_model(path, MeasuredTable)
        _refuse_unlike(path, table, tables)
        tables.append(table)
    return tables


def _refuse_unlike(path: Path, table: MeasuredTable, others: Sequence[MeasuredTable]) -> None:
    own = _what_must_agree(table)
    for field, expected in _what_must_agree(others[0]).items() if others else ():
        if own[field] != expected:
            raise InputError(
                f"{path}: settings.{field}: expected that of the first table, '{expected}', got "
                f"'{own[field]}'; draw it in a picture of its own"
            )
    attacker = table.settings.attacker.describe()
    if attacker in [other.settings.attacker.describe() for other in others]:
        raise InputError(
            f"{path}: settings.attacker: expected another than in the tables before, got "
            f"'{attacker}' again; leave one out"
        )


def _what_must_agree(table: MeasuredTable) -> dict[str, str]:
    images, victim = table.settings.images, table.settings.victim
    return {
        "victim.network": victim.network,
        "images.source": images.source,
        "images.fingerprint": images.fingerprint,
        "victim.weights": victim.weights,
    }


def points(table: MeasuredTable, row: str) -> list[CurvePoint]:
    """Return what a table says of a row, fewest maps first; none if it lacks the row."""
    own = [cell for cell in table.cells if cell.row == row]
    numbers = sorted({cell.maps for cell in own})
    return [_point([cell for cell in own if cell.maps == maps]) for maps in numbers]


def _point(cells: Sequence[MeasuredCell]) -> CurvePoint:
    worst = max(cells, key=lambda cell: cell.ssim.high)
    mean = float(np.mean([cell.ssim.mean for cell in cells]))
    return CurvePoint(worst.maps, worst, mean, len(cells))


def save_curves(tables: Sequence[MeasuredTable], path: Path) -> None:
    """Draw tables of one victim, one panel per row of the SSIM table.

    The tables are such as `read_tables` returns; the file is PNG or SVG.
    """
    rows = list(dict.fromkeys(cell.row for table in tables for cell in table.cells))
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    legend = LEGEND_LINE * (4 + len(tables))
    with saved_figure(path, WIDTH, PANEL_HEIGHT * lines + legend) as figure:
        figure.suptitle(_title(tables[0]))
        for number, row in enumerate(rows):
            ax = figure.add_subplot(lines, columns, number + 1)
            plot_row(ax, tables, row)
            if number % columns:
                ax.set_ylabel("")
        _add_legend(figure)


def _add_legend(figure: Figure) -> None:
    """Name what is drawn in any panel once, below them all."""
    named = {
        label: handle
        for ax in figure.axes
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(named.values()), list(named), loc="outside lower center", ncols=2, fontsize=9
    )


def _title(table: MeasuredTable) -> str:
    victim, images = table.settings.victim, table.settings.images
    return (
        f"{plain(f'{victim.network} on {images.source}')}: victim {victim.accuracy:.1%} right, "
        f"recovery of {images.evaluation} images"
    )


def plot_row(ax: Axes, tables: Sequence[MeasuredTable], row: str) -> None:
    """Draw the SSIM of a row against maps held: tables of one victim, Table I, blind guesses."""
    measured = [points(table, row) for table in tables]
    for number, (table, series) in enumerate(zip(tables, measured, strict=True)):
        _plot_series(ax, series, table.settings.attacker.describe(), number)
    _mark_blind_cells(ax, [point.worst for series in measured for point in series])
    paper = _plot_paper(ax, row)
    _plot_blind_guesses(ax, tables)
    ticks = sorted({*paper, *(point.maps for series in measured for point in series)})
    _as_maps_held(ax, ticks)
    layers = dict.fromkeys(point.worst.layer for series in measured for point in series)
    described = "; ".join(_with_maps(tables[0], layer) for layer in layers)
    ax.set_title(plain(f"{row}\n({described})"), fontsize=10)
    ax.set_ylabel("SSIM, no unit")


def _plot_series(ax: Axes, series: Sequence[CurvePoint], attacker: str, number: int) -> None:
    maps = [point.maps for point in series]
    worst = np.array([point.worst.ssim.mean for point in series])
    below = worst - [point.worst.ssim.low for point in series]
    above = [point.worst.ssim.high for point in series] - worst
    colour = f"C{number}"
    ax.plot(
        maps,
        worst,
        MARKERS[number % len(MARKERS)] + "-",
        color=colour,
        markersize=5,
        label=f"{attacker}: worst subset, 95 % interval",
    )
    ax.errorbar(maps, worst, yerr=np.array([below, above]), fmt="none", ecolor=colour, capsize=3)
    if any(point.subsets > 1 for point in series):
        means = [point.mean for point in series]
        ax.plot(maps, means, color=colour, linewidth=0.8, label=f"{attacker}: mean of subsets")


def _mark_blind_cells(ax: Axes, cells: Sequence[MeasuredCell]) -> None:
    """Mark cells whose attacker did no better than a blind guess: that is no privacy."""
    blind = [cell for cell in cells if cell.blind]
    if blind:
        ax.plot(
            [cell.maps for cell in blind],
            [cell.ssim.mean for cell in blind],
            "kx",
            markersize=9,
            label="attack failed: no better than a blind guess",
        )


def _plot_paper(ax: Axes, row: str) -> list[int]:
    """Draw Table I's points of a row and return its numbers of maps."""
    values = table_i_values(row)
    if values:
        ax.plot(
            list(values),
            list(values.values()),
            "k*",
            markersize=11,
            zorder=1.5,  # Below what was measured, and larger, so that both are seen.
            label="the paper's Table I (its attacker and images)",
        )
    return list(values)


def _plot_blind_guesses(ax: Axes, tables: Sequence[MeasuredTable]) -> None:
    """Draw each guess at its highest among the tables, whose attackers know other images."""
    best: dict[str, float] = {}
    for table in tables:
        for level in table.settings.blind:
            best[level.guess] = max(best.get(level.guess, -1.0), level.ssim.mean)
    for guess, value in best.items():
        ax.axhline(
            value,
            color=BLIND_COLOURS.get(guess, "0.5"),
            linestyle="--",
            linewidth=1,
            label=f"blind guess, {guess}: {value:.3f}",
        )


def _as_maps_held(ax: Axes, ticks: Sequence[int]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(ticks[0] / 1.25, ticks[-1] * 1.25)
    ax.set_xlabel("maps held")
    low, _ = ax.get_ylim()
    ax.set_ylim(min(-0.03, low), 1.03)
    ax.grid(alpha=0.3)


def _with_maps(table: MeasuredTable, layer: str) -> str:
    """Return a layer's name and how many maps it has, if its network is one of ours."""
    described = NETWORKS.get(table.settings.victim.network)
    layers = described().layers if described else ()
    maps = [one.output_maps for one in layers if one.name == layer and one.kind != "fc"]
    return f"{layer}, {maps[0]} maps" if maps else layer
