"""The limits of an instance in groups that a user can name, and problems with some of them lifted.

8e (each segment placed once) and 8h (who may hold what) are no limits to be lifted: they say what a
placement is. Without any of the groups there is always a placement.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from optmodel.ground.json_files import StrictModel
from optmodel.milp import BUDGETS, most_loads, placed_loads
from optmodel.placement import Placement
from optmodel.problem import FcLayer, LayerTask, Node, Problem, RequestTask

UNLIMITED = 2.0**62
"""A budget beyond every load, in whole units that fit into 64 bits."""

SHOWN = 4
"""Names in a sentence before the rest is counted."""


class LimitGroup(StrictModel):
    """Limits that are kept or lifted together."""

    kind: Literal["privacy", "memory", "compute", "bandwidth", "whole"]
    """Privacy is 8f, the budgets 8b-8d, whole 8g."""
    nodes: tuple[str, ...] = ()
    """Nodes whose budget it is, all alike."""
    requests: tuple[str, ...] = ()
    """Requests whose layers it limits."""
    layers: tuple[str, ...] = ()
    """Layers that it limits: those that receive the protected maps, or the first fc."""
    sentence: str = Field(repr=False)
    """The group in words."""


def groups_of(problem: Problem) -> tuple[LimitGroup, ...]:
    """Return the groups that a placement could run into."""
    privacy, whole = tuple(_privacy(problem)), tuple(_whole(problem))
    uncapped = lift(problem, privacy)
    return (*privacy, *_budgets(uncapped), *whole)


def _privacy(problem: Problem) -> Iterator[LimitGroup]:
    """8f: the caps that one row of the SSIM table sets for one network at one tolerance."""
    members: dict[tuple[str, float, str], list[tuple[RequestTask, int]]] = {}
    for task in problem.tasks:
        for k, layer in enumerate(task.layers):
            before = task.network.layers[k - 1]
            if _is_capped(task, layer) and not isinstance(before, FcLayer):
                key = (task.network.id, task.request.tolerated_ssim, before.ssim_row)
                members.setdefault(key, []).append((task, k))
    for (_, tolerance, row), capped in members.items():
        first, k = capped[0]
        protected = _unique(task.network.layers[at - 1].name for task, at in capped)
        requests = _unique(task.request.id for task, _ in capped)
        limit = first.protection.cap(k) or 0
        yield LimitGroup(
            kind="privacy",
            requests=requests,
            layers=_unique(task.layers[at].name for task, at in capped),
            sentence=(
                f"privacy of {listed(protected)} at {tolerance:g}, {called(requests)}: "
                f"{_most(limit)} (row {row}; 8f)"
            ),
        )


def _is_capped(task: RequestTask, layer: LayerTask) -> bool:
    return not layer.hosts or (layer.hosts != (task.source,) and layer.cap < layer.segments)


def _most(limit: int) -> str:
    if not limit:
        return "no device may hold any of the maps"
    return f"at most {limit} map{'s' * (limit > 1)} on a device"


def _budgets(problem: Problem) -> Iterator[LimitGroup]:
    """8b-8d: the budget of each source, and of each class of helpers that are alike."""
    most = most_loads(problem)
    classes = alike(problem.instance.devices)
    classes += [[source] for source in problem.instance.sources]
    index = {name: i for i, name in enumerate(problem.node_ids)}
    for kind, budget in BUDGETS.items():
        for nodes in classes:
            if any(most[kind][index[node.id]] > budget.of(node) for node in nodes):
                names = tuple(node.id for node in nodes)
                each = " each" if len(nodes) > 1 else ""
                yield LimitGroup(
                    kind=kind,
                    nodes=names,
                    sentence=(
                        f"{kind} of {crew(nodes)}: {getattr(nodes[0], budget.field):,.15g} "
                        f"{budget.unit}{each} ({budget.equation})"
                    ),
                )


def alike(devices: Sequence[Node]) -> list[list[Node]]:
    """Return the devices in classes that are equal in all but the name."""
    classes: dict[Node, list[Node]] = {}
    for device in devices:
        classes.setdefault(device.model_copy(update={"id": ""}), []).append(device)
    return list(classes.values())


def _whole(problem: Problem) -> Iterator[LimitGroup]:
    """8g: the first fc of one network on one helper."""
    members: dict[tuple[str, str], list[str]] = {}
    for task in problem.tasks:
        for layer in task.layers:
            if layer.whole and layer.segments > 1 and len(layer.hosts) > 1:
                members.setdefault((task.network.id, layer.name), []).append(task.request.id)
    for (_, layer_name), requests in members.items():
        yield LimitGroup(
            kind="whole",
            requests=tuple(requests),
            layers=(layer_name,),
            sentence=f"'{layer_name}' whole on one device, {called(tuple(requests))} (8g)",
        )


Key = tuple[str, ...]


def _keys(group: LimitGroup) -> Iterator[Key]:
    """Yield the single limits of a group: (kind, node) or (kind, request, layer)."""
    yield from ((group.kind, node) for node in group.nodes)
    for request in group.requests:
        yield from ((group.kind, request, layer) for layer in group.layers)


def lift(problem: Problem, groups: Collection[LimitGroup]) -> Problem:
    """Return the problem without the limits of some groups; a layer without host gets all."""
    lifted = {key for group in groups for key in _keys(group)}
    every_helper = tuple(range(problem.helpers))

    def layer_without(task: RequestTask, layer: LayerTask) -> LayerTask:
        """Return a layer without its lifted cap and with its first fc split if that is lifted."""
        name = (task.request.id, layer.name)
        if ("privacy", *name) in lifted:
            layer = replace(layer, cap=layer.segments, hosts=layer.hosts or every_helper)
        return replace(layer, whole=layer.whole and ("whole", *name) not in lifted)

    def node_without(node: Node) -> Node:
        """Return a node whose lifted budgets have no end."""
        fields = [b.field for kind, b in BUDGETS.items() if (kind, node.id) in lifted]
        return node.model_copy(update=dict.fromkeys(fields, UNLIMITED))

    devices, sources = problem.instance.devices, problem.instance.sources
    changes = {
        "devices": tuple(node_without(node) for node in devices),
        "sources": tuple(node_without(node) for node in sources),
    }
    tasks = tuple(
        replace(task, layers=tuple(layer_without(task, layer) for layer in task.layers))
        for task in problem.tasks
    )
    return Problem(problem.instance.model_copy(update=changes), tasks)


def broken_by(
    problem: Problem, placement: Placement, groups: Collection[LimitGroup]
) -> frozenset[LimitGroup]:
    """Return the groups that a placement of all requests does not keep to."""
    broken = {*_overspent(problem, placement), *_overshared(problem, placement)}
    return frozenset(group for group in groups if not broken.isdisjoint(_keys(group)))


def _overspent(problem: Problem, placement: Placement) -> Iterator[Key]:
    loads = placed_loads(problem, placement)
    for kind, budget in BUDGETS.items():
        for node, load in zip(problem.instance.nodes, loads[kind], strict=True):
            if load > budget.of(node):
                yield kind, node.id


def _overshared(problem: Problem, placement: Placement) -> Iterator[Key]:
    for task in problem.tasks:
        counts = placement.requests[task.request.id].counts
        for k, layer in enumerate(task.layers):
            if not layer.hosts or counts[k].max() > layer.cap:
                yield "privacy", task.request.id, layer.name
            if layer.whole and (counts[k] > 0).sum() > 1:
                yield "whole", task.request.id, layer.name


def of_sources_alone(problem: Problem, group: LimitGroup) -> bool:
    """Tell whether no number of helpers makes a difference to a group.

    What a source carries is settled by 8h, and maps of which no share is safe suit no helper.
    """
    sources = {source.id for source in problem.instance.sources}
    hostless = {
        (task.request.id, layer.name)
        for task in problem.tasks
        for layer in task.layers
        if not layer.hosts
    }
    return bool(sources.intersection(group.nodes)) or (
        group.kind == "privacy"
        and any((r, layer) in hostless for r in group.requests for layer in group.layers)
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def listed(names: Sequence[str]) -> str:
    """Return a few names in quotes, and how many more there are."""
    shown = [f"'{name}'" for name in names[:SHOWN]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1])] * (len(shown) > 1) + shown[-1:])


def called(requests: Sequence[str]) -> str:
    """Return "request 'r1'", or several of them."""
    return f"request{'s' * (len(requests) > 1)} {listed(requests)}"


def crew(nodes: Sequence[Node]) -> str:
    """Return "'rpi3-1'", or "the 5 stm32h7" for several that are alike."""
    return f"the {len(nodes)} {nodes[0].family}" if len(nodes) > 1 else f"'{nodes[0].id}'"
