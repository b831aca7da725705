"""What the pictures of several benchmarks share: shares as steps, plain logarithmic axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

PLAIN = FuncFormatter(lambda value, _position: f"{value:g}")


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


def label_plainly(axis: Axis, multiples: Sequence[float] = (1.0, 2.0, 5.0)) -> None:
    """Label a logarithmic axis at these multiples of 1, 10, 100, ... in plain numbers."""
    axis.set_major_locator(LogLocator(subs=multiples))
    axis.set_major_formatter(PLAIN)
    axis.set_minor_formatter(NullFormatter())
