"""The picture of docs/stages.md shows the arc that the page works by hand."""

import runpy

from matplotlib.figure import Figure
from places import DOCS

DRAWN = DOCS / "stages_picture.py"


def test_the_picture_shows_the_arc_of_the_page(tmp_path, monkeypatch):
    texts: list[str] = []
    save = Figure.savefig

    def noting(figure: Figure, *args: object, **options: object) -> None:
        texts.extend(text.get_text() for axes in figure.axes for text in axes.texts)
        save(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", noting)
    runpy.run_path(str(DRAWN))["draw"](tmp_path / "stages.png")
    assert (tmp_path / "stages.png").read_bytes().startswith(b"\x89PNG")
    assert texts.count("all at least slow") == 1
    for shown in ("act1: T₁ = 2", "conv2: T = 6", "One arc: 3 maps, 8 ticks", "1 map, 1 tick"):
        assert shown in texts
