"""An independent brute force over Eq. 5-8: every segment on every node, in exact fractions.

Written from the reading of the paper and not from the package, of which it uses only the data
classes of an instance. A vector names the node of each segment of one layer, a plan holds the
vectors of one request, an assignment the plans of all requests by request id.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import floor
from operator import add, le

from optmodel.problem.instance import Instance, Request
from optmodel.problem.network import Layer

Vector = tuple[str, ...]
Plan = tuple[Vector, ...]
Assignment = Mapping[str, Plan]
Load = tuple[int, ...]

BUDGETS = {"8b": "memory_bytes", "8c": "compute_budget_mult", "8d": "bandwidth_budget_bits"}


@dataclass(frozen=True)
class Best:
    """The least latency, in seconds, and one assignment that has it."""

    latency_s: Fraction
    assignment: dict[str, Plan]


@cache
def exact(number: float) -> Fraction:
    """Read a number as the decimal that a file shows."""
    return Fraction(str(number))


def layers_of(instance: Instance, request: Request) -> tuple[Layer, ...]:
    return next(n for n in instance.networks if n.id == request.network).layers


# Eq. 2-4: what a segment costs.


def weights(layer: Layer) -> int:
    if layer.kind == "conv":
        return layer.kernel**2 * layer.output_maps
    if layer.kind == "fc":
        return int(Fraction(layer.input_neurons * layer.output_neurons, layer.input_maps))
    return 0


def multiplications(layer: Layer) -> int:
    pixels = layer.output_height * layer.output_width if layer.kind == "conv" else 1
    return weights(layer) * pixels


def output_bits(instance: Instance, layer: Layer) -> int:
    if layer.kind == "fc":
        return instance.word_bits * layer.output_neurons
    return instance.word_bits * layer.output_height * layer.output_width


# Privacy: caps, and where a layer may be.


def cap(instance: Instance, request: Request, index: int) -> int | None:
    """Nf for the maps that a layer receives; None when they are not at risk."""
    before = layers_of(instance, request)[index - 1] if index else None
    if before is None or before.kind == "fc":
        return None
    row = next(r for r in instance.ssim_table.rows if r.row == before.ssim_row)
    ssim = {m.maps: exact(m.ssim) for m in row.measurements}
    highest = exact(request.tolerated_ssim) + exact(instance.ssim_table.slack)

    def safe(maps: int) -> bool:
        measured = min(n for n in ssim if n >= maps)
        return max(value for n, value in ssim.items() if n <= measured) <= highest

    if before.output_maps <= max(ssim) and safe(before.output_maps):
        return None
    return max((n for n in range(1, max(ssim) + 1) if safe(n)), default=0)


def is_first_fc(layers: tuple[Layer, ...], index: int) -> bool:
    return layers[index].kind == "fc" and layers[index - 1].kind != "fc"


def is_on_source(instance: Instance, request: Request, index: int) -> bool:
    """8h, with the policy "source" for maps of which no share is safe."""
    layers = layers_of(instance, request)
    limit = cap(instance, request, index)
    exposed_fc = is_first_fc(layers, index) and limit is not None
    kept = limit == 0 and instance.unattainable == "source"
    return index in (0, len(layers) - 1) or exposed_fc or kept


def broken_by_vector(
    instance: Instance, request: Request, index: int, vector: Vector
) -> Iterator[str]:
    """8f, 8g and 8h for one layer."""
    helpers = [device.id for device in instance.devices]
    limit = cap(instance, request, index)
    if limit is not None and any(vector.count(i) > limit for i in helpers):
        yield "8f"
    if is_first_fc(layers_of(instance, request), index) and len(set(vector)) > 1:
        yield "8g"
    on_source = is_on_source(instance, request, index)
    if not set(vector) <= ({request.source} if on_source else set(helpers)):
        yield "8h"


def admissible(instance: Instance, request: Request, index: int) -> list[Vector]:
    """All vectors of a layer that break none of 8e-8i."""
    on_source = is_on_source(instance, request, index)
    names = [request.source] if on_source else [device.id for device in instance.devices]
    segments = layers_of(instance, request)[index].input_maps
    return [
        vector
        for vector in product(names, repeat=segments)
        if not set(broken_by_vector(instance, request, index, vector))
    ]


# Eq. 5-7: transfers and latency.


def indicator(vector: Vector, node: str) -> list[int]:
    """A[node, l, p] for every p."""
    return [int(at == node) for at in vector]


def transfer(instance: Instance, layer: Layer, here: Vector, there: Vector) -> Counter:
    """O[i, j, l] of Eq. 6 for every ordered pair with something to send."""
    sent: Counter = Counter()
    for i, j in product(sorted(set(here)), sorted(set(there))):
        a, b = indicator(here, i), indicator(there, j)
        if layer.kind == "conv":
            units = min(1, sum(a)) * sum(b)
        elif layer.kind == "fc":
            units = min(1, sum(a)) * min(1, sum(b))
        else:
            units = sum(x * y for x, y in zip(a, b, strict=True))
        if i != j and units:
            sent[i, j] = output_bits(instance, layer) * units
    return sent


def layer_latency(instance: Instance, layer: Layer, vector: Vector, received: Counter) -> Fraction:
    """T[r, l] of Eq. 5: the slowest node's computation and longest reception."""
    nodes = {node.id: node for node in instance.nodes}
    slowest = Fraction(0)
    for j in set(vector):
        count = sum(indicator(vector, j))
        computing = count * multiplications(layer) / exact(nodes[j].compute_mult_per_s)
        receiving = [
            bits / exact(nodes[i].rate_bits_per_s)
            for (i, receiver), bits in received.items()
            if receiver == j
        ]
        slowest = max(slowest, computing + max(receiving, default=Fraction(0)))
    return slowest


def transfers(instance: Instance, request: Request, plan: Plan) -> list[Counter]:
    """What is sent after each layer but the last."""
    layers = layers_of(instance, request)
    return [transfer(instance, layers[k], plan[k], plan[k + 1]) for k in range(len(layers) - 1)]


def latencies(instance: Instance, assignment: Assignment) -> dict[str, dict[str, Fraction]]:
    """T[r, l] by request id and layer name."""
    found = {}
    for request in instance.requests:
        plan = assignment[request.id]
        received = [Counter(), *transfers(instance, request, plan)]
        found[request.id] = {
            layer.name: layer_latency(instance, layer, vector, bits)
            for layer, vector, bits in zip(
                layers_of(instance, request), plan, received, strict=True
            )
        }
    return found


def latency(instance: Instance, assignment: Assignment) -> Fraction:
    """The objective of Eq. 5, in seconds."""
    by_request = latencies(instance, assignment).values()
    return sum((sum(layers.values()) for layers in by_request), Fraction(0))


# 8b-8d: what each node carries.


def sent_bits(instance: Instance, assignment: Assignment) -> Counter:
    """Bits over all requests and layers, by ordered pair of nodes."""
    sent: Counter = Counter()
    for request in instance.requests:
        for after_layer in transfers(instance, request, assignment[request.id]):
            sent.update(after_layer)
    return sent


def loads(instance: Instance, assignment: Assignment) -> dict[str, Counter]:
    """Bytes (8b), multiplications (8c) and bits sent (8d) by node."""
    carried = {"8b": Counter(), "8c": Counter(), "8d": Counter()}
    for request in instance.requests:
        plan = assignment[request.id]
        for layer, vector in zip(layers_of(instance, request), plan, strict=True):
            for node in vector:
                carried["8b"][node] += weights(layer) * instance.word_bits // 8
                carried["8c"][node] += multiplications(layer)
    for (sender, _), bits in sent_bits(instance, assignment).items():
        carried["8d"][sender] += bits
    return carried


def broken(instance: Instance, assignment: Assignment) -> set[str]:
    """The equations among 8b-8h that an assignment breaks."""
    found = {
        equation
        for request in instance.requests
        for index, vector in enumerate(assignment[request.id])
        for equation in broken_by_vector(instance, request, index, vector)
    }
    for equation, carried in loads(instance, assignment).items():
        for node in instance.nodes:
            if carried[node.id] > exact(getattr(node, BUDGETS[equation])):
                found.add(equation)
    return found


# The search.


KNOWN: dict[str, Best | None] = {}
"""What `best` found, by instance: every method is asked about the same ones."""


def best(instance: Instance) -> Best | None:
    """Return a placement of least latency, None if there is none."""
    asked = instance.model_dump_json(warnings=False)
    if asked not in KNOWN:
        KNOWN[asked] = searched(instance)
    return KNOWN[asked]


def searched(instance: Instance) -> Best | None:
    """Search for a placement of least latency.

    Each request alone gives its fastest plan for every load that it can put on the nodes; one
    plan per request is then combined in all ways that keep within the budgets.
    """
    choices = [
        sorted(((cost, load, plan) for load, (cost, plan) in plans(instance, request).items()))
        for request in instance.requests
    ]
    room = budgets(instance)
    found = combine(choices, (0,) * len(room), room) if all(choices) else None
    if found is None:
        return None
    names = [request.id for request in instance.requests]
    return Best(found[0], dict(zip(names, found[1], strict=True)))


def most(instance: Instance) -> tuple[int, Best]:
    """Return the largest number of requests with a placement, and the fastest such placement."""
    for number in range(len(instance.requests), 0, -1):
        found = [
            placed
            for chosen in combinations(instance.requests, number)
            if (placed := best(instance.model_copy(update={"requests": chosen}))) is not None
        ]
        if found:
            return number, min(found, key=lambda placed: placed.latency_s)
    return 0, Best(Fraction(0), {})


def combine(
    choices: list[list[tuple[Fraction, Load, Plan]]], load: Load, room: Load
) -> tuple[Fraction, tuple[Plan, ...]] | None:
    """Choose a plan per request, cheapest first, for the least total cost within the room left."""
    if not choices:
        return Fraction(0), ()
    least_of_others = sum((others[0][0] for others in choices[1:]), Fraction(0))
    found = None
    for cost, extra, plan in choices[0]:
        if found is not None and cost + least_of_others >= found[0]:
            break
        total = both(load, extra)
        rest = combine(choices[1:], total, room) if fits(total, room) else None
        if rest is not None and (found is None or cost + rest[0] < found[0]):
            found = (cost + rest[0], (plan, *rest[1]))
    return found


def plans(instance: Instance, request: Request) -> dict[Load, tuple[Fraction, Plan]]:
    """Return the fastest plan of one request for each load on the nodes.

    Layer by layer: what follows depends on the vector before only, so that among partial plans
    with equal last vector and equal loads the fastest is enough.
    """
    room = budgets(instance)
    nothing = (0,) * len(room)
    reached: dict[tuple[Vector, Load], tuple[Fraction, Plan]] = {((), nothing): (Fraction(0), ())}
    for index in range(len(layers_of(instance, request))):
        vectors = admissible(instance, request, index)
        steps = {
            (before, vector): step(instance, request, index, before, vector)
            for before in {before for before, _ in reached}
            for vector in vectors
        }
        following: dict[tuple[Vector, Load], tuple[Fraction, Plan]] = {}
        for ((before, load), (cost, plan)), vector in product(reached.items(), vectors):
            added, extra = steps[before, vector]
            state = (vector, both(load, extra))
            if fits(state[1], room) and (
                state not in following or cost + added < following[state][0]
            ):
                following[state] = (cost + added, (*plan, vector))
        reached = following
    fastest: dict[Load, tuple[Fraction, Plan]] = {}
    for (_, load), found in reached.items():
        if load not in fastest or found[0] < fastest[load][0]:
            fastest[load] = found
    return fastest


def step(
    instance: Instance, request: Request, index: int, before: Vector, vector: Vector
) -> tuple[Fraction, Load]:
    """Latency and load that one layer adds, given the vector of the layer before."""
    layers = layers_of(instance, request)
    layer = layers[index]
    received = transfer(instance, layers[index - 1], before, vector) if index else Counter()
    load = []
    for node in instance.nodes:
        count = sum(indicator(vector, node.id))
        sent = sum(bits for (i, _), bits in received.items() if i == node.id)
        memory = weights(layer) * instance.word_bits // 8
        load += [count * memory, count * multiplications(layer), sent]
    return layer_latency(instance, layer, vector, received), tuple(load)


def both(one: Load, other: Load) -> Load:
    return tuple(map(add, one, other))


def budgets(instance: Instance) -> Load:
    """Return what each node may carry in whole bytes, multiplications and bits, as `step` counts.

    Loads are whole numbers, so that a part of one more is of no use.
    """
    return tuple(
        floor(exact(getattr(node, field))) for node in instance.nodes for field in BUDGETS.values()
    )


def fits(load: Load, room: Load) -> bool:
    """8b-8d."""
    return all(map(le, load, room))
