"""A measured table as text: worst and random subsets, beside Table I and blind guesses."""

import math
import statistics
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from instances.measured import CONFIDENCE, ConfidenceInterval, MeasuredCell, MeasuredTable
from instances.ssim import table_i_values
from optmodel.ground.terminal import print_wide

COLUMNS = (
    *("maps", "worst SSIM", "random subsets", "their spread"),
    *("PSNR dB", "same label", "Table I"),
)


def print_measured(console: Console, table: MeasuredTable) -> None:
    """Print a measured table."""
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
    print_wide(console, printed)


def groups(table: MeasuredTable) -> list[list[MeasuredCell]]:
    """Return the cells of each layer and number of maps together, in the order of the table."""
    found: dict[tuple[str, int], list[MeasuredCell]] = {}
    for cell in table.cells:
        found.setdefault((cell.layer, cell.maps), []).append(cell)
    return list(found.values())


def _line(cells: list[MeasuredCell]) -> list[str]:
    worst = max(cells, key=lambda cell: cell.ssim.high)
    drawn = [cell.ssim for cell in cells if cell.subset != "worst"]
    means, paper = [level.mean for level in drawn], table_i_values(worst.row)
    spread = f"{max(means) - min(means):.3f}" if len(means) > 1 else "-"
    return [
        *(worst.row, worst.layer, str(worst.maps)),
        _shown(worst.ssim, 3) + (" blind" if worst.blind else ""),
        _shown(over_subsets(drawn), 3) if drawn else "-",
        spread,
        _shown(worst.psnr_db, 1),
        _shown(worst.same_label, 2),
        f"{paper[worst.maps]:.2f}" if worst.maps in paper else "-",
    ]


def over_subsets(levels: Sequence[ConfidenceInterval]) -> ConfidenceInterval:
    """Return the mean over random subsets with its interval over subsets and images.

    All subsets are of the same images. The variance between subsets (Student's t) is added to that
    of the images; one subset alone tells of images only.
    """
    mean = statistics.fmean(level.mean for level in levels)
    images = statistics.fmean((level.high - level.low) / 2 for level in levels)
    count, subsets = len(levels), 0.0
    if count > 1:
        deviation = statistics.stdev(level.mean for level in levels)
        subsets = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / math.sqrt(count)
    half = math.hypot(images, subsets)
    return ConfidenceInterval(mean=mean, low=mean - half, high=mean + half)


def _shown(level: ConfidenceInterval, digits: int) -> str:
    return f"{level.mean:.{digits}f} ({level.low:.{digits}f} .. {level.high:.{digits}f})"
