"""Where a placement is drawn: layers across, nodes down, the source first, flows between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optmodel.placement import RequestPlacement, transfer_bits
from optmodel.problem import FloatArray, Problem, RequestTask

COLUMN, ROW, HEAD = 66, 30, 52
"""Width of a layer, height of a node, height of the titles, in pixels."""
CELL_WIDTH, CELL_HEIGHT = 36, 22
DENSE = 20
"""Lines between two layers, on average, from which on they are drawn faintly."""
LABEL_LENGTH, TITLE_LENGTH, LETTER = 20, 8, 8
"""Letters of a node's and of a layer's name that find room, and the width of one in pixels.

The whole name is shown on hovering."""


@dataclass(frozen=True)
class PictureColumn:
    """A layer: where it stands, its short and long title, and Nf if its input is at risk."""

    x: int
    name: str
    title: str
    cap: int | None


@dataclass(frozen=True)
class PictureRow:
    """A node: where it stands, its short and long title."""

    y: int
    name: str
    title: str
    source: bool


@dataclass(frozen=True)
class PictureCell:
    """The segments of a layer on a node; strength (0 to 9) grows with their share."""

    x: int
    y: int
    count: int
    strength: int
    title: str


@dataclass(frozen=True)
class PictureLine:
    """What moves between two layers: an SVG path; own if it stays on its node."""

    path: str
    width: int
    own: bool
    title: str


@dataclass(frozen=True)
class PlacementPicture:
    """A drawing of where one request is computed.

    Sizes are in pixels; `split` is where the split point is marked, None if no maps are at risk,
    and `idle` are helpers that compute nothing, which are left out.
    """

    column_width: ClassVar[int] = COLUMN
    cell_width: ClassVar[int] = CELL_WIDTH
    cell_height: ClassVar[int] = CELL_HEIGHT

    names_width: int
    width: int
    height: int
    columns: tuple[PictureColumn, ...]
    rows: tuple[PictureRow, ...]
    cells: tuple[PictureCell, ...]
    lines: tuple[PictureLine, ...]
    split: int | None
    idle: int

    @property
    def dense(self) -> bool:
        """Whether lines are so many that they have to be faint."""
        return len(self.lines) > DENSE * len(self.columns)


@dataclass(frozen=True)
class _Canvas:
    """One request, and the row of each node that is drawn (by node index)."""

    problem: Problem
    task: RequestTask
    placed: RequestPlacement
    row: dict[int, int]

    def name(self, node: int) -> str:
        """Return the id of a node."""
        return self.problem.node_ids[node]

    def y(self, node: int) -> int:
        """Return the height at which a node is drawn, in pixels."""
        return HEAD + ROW * self.row[node] + ROW // 2

    def holders(self, layer: int) -> list[int]:
        """Return the nodes with segments of a layer, from the top."""
        on: list[int] = np.flatnonzero(self.placed.counts[layer]).tolist()
        return sorted(on, key=self.row.__getitem__)


def draw(problem: Problem, task: RequestTask, placed: RequestPlacement) -> PlacementPicture:
    """Return the drawing of a placement that has passed the checker."""
    used = np.flatnonzero(placed.counts.any(axis=0)).tolist()
    order = sorted({task.source, *used}, key=lambda node: (node != task.source, node))
    canvas = _Canvas(problem, task, placed, {node: row for row, node in enumerate(order)})
    layers = len(task.layers)
    sent, received = np.zeros((2, layers, len(problem.node_ids)))
    lines: list[PictureLine] = []
    for k in range(layers - 1):
        bits = transfer_bits(task, placed, k)
        sent[k], received[k + 1] = bits.sum(axis=1), bits.sum(axis=0)
        lines += _lines(canvas, k, bits)
    rows = tuple(_row(canvas, node) for node in order)
    split = task.protection.split_point
    return PlacementPicture(
        names_width=LETTER * (2 + max(len(row.name) for row in rows)),
        width=COLUMN * layers,
        height=HEAD + ROW * len(order) + 6,
        columns=tuple(_column(task, k) for k in range(layers)),
        rows=rows,
        cells=tuple(_cells(canvas, sent, received)),
        lines=tuple(lines),
        split=COLUMN * split if split else None,
        idle=problem.helpers - sum(node < problem.helpers for node in order),
    )


def shortened(name: str, length: int) -> str:
    """Return a name, cut to so many letters."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _x(layer: int) -> int:
    return COLUMN * layer + COLUMN // 2


def _column(task: RequestTask, k: int) -> PictureColumn:
    layer, cap = task.layers[k], task.protection.cap(k)
    limit = "" if cap is None else f", receives maps at risk: Nf = {cap}"
    title = f"{layer.name}: {layer.segments} segments{limit}"
    return PictureColumn(_x(k), shortened(layer.name, TITLE_LENGTH), title, cap)


def _row(canvas: _Canvas, node: int) -> PictureRow:
    source = node == canvas.task.source
    device = canvas.problem.instance.nodes[node]
    title = f"{device.id} ({device.family}, {'source' if source else 'helper'})"
    return PictureRow(canvas.y(node), shortened(device.id, LABEL_LENGTH), title, source)


def _cells(canvas: _Canvas, sent: FloatArray, received: FloatArray) -> Iterator[PictureCell]:
    for k, layer in enumerate(canvas.task.layers):
        for node in canvas.holders(k):
            count = int(canvas.placed.counts[k, node])
            title = (
                f"{layer.name} on {canvas.name(node)}: {count} of {layer.segments} segments, "
                f"receives {received[k, node]:,.0f} bits, sends {sent[k, node]:,.0f} bits"
            )
            yield PictureCell(_x(k), canvas.y(node), count, 9 * count // layer.segments, title)


def _lines(canvas: _Canvas, k: int, bits: FloatArray) -> Iterator[PictureLine]:
    """Yield what moves after a layer."""
    if canvas.task.layers[k].transfer == "mapwise":
        return _map_lines(canvas, k, bits)
    senders, receivers = canvas.holders(k), canvas.holders(k + 1)
    if senders == receivers and len(senders) == 1:
        return iter([_staying(canvas, k, senders[0])])
    return _broadcast_lines(canvas, k, bits)


def _staying(canvas: _Canvas, k: int, node: int) -> PictureLine:
    title = f"{canvas.task.layers[k].name}: all of it stays on {canvas.name(node)}"
    y = canvas.y(node)
    return PictureLine(
        f"M{_x(k) + CELL_WIDTH // 2} {y}H{_x(k + 1) - CELL_WIDTH // 2}", 2, True, title
    )


def _map_lines(canvas: _Canvas, k: int, bits: FloatArray) -> Iterator[PictureLine]:
    """Yield a line per pair of nodes, the wider the more maps move."""
    layer = canvas.task.layers[k]
    left, right = _x(k) + CELL_WIDTH // 2, _x(k + 1) - CELL_WIDTH // 2
    bend = (left + right) // 2
    for at, sender, receiver, maps in canvas.placed.flows.entries():
        if at != k or not maps:
            continue
        own = sender == receiver
        moved = f"{maps} maps stay" if own else f"{maps} maps, {bits[sender, receiver]:,.0f} bits"
        title = f"{layer.name}: {canvas.name(sender)} to {canvas.name(receiver)}: {moved}"
        y, to = canvas.y(sender), canvas.y(receiver)
        path = f"M{left} {y}H{right}" if own else f"M{left} {y}C{bend} {y} {bend} {to} {right} {to}"
        yield PictureLine(path, 1 + 4 * maps // layer.segments, own, title)


def _broadcast_lines(canvas: _Canvas, k: int, bits: FloatArray) -> Iterator[PictureLine]:
    """Yield a line from each sender to a bus, the bus, and a line from it to each receiver."""
    name, senders, receivers = canvas.task.layers[k].name, canvas.holders(k), canvas.holders(k + 1)
    left, right = _x(k) + CELL_WIDTH // 2, _x(k + 1) - CELL_WIDTH // 2
    bus = (left + right) // 2
    for node in senders:
        title = f"{name}: {canvas.name(node)} {_amount('sends', bits[node], 'to')}"
        yield PictureLine(f"M{left} {canvas.y(node)}H{bus}", 2, False, title)
    for node in receivers:
        title = f"{name}: {canvas.name(node)} {_amount('receives', bits[:, node], 'from')}"
        yield PictureLine(f"M{bus} {canvas.y(node)}H{right}", 2, False, title)
    heights = [canvas.y(node) for node in (*senders, *receivers)]
    total = f"{name}: {len(senders)} senders, {len(receivers)} receivers, {bits.sum():,.0f} bits"
    yield PictureLine(f"M{bus} {min(heights)}V{max(heights)}", 2, False, total)


def _amount(verb: str, bits: FloatArray, preposition: str) -> str:
    others = np.count_nonzero(bits)
    if not others:
        return f"{verb} nothing"
    return f"{verb} {bits.sum():,.0f} bits {preposition} {others} node{'s' if others > 1 else ''}"
