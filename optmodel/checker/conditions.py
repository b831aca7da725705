"""The conditions 8b-8i, one function each, yielding every violation."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction

from optmodel.checker.arithmetic import PlacedWork, decimal, sent_bits
from optmodel.checker.violation import Violation
from optmodel.placement.solution import PlacedRequest, PlacementDocument
from optmodel.problem.instance import Instance, Node
from optmodel.problem.network import Network


def served_once(instance: Instance, placement: PlacementDocument) -> Iterator[Violation]:
    """8e over requests: each is placed once, or listed as rejected."""
    named = [p.request for p in placement.requests] + [r.request for r in placement.rejected]
    known = [request.id for request in instance.requests]
    for name in known:
        if named.count(name) != 1:
            message = f"expected once among placed and rejected, got {named.count(name)} times"
            yield Violation(
                "8e", f"request '{name}'", message, Fraction(abs(named.count(name) - 1))
            )
    for name in sorted(set(named) - set(known)):
        yield Violation("8e", f"request '{name}'", "the instance has no such request", Fraction(1))


def layers_complete(network: Network, placed: PlacedRequest) -> Iterator[Violation]:
    """8e over layers: all of the network's, in order."""
    expected = [layer.name for layer in network.layers]
    got = [layer.layer for layer in placed.layers]
    if expected != got:
        message = f"expected the layers {', '.join(expected)}, got {', '.join(got)}"
        amount = Fraction(len(set(expected) ^ set(got)) or 1)
        yield Violation("8e", f"request '{placed.request}'", message, amount)


def flows_listed_once(instance: Instance, placed: PlacedRequest) -> Iterator[Violation]:
    """8e, 8i over flows: each pair of nodes of the instance once, with a whole number of maps."""
    for layer in placed.layers:
        where = f"request '{placed.request}', layer '{layer.layer}'"
        times = Counter((flow.sender, flow.receiver) for flow in layer.flows or ())
        for (sender, receiver), number in times.items():
            what = f"{where}, flow '{sender}' to '{receiver}'"
            if number > 1:
                message = f"expected the pair once, got it {number} times"
                yield Violation("8e", what, message, Fraction(number - 1))
            for node in dict.fromkeys((sender, receiver)):
                if not _is_node(instance, node):
                    yield Violation("8e", what, f"the instance has no node '{node}'", Fraction(1))
        for flow in layer.flows or ():
            what = f"{where}, flow '{flow.sender}' to '{flow.receiver}'"
            yield from _whole("maps", what, decimal(flow.maps))


def layer_violations(
    instance: Instance, work: PlacedWork, following: Sequence[PlacedWork]
) -> Iterator[Violation]:
    """Yield what is wrong with one layer; `following` holds the next layer, if there is one."""
    yield from _whole_numbers(work)
    yield from _every_segment_once(instance, work)
    yield from _flows_match(work, following)
    yield from _within_caps(instance, work)
    yield from _first_fc_on_one_node(work)
    yield from _on_allowed_nodes(instance, work)


def _whole_numbers(work: PlacedWork) -> Iterator[Violation]:
    """8i: a segment is on a node or not, so counts are whole and not negative."""
    for node, number in work.segments.items():
        yield from _whole("segments", f"{work.where}, node '{node}'", number)


def _whole(unit: str, where: str, number: Fraction) -> Iterator[Violation]:
    if number < 0 or number.denominator != 1:
        message = f"expected a whole number of {unit}, at least 0, got {float(number)}"
        yield Violation("8i", where, message, max(-number, abs(number - round(number))))


def _every_segment_once(instance: Instance, work: PlacedWork) -> Iterator[Violation]:
    """8e: the segments of a layer, each on exactly one node."""
    known = {node.id for node in instance.nodes}
    for node in sorted(set(work.segments) - known):
        message, amount = "the instance has no such node", abs(work.segments[node]) or Fraction(1)
        yield Violation("8e", f"{work.where}, node '{node}'", message, amount)
    placed, asked = sum(work.segments.values()), work.layer.input_maps
    if placed != asked:
        message = f"expected {asked} segments placed, got {float(placed):g}"
        yield Violation("8e", work.where, message, abs(Fraction(placed - asked)))


def _flows_match(work: PlacedWork, following: Sequence[PlacedWork]) -> Iterator[Violation]:
    """8e between layers: each map leaves its holder and reaches its next segment's node."""
    mapwise = work.layer.kind in ("act", "pool") and bool(following)
    if not mapwise:
        if work.flows is not None:
            message = "expected no flows: they stand only between an act or pool and its successor"
            yield Violation("8e", work.where, message, Fraction(len(work.flows)))
        return
    left: dict[str, Fraction] = defaultdict(Fraction)
    arrived: dict[str, Fraction] = defaultdict(Fraction)
    for (sender, receiver), maps in (work.flows or {}).items():
        left[sender] += maps
        arrived[receiver] += maps
    sides = [
        ("hands on", left, work.segments, "it holds"),
        (
            "receives",
            arrived,
            following[0].segments,
            f"layer '{following[0].layer.name}' has there",
        ),
    ]
    for verb, moved, segments, what in sides:
        for node in sorted({*moved, *segments}):
            maps, held = moved.get(node, Fraction(0)), segments.get(node, Fraction(0))
            if maps != held:
                message = f"{verb} {float(maps):g} maps, {what} {float(held):g}"
                yield Violation("8e", f"{work.where}, node '{node}'", message, abs(maps - held))


def _within_caps(instance: Instance, work: PlacedWork) -> Iterator[Violation]:
    """8f: no helper holds more maps at risk than Nf."""
    helpers = {device.id for device in instance.devices}
    for node, number in work.segments.items():
        if work.cap is not None and node in helpers and number > work.cap:
            message = (
                f"holds {float(number):g} maps of '{work.before.name if work.before else ''}', "
                f"Nf is {work.cap} at tolerance {work.request.tolerated_ssim:g}"
            )
            yield Violation("8f", f"{work.where}, node '{node}'", message, number - work.cap)


def _first_fc_on_one_node(work: PlacedWork) -> Iterator[Violation]:
    """8g: all segments of the first fc on one node."""
    holders = [node for node, number in work.segments.items() if number != 0]
    if work.first_fc and len(holders) > 1:
        message = f"expected all segments on one node, got {', '.join(sorted(holders))}"
        yield Violation("8g", work.where, message, Fraction(len(holders) - 1))


def _on_allowed_nodes(instance: Instance, work: PlacedWork) -> Iterator[Violation]:
    """8h: first and last layer, and an exposed first fc, on the source; all else on helpers."""
    exposed = work.first_fc and work.cap is not None
    kept = work.cap == 0 and instance.unattainable == "source"
    on_source = work.before is None or work.last or exposed or kept
    if on_source:
        allowed, what = {work.request.source}, f"source '{work.request.source}'"
    else:
        allowed, what = {device.id for device in instance.devices}, "the helpers"
    for node, number in work.segments.items():
        if number != 0 and node not in allowed and _is_node(instance, node):
            message = f"holds {float(number):g} segments, allowed only on {what}"
            yield Violation("8h", f"{work.where}, node '{node}'", message, number)


def _is_node(instance: Instance, name: str) -> bool:
    return any(node.id == name for node in instance.nodes)


def within_budgets(instance: Instance, works: dict[str, list[PlacedWork]]) -> Iterator[Violation]:
    """8b, 8c, 8d: what each node stores, multiplies and sends, over all requests."""
    memory: dict[str, Fraction] = defaultdict(Fraction)
    compute: dict[str, Fraction] = defaultdict(Fraction)
    sent: dict[str, Fraction] = defaultdict(Fraction)
    for chain in works.values():
        for k, work in enumerate(chain):
            multiplications, weight_bytes, _ = work.costs
            if weight_bytes or multiplications:  # An act or pool needs neither.
                for holder, number in work.segments.items():
                    memory[holder] += number * weight_bytes
                    compute[holder] += number * multiplications
            for (sender, _), bits in (
                sent_bits(work, chain[k + 1]).items() if k + 1 < len(chain) else ()
            ):
                sent[sender] += bits
    for node in instance.nodes:
        yield from _over("8b", node, "bytes of weights", memory, node.memory_bytes)
        yield from _over("8c", node, "multiplications", compute, node.compute_budget_mult)
        yield from _over("8d", node, "bits sent", sent, node.bandwidth_budget_bits)


def _over(
    equation: str, node: Node, unit: str, load: dict[str, Fraction], budget: float
) -> Iterator[Violation]:
    excess = load[node.id] - decimal(budget)
    if excess > 0:
        message = (
            f"{float(load[node.id]):.15g} {unit}, budget {budget:.15g}, over by "
            f"{float(excess):.15g}"
        )
        yield Violation(equation, f"node '{node.id}'", message, excess)
