"""A request whose front of shared data is known, and the costs of points."""

from strategies import act, by_hand, conv, fc, network, node, ssim_row

from optmodel.pareto.shared_point import SharedPoint
from optmodel.problem.instance import Instance
from optmodel.problem.ssim import SsimTable


def with_four_points() -> Instance:
    """A request on three slow helpers: to share less, fewer of them have to compute more."""
    layers = [
        conv("conv1", (1, 4), (2, 2), "early"),
        act("act1", 4, (2, 2), "early"),
        conv("conv2", (4, 3), (1, 2), "late", kernel=3),
        act("act2", 3, (1, 2), "late"),
        fc("fc1", 3, (6, 5)),
        fc("fc2", 1, (5, 2)),
    ]
    rows = (ssim_row("early", {2: 0.5, 4: 0.9}), ssim_row("late", {4: 0.1}))
    return by_hand(
        devices=(node("a", 100.0, 1000.0), node("b", 150.0, 2000.0), node("c", 200.0, 4000.0)),
        networks=(network("net", (1, 2, 2), layers),),
        ssim_table=SsimTable(source="made up", slack=0.0, rows=rows),
    )


def costs_of(points: list[SharedPoint]) -> list[tuple[float, int]]:
    return [(point.latency_s, point.shared_bits) for point in points]
