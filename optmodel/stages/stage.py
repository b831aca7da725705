"""The stages of a request, and the arcs between their sender signatures.

A stage begins behind a layer whose output is broadcast (a conv or fc) and ends with the next one.
What lies before matters to it only through the signature of the senders.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from optmodel.problem import LayerTask, RequestTask
from optmodel.stages.arc import Arc
from optmodel.stages.fleet import Fleet
from optmodel.stages.signature import Signature, signatures


@dataclass(frozen=True)
class Stage:
    """Layers `first` to `last` of a request.

    Attributes
    ----------
    first, last : int
        Indices of the layers, from 0.
    ends : tuple of Signature
        Signatures of the nodes that may compute the last layer.
    """

    first: int
    last: int
    ends: tuple[Signature, ...]


@dataclass(frozen=True)
class Part:
    """Nodes of one group that an arc cannot tell apart.

    Attributes
    ----------
    group : int
        Group of the fleet.
    size : int
        Number of nodes.
    sends, ends : bool
        Whether it is the one node that the signature before or behind singles out.
    """

    group: int
    size: int
    sends: bool = False
    ends: bool = False


@dataclass(frozen=True)
class StageArc:
    """An arc in numbers, and whose nodes its groups are.

    Attributes
    ----------
    arc : Arc
        The numbers.
    parts : tuple of Part
        What stands behind each group of the arc.
    """

    arc: Arc
    parts: tuple[Part, ...]


def stages_of(fleet: Fleet, task: RequestTask) -> list[Stage]:
    """Cut a request's layers into stages."""
    ends = [k for k, layer in enumerate(task.layers) if layer.transfer == "broadcast"]
    if not ends or ends[-1] != len(task.layers) - 1:
        ends.append(len(task.layers) - 1)
    firsts = [0, *(k + 1 for k in ends[:-1])]
    return [
        Stage(first, last, tuple(_ends(fleet, task, task.layers[last])))
        for first, last in zip(firsts, ends, strict=True)
    ]


def _ends(fleet: Fleet, task: RequestTask, layer: LayerTask) -> list[Signature]:
    rates = {
        g: group.rate
        for g, group in ((g, fleet.groups[g]) for g in fleet.groups_of(task))
        if fleet.most_segments(layer, group) > 0
    }
    single = layer.whole or layer.segments == 1 or len(layer.hosts) == 1
    return signatures(rates, single)


def arcs_between(
    fleet: Fleet, task: RequestTask, stage: Stage, before: Signature | None, behind: Signature
) -> Iterator[StageArc]:
    """Yield the arcs of a stage between two signatures.

    There are two where both single out a node of one group: the same node, or two nodes.
    """
    one = before.alone if before else None
    for shared in (True, False) if one is not None and one == behind.alone else (False,):
        parts = _parts(fleet, task, one, behind.alone, shared)
        if all(part.size >= 0 for part in parts):
            yield _arc(fleet, task, stage, before, behind, parts)


def _parts(
    fleet: Fleet, task: RequestTask, one: int | None, other: int | None, shared: bool
) -> list[Part]:
    """Return the fleet with the singled-out nodes set apart."""
    apart = [Part(g, 1, sends=True, ends=shared) for g in (one,) if g is not None]
    apart += [Part(g, 1, ends=True) for g in (other,) if g is not None and not shared]
    taken = [part.group for part in apart]
    rest = [Part(g, len(fleet.groups[g].nodes) - taken.count(g)) for g in fleet.groups_of(task)]
    return [*rest, *apart]


def _arc(
    fleet: Fleet,
    task: RequestTask,
    stage: Stage,
    before: Signature | None,
    behind: Signature,
    parts: list[Part],
) -> StageArc:
    layers = task.layers[stage.first : stage.last + 1]
    used, columns = [], []
    for part in parts:
        caps = [fleet.most_segments(layer, fleet.groups[part.group]) for layer in layers]
        if not (part.ends or behind.admits(fleet.groups[part.group].rate)):
            caps[-1] = 0
        if part.size and any(caps):
            used.append(part)
            columns.append(caps)
    groups = [fleet.groups[part.group] for part in used]
    arc = Arc(
        maps=layers[0].segments,
        sizes=tuple(part.size for part in used),
        receive=tuple(_receive(fleet, task, stage, before, part) for part in used),
        caps=tuple(tuple(caps[k] for caps in columns) for k in range(len(layers))),
        send=tuple(
            tuple(fleet.sending(layer, group.rate) for group in groups) for layer in layers[:-1]
        ),
        work=tuple(fleet.work(layers[-1], group) for group in groups),
    )
    return StageArc(arc, tuple(used))


def _receive(
    fleet: Fleet, task: RequestTask, stage: Stage, before: Signature | None, part: Part
) -> int:
    """Return the ticks that a node takes to receive one map from the stage before."""
    if before is None:
        return 0
    slowest = before.heard_by(fleet.groups[part.group].rate, part.sends)
    return 0 if slowest is None else fleet.sending(task.layers[stage.first - 1], slowest)
