"""Single changes of an instance that may restore feasibility."""

import math
from fractions import Fraction
from typing import Literal

from pydantic import Field

from optmodel.ground.json_files import StrictModel
from optmodel.milp import BUDGETS, BudgetKind
from optmodel.problem import Instance, Node, Request

ChangeKind = Literal["policy", "memory", "compute", "bandwidth", "devices", "tolerance"]


class InstanceChange(StrictModel):
    """One change of one thing."""

    kind: ChangeKind
    """What changes: the policy for unattainable layers, a budget of a node, the number of devices,
    or the tolerance of requests."""
    targets: tuple[str, ...] = ()
    """The node whose budget grows, the device that is copied, or the requests."""
    amount: float = Field(default=0.0, ge=-1)
    """Units more of the budget, devices more, or the new tolerance."""


def changed(instance: Instance, change: InstanceChange) -> Instance:
    """Return the instance with a change applied."""
    if change.kind == "policy":
        return instance.model_copy(update={"unattainable": "source"})
    if change.kind == "tolerance":
        requests = tuple(_tolerating(request, change) for request in instance.requests)
        return instance.model_copy(update={"requests": requests})
    if change.kind == "devices":
        return instance.model_copy(update={"devices": instance.devices + _copies(instance, change)})
    nodes = {
        "devices": tuple(_with_more(node, change.kind, change) for node in instance.devices),
        "sources": tuple(_with_more(node, change.kind, change) for node in instance.sources),
    }
    return instance.model_copy(update=nodes)


def _tolerating(request: Request, change: InstanceChange) -> Request:
    if request.id not in change.targets:
        return request
    return request.model_copy(update={"tolerated_ssim": change.amount})


def _with_more(node: Node, kind: BudgetKind, change: InstanceChange) -> Node:
    if node.id not in change.targets:
        return node
    field = BUDGETS[kind].field
    wanted = Fraction(getattr(node, field)) + Fraction(change.amount)
    budget = float(wanted)
    if budget < wanted:  # Beyond 2^53 not every whole number is a float.
        budget = math.nextafter(budget, math.inf)
    return node.model_copy(update={field: budget})


def _copies(instance: Instance, change: InstanceChange) -> tuple[Node, ...]:
    """Return copies of a device under names that no node has."""
    [model] = [device for device in instance.devices if device.id in change.targets]
    taken = {node.id for node in instance.nodes}
    prefix = f"{model.family}-new"
    while any(name.startswith(prefix) for name in taken):
        prefix += "-"
    number = round(change.amount)
    return tuple(model.model_copy(update={"id": f"{prefix}-{n}"}) for n in range(1, number + 1))
