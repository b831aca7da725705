"""Contact sheet, as the paper's Figure 2: images, and what was recovered of them by maps held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from distributed import Client
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import Tensor

from attack.cell_attack import AttackScene, CellKey, attack_cell, best_guess
from attack.grid import on_workers
from attack.images import Images
from attack.metrics import estimate
from attack.tensors import as_floats, derived_seed
from instances.measured import ConfidenceInterval, MeasuredSettings
from optmodel.ground.figure_file import plain, saved_figure
from optmodel.ground.rule_errors import OptionError

WIDTH = 8.2
"""Of the picture, in inches."""
LABELS = 3.6
"""Width left to the labels on both sides, in inches."""
TITLE = 0.7
"""Height left to the title, in inches."""
GAP_SHARE = 16
"""Between two images lies a white gap of their side over this."""


@dataclass(frozen=True, eq=False)
class SheetRow:
    """One row of a contact sheet."""

    label: str
    """What is shown."""
    images: NDArray[np.float32]
    """Shape (n, channels, height, width), values in 0..1."""
    ssim: ConfidenceInterval | None
    """Similarity over all images of the evaluation, not only those shown; None for the originals.
    """

    def value(self) -> str:
        """Return mean and limits of the similarity as text."""
        if self.ssim is None:
            return "SSIM, no unit\n(95 % interval)"
        return f"{self.ssim.mean:.3f}\n({self.ssim.low:.3f} .. {self.ssim.high:.3f})"


def choose_images(images: Images, count: int, seed: int) -> NDArray[np.int64]:
    """Return which images to show: of as many classes as possible, drawn with the seed.

    Raises
    ------
    OptionError
        If there are fewer images.
    """
    if count > len(images):
        raise OptionError(
            "images",
            f"expected at most {len(images)}, the images of the evaluation, got {count}; "
            "show fewer",
        )
    drawn = np.random.default_rng(derived_seed("sheet", seed)).permutation(len(images))
    labels = images.labels[drawn]
    turn = [int((labels[:place] == label).sum()) for place, label in enumerate(labels)]
    chosen = drawn[np.argsort(turn, kind="stable")[:count]]
    return chosen[np.argsort(images.labels[chosen], kind="stable")]


def recover_rows(
    client: Client,
    scene: AttackScene,
    keys: Sequence[CellKey],
    shown: NDArray[np.int64],
    finished: Callable[[SheetRow], None],
) -> list[SheetRow]:
    """Return the rows of a contact sheet: originals, one per cell, the best blind guess.

    The cells stand in the order of their keys. `shown` are indices of images of the evaluation;
    `finished` is told every row that was recovered.
    """
    rows: dict[CellKey, SheetRow] = {}
    for key, row in on_workers(client, partial(recovered_row, shown=shown), scene, keys):
        rows[key] = row
        finished(row)
    images = as_floats(scene.evaluation)
    return [
        SheetRow("original", _pixels(images, shown), None),
        *(rows[key] for key in keys),
        _blind_row(scene, images, shown),
    ]


def recovered_row(scene: AttackScene, key: CellKey, shown: NDArray[np.int64]) -> SheetRow:
    """Attack one cell and keep the images to show."""
    attacked = attack_cell(scene, key)
    total = attacked.layer.output_maps
    which = "all" if key.maps >= total else f"{key.subset} subset"
    failed = "\nfailed: blind guess" if attacked.fitted.collapsed else ""
    label = f"{attacked.layer.name}: {key.maps} of {total} maps\n({which}){failed}"
    return SheetRow(plain(label), _pixels(attacked.images, shown), attacked.similarity)


def _blind_row(scene: AttackScene, images: Tensor, shown: NDArray[np.int64]) -> SheetRow:
    guess = best_guess(scene)
    similarity = estimate(guess.similarity(images), scene.evaluation.groups)
    return SheetRow(
        f"no map at all:\nblind guess, {guess.name}",
        _pixels(guess.for_images(images), shown),
        similarity,
    )


def _pixels(images: Tensor, shown: NDArray[np.int64]) -> NDArray[np.float32]:
    return images[shown.tolist()].clamp(0, 1).numpy()


def save_sheet(rows: Sequence[SheetRow], settings: MeasuredSettings, view: str, path: Path) -> None:
    """Draw a contact sheet, PNG or SVG; `view` tells in a few words what the attacker holds."""
    count, _, height, width = rows[0].images.shape
    side = (WIDTH - LABELS) / count
    with saved_figure(path, WIDTH, TITLE + side * height / width * len(rows)) as figure:
        figure.suptitle(_title(settings, view), fontsize=10)
        plot_sheet(figure.add_subplot(), rows)


def _title(settings: MeasuredSettings, view: str) -> str:
    victim, images, attacker = settings.victim, settings.images, settings.attacker
    return (
        f"{plain(f'{victim.network} on {images.source}')}: victim {victim.accuracy:.1%} right\n"
        f"{attacker.budget} attacker, {images.attacker:,} images, holds {view}; "
        f"SSIM over {images.evaluation} images"
    )


def plot_sheet(ax: Axes, rows: Sequence[SheetRow]) -> None:
    """Draw the rows below each other, what they show to the left, their SSIM to the right."""
    strips = [strip(row.images) for row in rows]
    height, width, _ = strips[0].shape
    ax.imshow(np.concatenate(strips), vmin=0, vmax=1, aspect="equal")
    centres = [(index + 0.5) * height for index in range(len(rows))]
    ax.set_yticks(centres, [row.label for row in rows], fontsize=9)
    for centre, row in zip(centres, rows, strict=True):
        ax.text(1.02 * width, centre, row.value(), va="center", fontsize=9)
    ax.set_xticks([])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def strip(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return images side by side, shape (height, width, 3), a white gap beside and below each."""
    count, channels, _, width = images.shape
    gap = -(-width // GAP_SHARE)
    framed = np.pad(images, [(0, 0), (0, 0), (0, gap), (0, gap)], constant_values=1.0)
    coloured = np.broadcast_to(framed, (count, 3, *framed.shape[2:])) if channels == 1 else framed
    return np.concatenate(list(coloured.transpose(0, 2, 3, 1)), axis=1)
