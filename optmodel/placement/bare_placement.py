"""A placement written by hand: who holds what; who hands maps to whom may be left out."""

from collections.abc import Iterator
from itertools import pairwise

from optmodel.placement.solution import Flow, Number, PlacedLayer, PlacedRequest, PlacementDocument
from optmodel.problem import Instance


def with_flows(instance: Instance, document: PlacementDocument) -> PlacementDocument:
    """Return a placement with the flows that it leaves out.

    Maps stay where the next layer has segments for them; the others go, in the order in which the
    two layers list their nodes, to whom still lacks some. What does not add up is left to the
    checker.
    """
    mapwise = {
        request.id: {
            layer.name
            for layer in instance.network_of(request).layers
            if layer.kind in ("act", "pool")
        }
        for request in instance.requests
    }
    filled = (_filled(placed, mapwise.get(placed.request, set())) for placed in document.requests)
    return document.model_copy(update={"requests": tuple(filled)})


def _filled(placed: PlacedRequest, mapwise: set[str]) -> PlacedRequest:
    layers = list(placed.layers)
    for k, (layer, following) in enumerate(pairwise(placed.layers)):
        if layer.flows is None and layer.layer in mapwise:
            layers[k] = layer.model_copy(update={"flows": tuple(_flows(layer, following))})
    return placed.model_copy(update={"layers": tuple(layers)})


def _flows(layer: PlacedLayer, following: PlacedLayer) -> Iterator[Flow]:
    """Yield first what stays, then what moves."""
    left, lacking = _held(layer), _held(following)
    pairs = [(node, node) for node in left if node in lacking]
    pairs += [(sender, receiver) for sender in left for receiver in lacking if sender != receiver]
    for sender, receiver in pairs:
        maps = min(left[sender], lacking[receiver])
        if maps > 0:
            left[sender] -= maps
            lacking[receiver] -= maps
            yield Flow(sender=sender, receiver=receiver, maps=maps)


def _held(layer: PlacedLayer) -> dict[str, Number]:
    return {node: number for node, number in layer.segments.items() if number > 0}
