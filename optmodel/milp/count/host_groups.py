"""Groups of nodes that are equally fast, and what each of their segments must wait for.

The largest count of a group is a variable of the strengthened models: branching on it rounds the
latency of a layer up to whole segments per node.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from optmodel.milp.count.variables import layers
from optmodel.problem import LayerTask, Problem


@dataclass(frozen=True)
class HostGroup:
    """Equally fast hosts of one layer.

    They have the same speed and rate, whatever their budgets; `number` is the group's at that
    layer. The sender is a node than which none is faster among those that may send to them; None
    unless each of their segments receives its map from another node in every placement.
    """

    r: int
    k: int
    number: int
    layer: LayerTask
    nodes: tuple[int, ...]
    sender: int | None


def groups(problem: Problem) -> Iterator[HostGroup]:
    """Yield the groups of every layer that has a choice of hosts."""
    for r, k, layer in layers(problem):
        # A single host holds all segments: there is nothing to branch on.
        if len(layer.hosts) < 2:
            continue
        alike: dict[tuple[float, float], list[int]] = defaultdict(list)
        for i in layer.hosts:
            # Budgets play no role in what a segment takes.
            alike[problem.speed[i], problem.rate[i]].append(i)
        for number, nodes in enumerate(alike.values()):
            sender = _unavoidable_sender(problem, r, k, nodes)
            yield HostGroup(r, k, number, layer, tuple(nodes), sender)


def _unavoidable_sender(problem: Problem, r: int, k: int, nodes: list[int]) -> int | None:
    """Return the fastest node that may be the one which sends to the nodes in any case.

    If the layer before has one host and it is none of the nodes, it sends every map. If at least
    two nodes are active on a conv, for each node one of them is another, and it sends every map.
    """
    if not k:
        return None
    before = problem.tasks[r].layers[k - 1]
    if len(before.hosts) == 1:
        return None if before.hosts[0] in nodes else before.hosts[0]
    one_is_enough = before.whole or before.segments <= before.cap
    # After an act or pool, a node may hold the very maps that it needs.
    if before.transfer == "mapwise" or one_is_enough or not before.hosts:
        return None
    return max(before.hosts, key=lambda i: float(problem.rate[i]))
