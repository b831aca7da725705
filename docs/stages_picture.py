"""Draw docs/stages.png: a request in stages, its graph of signatures, the arc worked by hand."""

import sys
from pathlib import Path

from matplotlib.axes import Axes

from optmodel.ground.figure_file import saved_figure
from optmodel.search import Allowance
from optmodel.stages import ArcNumbers, SenderSignature
from optmodel.stages.arcs.several_layers import solve_several_layers
from optmodel.stages.sender_signature import signatures

ARC = ArcNumbers(
    maps=3,
    sizes=(1, 1, 1),
    receive=(1, 2, 4),
    caps=((3, 3, 3), (3, 3, 3)),
    send=((1, 2, 2),),
    work=(6, 3, 2),
)
"""The arc that the page works by hand: three maps, three nodes, an act and a conv behind it."""
RATES = {1: 2.0, 2: 1.0, 3: 1.0}
"""Node 1 sends a map in a tick, the others in two."""
STAGES = (("conv1",), ("act1", "conv2"), ("act2", "fc1"), ("fc2",))
CAMERA = SenderSignature(2.0, 0)
LINE, MARKED = "0.8", "tab:red"


def draw(path: Path) -> None:
    """Draw the picture."""
    with saved_figure(path, 9, 6.6) as figure:
        above, below = figure.subplots(2, 1, height_ratios=(3, 2))
        _draw_graph(above)
        _draw_arc(below)
        for axes in (above, below):
            axes.set_axis_off()


def _draw_graph(axes: Axes) -> None:
    """Draw the stages, a column of signatures behind each of them, and the arcs between."""
    ends = [[CAMERA], signatures(RATES, False, 99), signatures(RATES, True, 99), [CAMERA]]
    places = [[(2 * n, k - (len(e) - 1) / 2) for k in range(len(e))] for n, e in enumerate(ends)]
    for n, layers in enumerate(STAGES):
        axes.text(2 * n - 1, 4.5, f"stage {n + 1}\n{', '.join(layers)}", ha="center", va="center")
        for x, y in [(2 * n - 2, 0.0)] if not n else places[n - 1]:
            for to in places[n]:
                axes.plot((x, to[0]), (y, to[1]), color=LINE, linewidth=0.7, zorder=1)
    marked = next(
        k for k, e in enumerate(ends[1]) if e.alone is None and e.rate == min(RATES.values())
    )
    arrow = {"arrowstyle": "-|>", "color": MARKED, "linewidth": 2, "shrinkB": 12}
    axes.annotate("", places[1][marked], places[0][0], arrowprops=arrow)
    axes.text(0.05, -1.8, "the arc below", color=MARKED)
    for column, at in zip(ends, places, strict=True):
        for signature, (x, y) in zip(column, at, strict=True):
            axes.text(x, y, _label(signature), ha="center", va="center", fontsize=8, bbox=BOX)
    axes.set_xlim(-2.4, 6.4)
    axes.text(-2, 0, "image", ha="center", va="center", fontsize=8, bbox=BOX)


BOX = {"boxstyle": "round", "facecolor": "white", "edgecolor": "0.5"}


def _label(signature: SenderSignature) -> str:
    """Return who may send, in words."""
    names = {2.0: "fast", 1.0: "slow"}
    if signature.alone is None:
        return f"all at least {names[signature.rate]}"
    name = f"node {signature.alone}" if signature.alone else "camera"
    return name if signature.others is None else f"{name}, others {names[signature.others]}"


def _draw_arc(axes: Axes) -> None:
    """Draw what each node receives, keeps, hands on and computes in the best placement."""
    found = solve_several_layers(ARC, ARC.longest, 0.0, Allowance())
    assert found.placement is not None
    (held, computed), (moved,) = found.placement.counts, found.placement.flows
    arrival = [0, 0, 0]
    for i, j, maps in zip(moved.sender, moved.receiver, moved.maps, strict=True):
        ticks = 0 if i == j else int(maps) * ARC.send[0][i]
        arrival[int(j)] = max(arrival[int(j)], ticks)
        text = f"{maps} stays" if i == j else f"{maps} map, {ticks} tick"
        axes.annotate("", (2.6, -j), (0.9, -i), arrowprops={"arrowstyle": "-|>", "color": MARKED})
        axes.text(
            1.6 if i != j else 1.2,
            -i - 0.4 * (j - i) + 0.12 + 0.1 * abs(j - i),
            text,
            ha="center",
            fontsize=8,
            color=MARKED,
        )
    for j in range(3):
        waits, works = int(held[j]) * ARC.receive[j], int(computed[j]) * ARC.work[j]
        left = f"receives {held[j]} · {ARC.receive[j]} = {waits} ticks"
        right = f"waits {arrival[j]}, computes {computed[j]} · {ARC.work[j]}"
        axes.text(-0.75, -j, f"node {j + 1}", ha="right", va="center")
        axes.text(0.1, -j, left, ha="center", va="center", fontsize=9, bbox=BOX)
        right += f": {arrival[j] + works} ticks"
        axes.text(3.6, -j, right, ha="center", va="center", fontsize=9, bbox=BOX)
    first = max(int(h) * r for h, r in zip(held, ARC.receive, strict=True))
    axes.text(0.1, 0.6, f"act1: T₁ = {first}", ha="center")
    axes.text(3.6, 0.6, f"conv2: T = {found.bound - first}", ha="center")
    axes.text(
        1.85, 1.1, f"One arc: {ARC.maps} maps, {found.bound} ticks", ha="center", color=MARKED
    )
    axes.set_xlim(-1.4, 5.2)
    axes.set_ylim(-2.5, 1.4)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("stages.png"))
