"""Draw shares as steps, for the pictures of several benchmarks."""

import numpy as np
from matplotlib.axes import Axes


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
