"""Series of instances in which one thing grows: feature maps, devices, or requests."""

from dataclasses import dataclass

from instances.cnns import Conv, Fc, Pool, trace
from instances.generate import Recipe, generate
from optmodel.problem import Instance, SsimMeasurement, SsimRow, SsimTable

MAPS = (4, 8, 16, 32, 64, 128)
DEVICES = (3, 4, 6, 10, 20, 30)
REQUESTS = (1, 2, 4, 8, 16)
LENET = ("lenet",)
ROW = "half"


@dataclass(frozen=True)
class Series:
    """Instances of growing size."""

    name: str
    axis: str
    """Label of the size, with its unit."""
    instances: dict[int, Instance]


def series() -> tuple[Series, ...]:
    """Return the three series."""
    return (
        Series("maps", "feature maps of each conv (count)", {n: _with_maps(n) for n in MAPS}),
        Series("devices", "helpers (count)", {n: _with_devices(n) for n in DEVICES}),
        Series("requests", "LeNet requests (count)", {n: _with_requests(n) for n in REQUESTS}),
    )


def _with_devices(number: int) -> Instance:
    return generate(Recipe(LENET, "mixed", number, 0.8), f"scaling-devices-{number}")


def _with_requests(number: int) -> Instance:
    recipe = Recipe(LENET, "mixed", 4, 0.8, requests=number)
    return generate(recipe, f"scaling-requests-{number}")


def _with_maps(number: int) -> Instance:
    """Return a CNN of two convs with so many maps on 4 helpers, at most half of them on each.

    The leakage is made up, so that the limit grows with the maps: Table I would turn from no limit
    at all to a tight one.
    """
    steps = (Conv("1", number, 3, ROW), Pool("1"), Conv("2", number, 3, ROW), Pool("2"))
    network = trace("two_convs", 1, 16, [*steps, Fc("1", 10)])
    halves = ((number // 2, 0.5), (number, 1.0))
    row = SsimRow(
        row=ROW, measurements=tuple(SsimMeasurement(maps=n, ssim=ssim) for n, ssim in halves)
    )
    table = SsimTable(source="Made up: half of the maps are safe.", slack=0.0, rows=(row,))
    lenet = generate(Recipe(LENET, "mixed", 4, 0.5), f"scaling-maps-{number}")
    requests = tuple(r.model_copy(update={"network": network.id}) for r in lenet.requests)
    changes = {"networks": (network,), "ssim_table": table, "requests": requests}
    return Instance.model_validate(dict(lenet) | changes)
