"""Tiny instances: one made by hand, and hypothesis strategies for random ones."""

from collections.abc import Sequence
from itertools import pairwise

import reference
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from optmodel.problem.instance import Instance, Node, Request
from optmodel.problem.network import ActLayer, ConvLayer, FcLayer, Layer, Network, PoolLayer
from optmodel.problem.ssim import SsimMeasurement, SsimRow, SsimTable

PLENTY = 1e12
"""A budget that never binds."""

MOST_HELPER_SEGMENTS = {2: 12, 3: 8}
"""By number of helpers, so that a request has at most 2^12 or 3^8 placements."""


def examples(number: int) -> settings:
    """Return settings under which every run draws the same examples."""
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# Pieces of instances.


def node(name: str, speed: float, rate: float, **budgets: float) -> Node:
    """Return a node whose budgets are plenty unless told otherwise."""
    wanted = dict.fromkeys(reference.BUDGETS.values(), PLENTY) | budgets
    return Node(id=name, family="any", compute_mult_per_s=speed, rate_bits_per_s=rate, **wanted)


def conv(name: str, maps: tuple[int, int], size: tuple[int, int], row: str, kernel: int = 1):
    received, put_out = maps
    return ConvLayer(
        kind="conv",
        name=name,
        input_maps=received,
        output_maps=put_out,
        kernel=kernel,
        output_height=size[0],
        output_width=size[1],
        ssim_row=row,
    )


def act(name: str, maps: int, size: tuple[int, int], row: str) -> ActLayer:
    return ActLayer(kind="act", **_mapwise(name, maps, size, row))


def pool(name: str, maps: int, size: tuple[int, int], row: str) -> PoolLayer:
    return PoolLayer(kind="pool", **_mapwise(name, maps, size, row))


def _mapwise(name: str, maps: int, size: tuple[int, int], row: str) -> dict[str, object]:
    height, width = size
    fields = {"output_height": height, "output_width": width, "ssim_row": row}
    return {"name": name, "input_maps": maps, **fields}


def fc(name: str, maps: int, neurons: tuple[int, int]) -> FcLayer:
    return FcLayer(
        kind="fc", name=name, input_maps=maps, input_neurons=neurons[0], output_neurons=neurons[1]
    )


def network(name: str, image: tuple[int, int, int], layers: Sequence[Layer]) -> Network:
    """Return a network; layers whose sizes no usual padding makes state one that does."""
    channels, *size = image
    stated = []
    for layer in layers:
        if not isinstance(layer, FcLayer):
            layer, size = _with_padding(layer, size), layer.output_size
        stated.append(layer)
    height, width = image[1:]
    return Network(
        id=name,
        image_channels=channels,
        image_height=height,
        image_width=width,
        layers=tuple(stated),
    )


def _with_padding(layer: Layer, received: Sequence[int]) -> Layer:
    """Return a layer that states stride and padding if its size needs them."""
    if isinstance(layer, ActLayer) or all(
        window.makes(*sizes)
        for window, *sizes in zip(layer.windows, received, layer.output_size, strict=True)
    ):
        return layer
    kernel = layer.kernel or 1
    axes = [any_padding(kernel, *sizes) for sizes in zip(received, layer.output_size, strict=True)]
    stride, padding = (tuple(pair) for pair in zip(*axes, strict=True))
    return layer.model_copy(update={"kernel": kernel, "stride": stride, "padding": padding})


def any_padding(kernel: int, received: int, made: int) -> tuple[int, int]:
    """Return a stride and a padding with which a kernel makes any size of any other."""
    stride = max(2, -(-(received - kernel + 1) // made))
    return stride, max(0, -(-(stride * (made - 1) + kernel - received) // 2))


def ssim_row(name: str, ssim: dict[int, float]) -> SsimRow:
    measured = tuple(SsimMeasurement(maps=n, ssim=value) for n, value in ssim.items())
    return SsimRow(row=name, measurements=measured)


def instance(
    devices: Sequence[Node],
    sources: Sequence[Node],
    networks: Sequence[Network],
    requests: Sequence[Request],
    table: SsimTable,
    unattainable: str = "reject",
) -> Instance:
    return Instance(
        schema_version=1,
        name="tiny",
        description="",
        word_bits=32,
        period_s=1.0,
        unattainable=unattainable,
        devices=tuple(devices),
        sources=tuple(sources),
        networks=tuple(networks),
        ssim_table=table,
        requests=tuple(requests),
    )


# The instance made by hand.

EARLY = {1: 0.3, 2: 0.5, 3: 0.9}
LATE = {1: 0.2, 2: 0.4}


def by_hand(tolerance: float = 0.6, **changes: object) -> Instance:
    """Return a camera, helpers a, b, c and one request for a network of six layers.

    At tolerance 0.6 the 3 maps of conv1 and act1 are at risk (0.9) and 2 of them are safe (0.5):
    act1 and conv2 have Nf = 2. The 2 maps of conv2 and act2 are not at risk (0.4).
    """
    layers = [
        conv("conv1", (1, 3), (2, 2), "early"),
        act("act1", 3, (2, 2), "early"),
        conv("conv2", (3, 2), (1, 2), "late"),
        act("act2", 2, (1, 2), "late"),
        fc("fc1", 2, (4, 5)),
        fc("fc2", 1, (5, 2)),
    ]
    made = instance(
        devices=[node("a", 1000.0, 1000.0), node("b", 500.0, 2000.0), node("c", 2000.0, 4000.0)],
        sources=[node("camera", 400.0, 8000.0)],
        networks=[network("net", (1, 2, 2), layers)],
        requests=[Request(id="r1", source="camera", network="net", tolerated_ssim=tolerance)],
        table=SsimTable(
            source="made up", slack=0.0, rows=(ssim_row("early", EARLY), ssim_row("late", LATE))
        ),
    )
    return made.model_copy(update=changes)


def with_budget(made: Instance, name: str, **budgets: float) -> Instance:
    """Return the instance with other budgets on one node."""

    def changed(nodes: Sequence[Node]) -> tuple[Node, ...]:
        return tuple(n.model_copy(update=budgets) if n.id == name else n for n in nodes)

    return made.model_copy(
        update={"devices": changed(made.devices), "sources": changed(made.sources)}
    )


def with_fleet(made: Instance, field: str, budgets: Sequence[float]) -> Instance:
    """Return the instance with one kind of budget changed on every helper."""
    for device, budget in zip(made.devices, budgets, strict=True):
        made = with_budget(made, device.id, **{field: budget})
    return made


def unlimited(made: Instance) -> Instance:
    """Return the instance with budgets that never bind."""
    for at in made.nodes:
        made = with_budget(made, at.id, **dict.fromkeys(reference.BUDGETS.values(), PLENTY))
    return made


def twice(made: Instance) -> Instance:
    """Return the instance with its request sent twice, as r1 and r2."""
    request = made.requests[0]
    return made.model_copy(update={"requests": (request, request.model_copy(update={"id": "r2"}))})


def clashing() -> Instance:
    """Return two requests of which each alone has a place, as has the sum of their weights.

    fc1 takes 80 bytes and must be whole: it fits on a, and only once.
    """
    return with_fleet(twice(by_hand()), "memory_bytes", (120.0, 60.0, 60.0))


# Random instances.

AFTER_CONV = ((), ("act",), ("act", "pool"), ("pool",))
SPEEDS = st.integers(1, 40).map(lambda n: n * 1000.0)
HUNDREDTHS = st.integers(20, 99).map(lambda n: n / 100)
TOLERANCES = st.integers(45, 95).map(lambda n: n / 100)
HELPER_PERCENT = st.sampled_from((35, 50, 60, 75, 100, 100))
SOURCE_PERCENT = st.sampled_from((100, 100, 100, 100, 60))
CUT_PERCENT = st.sampled_from((None, 100, 99, 80, 50))
OFFSETS = st.sampled_from((0.0, 0.0, 0.5, -0.5))


@st.composite
def instances(draw: DrawFn, requests: int | None = None) -> Instance:
    """Draw an instance of 2 or 3 helpers, 1 or 2 cameras, 1 or 2 requests."""
    helpers = draw(st.sampled_from((2, 3)))
    number = requests or draw(st.sampled_from((1, 1, 2)))
    room = MOST_HELPER_SEGMENTS[helpers] - (2 if number == 2 else 0)
    networks = [draw(_networks(f"net{k}", room)) for k in range(draw(st.integers(1, number)))]
    cameras = draw(st.integers(1, number))
    wanted = [
        Request(
            id=f"r{k}",
            source=f"camera{k % cameras}",
            network=networks[k % len(networks)].id,
            tolerated_ssim=draw(TOLERANCES),
        )
        for k in range(number)
    ]
    made = instance(
        devices=draw(_helpers(helpers)),
        sources=[node(f"camera{k}", draw(SPEEDS), draw(SPEEDS)) for k in range(cameras)],
        networks=networks,
        requests=wanted,
        table=draw(_tables()),
        unattainable=draw(st.sampled_from(("reject", "source"))),
    )
    return draw(_budgeted(made))


@st.composite
def _helpers(draw: DrawFn, number: int) -> list[Node]:
    names = [f"helper{k}" for k in range(number)]
    if draw(st.booleans()):
        speed, rate = draw(SPEEDS), draw(SPEEDS)
        return [node(name, speed, rate) for name in names]
    return [node(name, draw(SPEEDS), draw(SPEEDS)) for name in names]


@st.composite
def _tables(draw: DrawFn) -> SsimTable:
    """Draw rows with any measured numbers; similarity grows with them more often than not."""
    rows = []
    for name in ("first", "second"):
        measured = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4, unique=True))
        ssim = [draw(HUNDREDTHS) for _ in measured]
        grows = draw(st.sampled_from((True, True, False)))
        pairs = zip(sorted(measured), sorted(ssim) if grows else ssim, strict=True)
        rows.append(ssim_row(name, dict(pairs)))
    return SsimTable(source="drawn", slack=draw(st.sampled_from((0.0, 0.01))), rows=tuple(rows))


@st.composite
def _networks(draw: DrawFn, name: str, room: int) -> Network:
    """Draw [pool] conv [act] [pool] [conv [act] [pool]] [fc [fc]]."""
    kinds = ["pool"] if draw(st.integers(0, 7)) == 7 else []
    for _ in range(draw(st.integers(1, 2))):
        kinds += ["conv", *draw(st.sampled_from(AFTER_CONV))]
    kinds += ["fc"] * draw(st.sampled_from((0, 1, 2, 2)))
    return _build_network(draw, name, kinds, room)


def _build_network(draw: DrawFn, name: str, kinds: list[str], room: int) -> Network:
    maps = channels = draw(st.integers(1, 2))
    size = image = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    neurons, layers = 0, []
    room -= len(kinds)
    for k, kind in enumerate(kinds):
        title = f"{kind}{k}"
        row = draw(st.sampled_from(("first", "second")))
        if kind == "conv":
            size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
            most = _most_maps(kinds, k, room)
            received, maps = maps, draw(st.sampled_from((*range(1, most + 1), most, most)))
            room -= _receivers(kinds, k) * (maps - 1)
            layers.append(conv(title, (received, maps), size, row, draw(st.integers(1, 2))))
        elif kind == "act":
            layers.append(act(title, maps, size, row))
        elif kind == "pool":
            size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
            layers.append(pool(title, maps, size, row))
        else:
            received = neurons or maps * size[0] * size[1]
            put_out = draw(st.integers(1, 6))
            layers.append(fc(title, 1 if neurons else maps, (received, put_out)))
            neurons = put_out
    return network(name, (channels, *image), layers)


def _receivers(kinds: list[str], k: int) -> int:
    """Count the layers on helpers, segment by segment, that receive the maps of conv k."""
    number = 0
    for index in range(k + 1, len(kinds) - 1):
        if kinds[index] == "fc":
            break
        number += 1
        if kinds[index] == "conv":
            break
    return number


def _most_maps(kinds: list[str], k: int, room: int) -> int:
    receivers = _receivers(kinds, k)
    return max(1, min(4, 1 + room // receivers)) if receivers else 4


@st.composite
def _budgeted(draw: DrawFn, made: Instance) -> Instance:
    """Leave budgets plenty, draw them as shares of the batch, or cut the fastest plan short."""
    fastest = reference.best(made)
    for equation, field in reference.BUDGETS.items():
        kind = draw(st.sampled_from(("plenty", "share", "cut", "cut")))
        if kind == "share":
            total = _totals(made)[equation]
            for at in made.nodes:
                percent = draw(HELPER_PERCENT if at in made.devices else SOURCE_PERCENT)
                budget = max(total * percent / 100 + draw(OFFSETS), 0.0)
                made = with_budget(made, at.id, **{field: budget})
        elif kind == "cut" and fastest is not None:
            carried = reference.loads(made, fastest.assignment)[equation]
            for device in made.devices:
                percent = draw(CUT_PERCENT)
                if percent is not None and carried[device.id]:
                    budget = carried[device.id] * percent / 100
                    made = with_budget(made, device.id, **{field: budget})
    return made


def _totals(made: Instance) -> dict[str, int]:
    """Return bytes and multiplications of all requests, and bits with two senders per layer."""
    totals = dict.fromkeys(reference.BUDGETS, 0)
    for request in made.requests:
        layers = reference.layers_of(made, request)
        for layer in layers:
            totals["8b"] += layer.input_maps * reference.weights(layer) * made.word_bits // 8
            totals["8c"] += layer.input_maps * reference.multiplications(layer)
        for layer, following in pairwise(layers):
            totals["8d"] += reference.output_bits(made, layer) * following.input_maps
    return totals


@st.composite
def assignments(draw: DrawFn, made: Instance) -> dict[str, reference.Plan]:
    """Draw a node for every segment, the same one for all segments of a layer now and then."""
    names = [at.id for at in made.nodes]
    drawn = {}
    for request in made.requests:
        plan = []
        for layer in reference.layers_of(made, request):
            few = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
            nodes = st.sampled_from(few)
            plan.append(tuple(draw(nodes) for _ in range(layer.input_maps)))
        drawn[request.id] = tuple(plan)
    return drawn


@st.composite
def admissible_assignments(draw: DrawFn, made: Instance) -> dict[str, reference.Plan] | None:
    """Draw an assignment that breaks none of 8e-8i; None if a layer has no place at all."""
    drawn = {}
    for request in made.requests:
        plan = []
        for index in range(len(reference.layers_of(made, request))):
            vectors = reference.admissible(made, request, index)
            if not vectors:
                return None
            plan.append(draw(st.sampled_from(vectors)))
        drawn[request.id] = tuple(plan)
    return drawn
