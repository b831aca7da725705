"""Costs, caps, transfers and latencies worked out from the raw fields, in rationals."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from optmodel.placement.solution import Number, PlacedLayer, PlacedRequest
from optmodel.problem.instance import Instance, Request
from optmodel.problem.network import ConvLayer, FcLayer, Layer, Network


@dataclass(frozen=True)
class PlacedWork:
    """One layer of one placed request, in raw terms.

    `cap` is Nf for the maps that it receives, None if they are not at risk; `segments` are by node,
    `flows` by sender and receiver. The `first_fc` comes after another kind of layer.
    """

    word_bits: int
    request: Request
    layer: Layer
    before: Layer | None
    last: bool
    first_fc: bool
    cap: Fraction | None
    segments: dict[str, Fraction]
    flows: dict[tuple[str, str], Fraction] | None

    @cached_property
    def costs(self) -> tuple[Fraction, Fraction, Fraction]:
        """Multiplications and weight bytes of a segment, bits of a transferred map."""
        return layer_costs(self.word_bits, self.layer)

    @property
    def where(self) -> str:
        """Request and layer, for messages."""
        return f"request '{self.request.id}', layer '{self.layer.name}'"


@lru_cache(maxsize=2**16)
def decimal(number: Number) -> Fraction:
    """Return the decimal that was written in the file, exactly; files repeat their numbers."""
    return Fraction(repr(number))


def placed_works(
    instance: Instance, request: Request, network: Network, placed: PlacedRequest
) -> Iterator[PlacedWork]:
    """Put each layer of a request together with who holds its segments."""
    by_name = {layer.layer: layer for layer in placed.layers}
    before: Layer | None = None
    for k, layer in enumerate(network.layers):
        held = by_name.get(layer.name, PlacedLayer(layer=layer.name, segments={}, flows=None))
        yield PlacedWork(
            word_bits=instance.word_bits,
            request=request,
            layer=layer,
            before=before,
            last=k == len(network.layers) - 1,
            first_fc=layer.kind == "fc" and before is not None and before.kind != "fc",
            cap=_cap(instance, request, before),
            segments={node: decimal(n) for node, n in held.segments.items()},
            flows=_flows(held),
        )
        before = layer


def _flows(held: PlacedLayer) -> dict[tuple[str, str], Fraction] | None:
    if held.flows is None:
        return None
    flows: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for flow in held.flows:
        flows[flow.sender, flow.receiver] += decimal(flow.maps)
    return dict(flows)


def _cap(instance: Instance, request: Request, before: Layer | None) -> Fraction | None:
    """Return Nf for the maps that `before` puts out, None if they are not at risk.

    Maps are at risk unless all of them together are recovered within the tolerance; then Nf is
    the largest measured number n such that no measured number up to n exceeds the tolerance.
    """
    if before is None or isinstance(before, FcLayer):
        return None
    table = instance.ssim_table
    threshold = decimal(request.tolerated_ssim) + decimal(table.slack)
    measured = next(row for row in table.rows if row.row == before.ssim_row).measurements
    points = sorted((m.maps, decimal(m.ssim)) for m in measured)
    too_similar = [n for n, ssim in points if ssim > threshold]
    first_unsafe = min(too_similar, default=None)
    enough = [n for n, _ in points if n >= before.output_maps]
    if enough and (first_unsafe is None or first_unsafe > enough[0]):
        return None
    safe = [n for n, _ in points if first_unsafe is None or n < first_unsafe]
    return Fraction(max(safe, default=0))


def layer_costs(word_bits: int, layer: Layer) -> tuple[Fraction, Fraction, Fraction]:
    """Return multiplications and weight bytes of a segment, bits of a transferred map."""
    word = Fraction(word_bits)
    if isinstance(layer, FcLayer):
        products = Fraction(layer.input_neurons * layer.output_neurons, layer.input_maps)
        return products, products * word / 8, word * layer.output_neurons
    pixels = layer.output_height * layer.output_width
    if isinstance(layer, ConvLayer):
        weights = layer.kernel * layer.kernel * layer.output_maps
        return Fraction(weights * pixels), weights * word / 8, word * pixels
    return Fraction(0), Fraction(0), word * pixels


def sent_bits(work: PlacedWork, following: PlacedWork) -> dict[tuple[str, str], Fraction]:
    """Return O[i, j, l] in bits for i != j with anything to send (Eq. 6)."""
    bits = work.costs[2]
    if work.layer.kind in ("act", "pool"):
        maps = work.flows or {}
        return {pair: bits * n for pair, n in maps.items() if pair[0] != pair[1]}
    received = {node: bits * n for node, n in following.segments.items() if n != 0}
    return {
        (sender, receiver): amount
        for sender, held in work.segments.items()
        if held > 0
        for receiver, amount in received.items()
        if sender != receiver
    }


def layer_latencies(instance: Instance, chain: Sequence[PlacedWork]) -> dict[str, Fraction]:
    """Return T[r, l] in seconds by layer name (Eq. 5 and 7)."""
    nodes = {node.id: node for node in instance.nodes}
    latencies = {}
    for k, work in enumerate(chain):
        receive_s: dict[str, Fraction] = defaultdict(Fraction)
        for (i, j), bits in (sent_bits(chain[k - 1], work) if k else {}).items():
            if i in nodes:
                receive_s[j] = max(receive_s[j], bits / decimal(nodes[i].rate_bits_per_s))
        slowest = Fraction(0)
        for node, number in work.segments.items():
            if number != 0 and node in nodes:
                work_s = number * work.costs[0] / decimal(nodes[node].compute_mult_per_s)
                slowest = max(slowest, work_s + receive_s[node])
        latencies[work.layer.name] = slowest
    return latencies
