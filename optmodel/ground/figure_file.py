"""Write pictures: one style for all, PNG or SVG by the name of the file, whole or not at all."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from optmodel.ground.whole_files import write_bytes

DOTS_PER_INCH = 110
PICTURE_SUFFIXES = (".png", ".svg")
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "distprivacy",  # Equal figures give equal files.
}


def plain(text: str) -> str:
    """Return text that matplotlib draws as it is, whatever formula two dollar signs would make."""
    return text.replace("$", r"\$")


@contextmanager
def saved_figure(paths: Path | Sequence[Path], width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of that size in inches, and write it when it is drawn.

    Files end in .png or .svg; standard output takes PNG.
    """
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        for path in [paths] if isinstance(paths, Path) else paths:
            write_bytes(path, _drawn(figure, path.suffix.removeprefix(".") or "png"))


def _drawn(figure: Figure, kind: str) -> bytes:
    image = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(image, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return image.getvalue()
