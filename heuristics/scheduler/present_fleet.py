"""The devices present, as a problem; absent ones may not hold even layers that cost nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache, partial

from optmodel.placement import Rejection
from optmodel.problem import (
    FleetDocument,
    IntArray,
    Node,
    Problem,
    Request,
    RequestTask,
)

NodeLoad = tuple[int, int, int]
"""Bytes of memory (8b), multiplications (8c) and bits sent (8d)."""
MOST_TASKS = 4096
"""How many kinds of requests, one for each camera, are remembered."""


class PresentFleet:
    """The fleet as it now is, perhaps without any device, and its requests by kind."""

    def __init__(self, fleet: FleetDocument, in_names: bool = True) -> None:
        self.fleet, self.in_names = fleet, in_names
        self.problem = Problem(fleet.with_requests(()), ())
        # Of this fleet alone: with it, all that was worked out for it goes.
        kept = lru_cache(maxsize=MOST_TASKS)
        from_any_camera = kept(partial(_from_first_camera, self.fleet))
        self._kind = kept(partial(_task_of_kind, from_any_camera, self.index))

    def __contains__(self, device_id: object) -> bool:
        """Tell whether a device is present."""
        return self.index.get(str(device_id), self.problem.helpers) < self.problem.helpers

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Index of each node by its id."""
        return {name: i for i, name in enumerate(self.problem.node_ids)}

    def task(self, request: Request) -> RequestTask:
        """Return a request ready to be placed; what its kind has in common is worked out once."""
        kind = self._kind(request.network, request.tolerated_ssim, request.source)
        return replace(kind, request=request)

    def excludes(self, request: Request) -> bool:
        """Tell whether no fleet could serve a request; unknown, so no, if no device is present."""
        # Without devices every layer of the helpers lacks a host, whatever the request.
        return bool(self.fleet.devices) and bool(self.task(request).unattainable)

    def failed_among_helpers(self, request: Request, rejection: Rejection) -> bool:
        """Tell whether a request failed where its camera neither computes nor sends."""
        layers, source = self.task(request).layers, (self.task(request).source,)
        at = [k for k, layer in enumerate(layers) if layer.name == rejection.layer]
        # The layer that failed, and the one before it, whose nodes send to those of the layer.
        return bool(at) and all(layer.hosts != source for layer in layers[max(at[0] - 1, 0) :][:2])

    def without(self, device_id: str) -> "PresentFleet":
        """Return what is present once a device has gone."""
        return self._with(tuple(d for d in self.fleet.devices if d.id != device_id))

    def joined_by(self, device: Node) -> "PresentFleet":
        """Return what is present once a device has come."""
        return self._with((*self.fleet.devices, device))

    def _with(self, devices: tuple[Node, ...]) -> "PresentFleet":
        return PresentFleet(self.fleet.model_copy(update={"devices": devices}), self.in_names)

    def by_name(self, nodes: IntArray, load: IntArray) -> dict[str, NodeLoad]:
        """Return loads of shape (3, nodes) by node id, without nodes that have none."""
        names = self.problem.node_ids
        loads = zip(nodes.tolist(), load.T.tolist(), strict=True)
        return {names[i]: (b, m, s) for i, (b, m, s) in loads if b or m or s}


def _task_of_kind(
    from_any_camera: Callable[[str, float], RequestTask],
    index: Mapping[str, int],
    network: str,
    tolerated_ssim: float,
    source: str,
) -> RequestTask:
    one, at = from_any_camera(network, tolerated_ssim), index[source]
    # What only the camera may compute is the one thing in which cameras differ.
    layers = tuple(
        replace(layer, hosts=(at,)) if layer.hosts == (one.source,) else layer
        for layer in one.layers
    )
    return replace(one, source=at, layers=layers)


def _from_first_camera(fleet: FleetDocument, network: str, tolerated_ssim: float) -> RequestTask:
    # Any camera does: costs and caps depend on network and tolerance alone.
    source = fleet.sources[0].id
    one = Request(id="any", source=source, network=network, tolerated_ssim=tolerated_ssim)
    return Problem.of(fleet.with_requests((one,))).tasks[0]
