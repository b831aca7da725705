"""The stages of a request, and the arcs between their sender signatures.

A stage begins behind a layer whose output is broadcast (a conv or fc) and ends with the next one.
What lies before matters to it only through the signature of the senders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from optmodel.problem import Fleet, LayerTask, RequestTask, StageCut, stage_cuts
from optmodel.stages.arcs.arc_numbers import ArcNumbers
from optmodel.stages.sender_signature import NOBODY, SenderSignature, signatures


@dataclass(frozen=True)
class RequestStage:
    """Layers `first` to `last` of a request."""

    first: int
    last: int
    """Indices of the first and the last layer, from 0."""
    ends: tuple[SenderSignature, ...]
    """Signatures of the nodes that may compute the last layer."""
    groups: tuple[int, ...]
    """Groups of the fleet that may take part."""
    caps: tuple[tuple[int, ...], ...]
    """Most segments of a layer on one node of a group; 0 for the sources of other requests, shape
    (layers, groups of the fleet)."""
    send: tuple[tuple[int, ...], ...]
    """Ticks that a node of a group takes to send one map after a layer, shape (layers, groups of
    the fleet)."""
    work: tuple[int, ...]
    """Ticks that a node of a group computes for one segment of the last layer, shape (groups of the
    fleet,)."""


@dataclass(frozen=True)
class ArcPart:
    """Nodes of one group that an arc cannot tell apart.

    It `sends` if it is the one node that the signature before singles out, and `ends` if it is the
    one behind, or if its nodes are among those that an arc ends with.
    """

    group: int
    """Number of the group in the fleet."""
    size: int
    """How many nodes."""
    sends: bool = False
    ends: bool = False


@dataclass(frozen=True)
class StageArc:
    """An arc in numbers, and whose nodes its groups are."""

    arc: ArcNumbers
    parts: tuple[ArcPart, ...]
    """One for each group of the arc, in its order."""


def stages_of(fleet: Fleet, task: RequestTask, most_signatures: int) -> list[RequestStage]:
    """Cut a request's layers into stages, with at most so many signatures told apart."""
    return [_stage(fleet, task, cut, most_signatures) for cut in stage_cuts(task)]


def _stage(fleet: Fleet, task: RequestTask, cut: StageCut, most: int) -> RequestStage:
    layers = task.layers[cut.first : cut.last + 1]
    known = {layer: fleet.most_segments(layer) for layer in set(layers)}
    return RequestStage(
        first=cut.first,
        last=cut.last,
        ends=tuple(_ends(fleet, layers[-1], known[layers[-1]], most)),
        groups=tuple(fleet.groups_of(task)),
        caps=tuple(known[layer] for layer in layers),
        send=tuple(
            tuple(fleet.sending(layer, group.rate) for group in fleet.groups) for layer in layers
        ),
        work=tuple(fleet.work(layers[-1], group) for group in fleet.groups),
    )


def _ends(
    fleet: Fleet, layer: LayerTask, caps: tuple[int, ...], most: int
) -> list[SenderSignature]:
    rates = {g: group.rate for g, group in enumerate(fleet.groups) if caps[g] > 0}
    single = layer.whole or layer.segments == 1 or len(layer.hosts) == 1
    return signatures(rates, single, most)


def arcs_between(
    fleet: Fleet,
    task: RequestTask,
    stage: RequestStage,
    before: SenderSignature | None,
    behind: SenderSignature,
) -> Iterator[StageArc]:
    """Yield the arcs of a stage between two signatures.

    There are two where both single out a node of one group: the same node, or two nodes.
    """
    one = before.alone if before else None
    for shared in (True, False) if one is not None and one == behind.alone else (False,):
        parts = _parts(fleet, stage, one, behind.alone, shared)
        if all(part.size >= 0 for part in parts):
            yield _arc(fleet, task, stage, before, behind, parts)


def arcs_to(
    fleet: Fleet,
    task: RequestTask,
    stage: RequestStage,
    before: SenderSignature | None,
    ends: tuple[int, ...],
) -> Iterator[StageArc]:
    """Yield the arcs whose last layer so many nodes of each group, or fewer, compute.

    There are two if the signature before singles out a node: with it among these nodes, or not.
    """
    one = before.alone if before else None
    for shared in (True, False) if one is not None else (False,):
        apart = [ArcPart(g, 1, sends=True, ends=shared) for g in (one,) if g is not None]
        parts = []
        for g in stage.groups:
            computing = ends[g] - (shared and g == one)
            # The singled-out node is a part of its own.
            rest = len(fleet.groups[g].nodes) - (g == one) - computing
            parts += [ArcPart(g, computing, ends=True), ArcPart(g, rest)]
        if all(part.size >= 0 for part in parts):
            yield _arc(fleet, task, stage, before, NOBODY, [*parts, *apart])


def _parts(
    fleet: Fleet, stage: RequestStage, one: int | None, other: int | None, shared: bool
) -> list[ArcPart]:
    """Return the fleet with the singled-out nodes set apart."""
    apart = [ArcPart(g, 1, sends=True, ends=shared) for g in (one,) if g is not None]
    apart += [ArcPart(g, 1, ends=True) for g in (other,) if g is not None and not shared]
    taken = [part.group for part in apart]
    rest = [ArcPart(g, len(fleet.groups[g].nodes) - taken.count(g)) for g in stage.groups]
    return [*rest, *apart]


def _arc(
    fleet: Fleet,
    task: RequestTask,
    stage: RequestStage,
    before: SenderSignature | None,
    behind: SenderSignature,
    parts: list[ArcPart],
) -> StageArc:
    maps = task.layers[stage.first].segments
    used, columns = [], []
    for part in parts:
        caps = [row[part.group] for row in stage.caps]
        if not (part.ends or behind.admits(fleet.groups[part.group].rate)):
            # Who computes the last layer sends behind it, so the signature there must admit it.
            caps[-1] = 0
        if part.size and any(caps):
            # No layer needs more nodes than maps, and equal nodes can stand in for each other.
            used.append(replace(part, size=min(part.size, maps)))
            columns.append(caps)
    # Parts without a node or a share are left out, so that more arcs are equal to a cache.
    groups = [part.group for part in used]
    arc = ArcNumbers(
        maps=maps,
        sizes=tuple([part.size for part in used]),
        receive=tuple([_receive(fleet, task, stage, before, part) for part in used]),
        caps=tuple(zip(*columns, strict=True)) or ((),) * len(stage.caps),
        send=tuple([tuple([row[g] for g in groups]) for row in stage.send[:-1]]),
        work=tuple([stage.work[g] for g in groups]),
    )
    return StageArc(arc, tuple(used))


def _receive(
    fleet: Fleet,
    task: RequestTask,
    stage: RequestStage,
    before: SenderSignature | None,
    part: ArcPart,
) -> int:
    """Return the ticks that a node takes to receive one map from the stage before."""
    if before is None:
        return 0
    slowest = before.heard_by(fleet.groups[part.group].rate, part.sends)
    return 0 if slowest is None else fleet.sending(task.layers[stage.first - 1], slowest)
