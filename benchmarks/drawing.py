"""What the benchmarks' pictures share: their style, and shares drawn as steps."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optmodel.files import write_bytes

STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "distprivacy",  # Equal figures give equal files.
}


@contextmanager
def saved_figure(paths: Path | Sequence[Path], width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of that size in inches, and write it when it is drawn.

    Parameters
    ----------
    paths : Path or sequence of Path
        Files that end in .png or .svg.
    width, height : float
        In inches.
    """
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        for path in [paths] if isinstance(paths, Path) else paths:
            write_bytes(path, _drawn(figure, path.suffix.removeprefix(".")))


def _drawn(figure: Figure, kind: str) -> bytes:
    image = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(image, format=kind, dpi=110, metadata=metadata)
    return image.getvalue()


def draw_share(
    ax: Axes,
    values: np.ndarray,
    total: int,
    name: str,
    colour: str | None = None,
    linestyle: str = "-",
) -> None:
    """Draw which share of `total`, in percent, is at most x, as a step function."""
    ordered = np.sort(values)
    ordered = np.concatenate([ordered[:1], ordered])
    share = 100 * np.arange(len(ordered)) / max(total, 1)
    ax.step(ordered, share, where="post", label=name, color=colour, linestyle=linestyle)
    ax.set_ylim(0, 103)
