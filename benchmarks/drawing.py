"""What the benchmarks' pictures share: their style, and shares drawn as steps."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optmodel.files import write_bytes


@contextmanager
def saved_figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of that size in inches, and write it as PNG when it is drawn."""
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=110)
    write_bytes(path, image.getvalue())


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
