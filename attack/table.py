"""A measured table as text: worst and mean of the subsets, beside Table I and blind guesses."""

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from instances.measured import MeasuredCell, MeasuredTable
from instances.ssim import TABLE_I, read_ssim_table

COLUMNS = (
    *("maps", "worst SSIM", "95 % interval", "mean", "spread"),
    *("PSNR dB", "same label", "Table I"),
)


def print_measured(console: Console, table: MeasuredTable) -> None:
    """Print a measured table.

    Parameters
    ----------
    console : Console
        Where to.
    table : MeasuredTable
        What was measured.
    """
    settings = table.settings
    console.print(
        f"{settings.victim.network} on {settings.images.source}: victim "
        f"{settings.victim.accuracy:.1%} right; {settings.attacker.describe()}, "
        f"{settings.images.attacker:,} images; {settings.images.evaluation} evaluated",
        markup=False,
    )
    for level in settings.blind:
        console.print(
            f"blind guess: {level.guess}: SSIM {level.ssim.mean:.3f} "
            f"({level.ssim.low:.3f} .. {level.ssim.high:.3f}), PSNR {level.psnr_db.mean:.1f} dB",
            markup=False,
        )
    printed = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    printed.add_column("row", no_wrap=True)
    printed.add_column("layer", no_wrap=True)
    for title in COLUMNS:
        printed.add_column(title, justify="right", no_wrap=True)
    for cells in groups(table):
        printed.add_row(*_line(cells))
    wide = Console(file=console.file, width=max(120, console.width), highlight=False)
    wide.print(printed)


def groups(table: MeasuredTable) -> list[list[MeasuredCell]]:
    """Return the cells of each layer and number of maps together, in the order of the table."""
    found: dict[tuple[str, int], list[MeasuredCell]] = {}
    for cell in table.cells:
        found.setdefault((cell.layer, cell.maps), []).append(cell)
    return list(found.values())


def _line(cells: list[MeasuredCell]) -> list[str]:
    worst = max(cells, key=lambda cell: cell.ssim.high)
    means = [cell.ssim.mean for cell in cells]
    spread = f"{max(means) - min(means):.3f}" if len(means) > 1 else "-"
    return [
        *(worst.row, worst.layer, str(worst.maps)),
        f"{worst.ssim.mean:.3f}" + (" blind" if worst.blind else ""),
        f"{worst.ssim.low:.3f} .. {worst.ssim.high:.3f}",
        f"{np.mean(means):.3f}",
        spread,
        f"{worst.psnr_db.mean:.1f}",
        f"{worst.same_label.mean:.0%}",
        paper_value(worst.row, worst.maps),
    ]


def paper_value(row: str, maps: int) -> str:
    """Return what Table I says of a row and a number of maps, or a dash."""
    known = read_ssim_table(TABLE_I).find(row)
    measured = {m.maps: m.ssim for m in known.measurements} if known else {}
    return f"{measured[maps]:.2f}" if maps in measured else "-"
