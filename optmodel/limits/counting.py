"""A lower bound on latency by counting alone: no solver, exact arithmetic.

Each layer is bounded on its own. T can be the latency of a layer only if the nodes, each with the
least reception that any placement could give it, have room for all segments within T. The bound is
the sum of the least such T over layers and requests, so that no placement is faster.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from optmodel.limits.infeasible import room_on_helper
from optmodel.problem import Problem, RequestTask, exact


@dataclass(frozen=True)
class Holder:
    """How long a node needs to hold segments of a layer, at least, in ticks.

    It needs `work` for each segment, and `wait` once it holds more than `kept` of them.

    Attributes
    ----------
    room : int
        Most segments that it can hold.
    work : int
        Ticks per segment.
    kept : int
        Segments whose maps it may have had before.
    wait : int
        Ticks to receive the first map from elsewhere.
    """

    room: int
    work: int
    kept: int
    wait: int

    def ticks(self, segments: int) -> int:
        """Return the least time in which the node holds so many segments."""
        return segments * self.work + (self.wait if segments > self.kept else 0)

    def capacity(self, ticks: int) -> int:
        """Return how many segments the node can hold within a time."""
        if not self.work:
            return self.room if ticks >= self.wait else min(self.room, self.kept)
        kept = min(self.kept, ticks // self.work)
        return min(self.room, max(kept, (ticks - self.wait) // self.work))


Fleet = Counter[Holder]
"""Holders with their number of nodes: equal ones are counted together."""


@dataclass(frozen=True)
class _Layer:
    """A layer, the maps it receives, and times in whole ticks.

    Attributes
    ----------
    segments, sent : int
        Segments of the layer and of the layer before.
    whole : bool
        Whether one node holds all segments.
    broadcast : bool
        Whether every active node of the layer before sends to every segment.
    room, room_before : dict of int to int
        By host of the layer and of the layer before, most segments that it can hold.
    work : dict of int to int
        By host, ticks per segment.
    map_ticks : dict of int to int
        By host of the layer before, ticks to send one map.
    ticks_per_s : int
        A common denominator of all times.
    """

    segments: int
    sent: int
    whole: bool
    broadcast: bool
    room: dict[int, int]
    room_before: dict[int, int]
    work: dict[int, int]
    map_ticks: dict[int, int]
    ticks_per_s: int

    @cached_property
    def alike(self) -> list[tuple[int, int]]:
        """One host of each kind, and how many hosts are of its kind."""
        times, before = self.map_ticks, self.room_before
        kinds = {j: (times.get(j), before.get(j), self.room[j], self.work[j]) for j in self.room}
        number = Counter(kinds.values())
        return [(j, number[kind]) for kind, j in {kinds[j]: j for j in kinds}.items()]


def combinatorial_bound(problem: Problem) -> Fraction:
    """Return seconds that no placement of all requests can fall below (Eq. 5).

    A layer that has no room at all adds nothing: there is no placement to bound.
    """
    alike = Counter((task.source, task.layers) for task in problem.tasks)
    tasks = {(task.source, task.layers): task for task in problem.tasks}
    return sum(
        (
            number * layer_bound(problem, tasks[kind], k)
            for kind, number in alike.items()
            for k in range(len(tasks[kind].layers))
        ),
        Fraction(0),
    )


def layer_bound(problem: Problem, task: RequestTask, k: int) -> Fraction:
    """Return a lower bound on T[r, l] in seconds, whatever the other layers do."""
    layer = _measure(problem, task, k)
    if layer.whole or len(layer.room) == 1:
        ticks = min(_single_host_ticks(layer), default=0)
    elif not layer.broadcast:
        ticks = _least_ticks(layer.segments, _mapwise(layer), None) or 0
    else:
        ticks = _broadcast_ticks(layer)
    return Fraction(ticks, layer.ticks_per_s)


def _measure(problem: Problem, task: RequestTask, k: int) -> _Layer:
    """Gather rooms and times of a layer; nodes without room are left out."""
    layer = task.layers[k]
    before = task.layers[k - 1] if k else None
    room = _rooms(problem, task, k)
    room_before = _rooms(problem, task, k - 1) if k else {}
    nodes = problem.instance.nodes
    work = _seconds(layer.multiplications, {j: nodes[j].compute_mult_per_s for j in room})
    bits = before.output_bits if before else 0
    send = _seconds(bits, {i: nodes[i].rate_bits_per_s for i in room_before})
    per_s = math.lcm(*{t.denominator for t in (*work.values(), *send.values())})
    return _Layer(
        segments=layer.segments,
        sent=before.segments if before else 0,
        whole=layer.whole,
        broadcast=before is not None and before.transfer == "broadcast",
        room=room,
        room_before=room_before,
        work={j: t.numerator * (per_s // t.denominator) for j, t in work.items()},
        map_ticks={i: t.numerator * (per_s // t.denominator) for i, t in send.items()},
        ticks_per_s=per_s,
    )


def _seconds(amount: int, rates: dict[int, float]) -> dict[int, Fraction]:
    """Return amount / rate for each node, worked out once for equal rates."""
    seconds = {rate: amount / exact(rate) for rate in set(rates.values())}
    return {i: seconds[rate] for i, rate in rates.items()}


def _rooms(problem: Problem, task: RequestTask, k: int) -> dict[int, int]:
    """Return how many segments each host can hold if it holds nothing else (8b-8d, 8f, 8g)."""
    layer = task.layers[k]
    rooms = {
        i: layer.segments if i == task.source else room_on_helper(problem, task, k, i)
        for i in layer.hosts
    }
    least = layer.segments if layer.whole else 1
    return {i: room for i, room in rooms.items() if room >= least}


def _single_host_ticks(layer: _Layer) -> Iterator[int]:
    """Yield the least time of each host that can hold all segments."""
    for j, _ in layer.alike:
        if layer.room[j] < layer.segments:
            continue
        reception = _reception_of_all(layer, j)
        if reception is not None:
            yield layer.segments * layer.work[j] + reception


def _reception_of_all(layer: _Layer, j: int) -> int | None:
    """Return the least time in which node `j` receives all maps; None if nobody can send them."""
    if layer.broadcast:
        slowest = _slowest_needed(layer, j, 0)
        return None if slowest is None else layer.segments * slowest
    missing = layer.sent - layer.room_before.get(j, 0)
    if missing <= 0:
        return 0
    senders = Counter(
        Holder(room, layer.map_ticks[i], room, 0) for i, room in layer.room_before.items() if i != j
    )
    return _least_ticks(missing, senders, None)


def _slowest_needed(layer: _Layer, j: int, at_least: int) -> int | None:
    """Return the ticks per map of the slowest sender other than `j` that cannot be spared.

    The fastest others are taken until they and `j` have room for the layer before, and until there
    are `at_least` of them; 0 if none is needed, None if all together are too few.
    """
    missing = layer.sent - layer.room_before.get(j, 0)
    slowest, taken = 0, 0
    others = sorted((layer.map_ticks[i], i) for i in layer.room_before if i != j)
    for ticks, i in others:
        if missing <= 0 and taken >= at_least:
            break
        slowest, taken, missing = ticks, taken + 1, missing - layer.room_before[i]
    return slowest if missing <= 0 and taken >= at_least else None


def _mapwise(layer: _Layer) -> Fleet:
    """Return holders that may keep the maps they had, and wait for one map beyond that."""
    fastest = sorted((ticks, i) for i, ticks in layer.map_ticks.items())[:2]
    fleet: Fleet = Counter()
    for j, number in layer.alike:
        room, kept = layer.room[j], layer.room_before.get(j, 0)
        others = [ticks for ticks, i in fastest if i != j]
        # Without the layer before (the first layer) or another sender, nothing is waited for.
        reachable = room if others or not layer.sent else min(room, kept)
        fleet[Holder(reachable, layer.work[j], kept, others[0] if others else 0)] += number
    return fleet


def _broadcast_ticks(layer: _Layer) -> int:
    """Return the least time of a layer after a conv or fc.

    Either two or more nodes are active before, and every receiver waits for at least one of them;
    or a single node is, and only that node waits for nobody. The better case counts.
    """
    best = _least_ticks(layer.segments, _from_several(layer), None)
    alone = {i for i, room in layer.room_before.items() if room >= layer.sent}
    # Senders of equal rate, speed and room give equal times: one of each is enough.
    kinds = {(layer.map_ticks[i], layer.work.get(i), layer.room.get(i)): i for i in alone}
    for i in kinds.values():
        found = _least_ticks(layer.segments, _from_one(layer, i), best)
        best = best if found is None else found
    return best or 0


def _from_several(layer: _Layer) -> Fleet:
    fleet: Fleet = Counter()
    for j, number in layer.alike:
        slowest = _slowest_needed(layer, j, 1)
        if slowest is not None:
            fleet[_receiver(layer, j, slowest)] += number
    return fleet


def _from_one(layer: _Layer, sender: int) -> Fleet:
    ticks = layer.map_ticks[sender]
    fleet: Fleet = Counter()
    for j, number in layer.alike:
        fleet[_receiver(layer, j, ticks)] += number
    if sender in layer.room:
        fleet[_receiver(layer, sender, ticks)] -= 1
        fleet[_receiver(layer, sender, 0)] += 1
    return +fleet


def _receiver(layer: _Layer, j: int, map_ticks: int) -> Holder:
    """Return node `j` as a holder that receives the map of each segment first."""
    return Holder(layer.room[j], layer.work[j] + map_ticks, 0, 0)


def _least_ticks(segments: int, fleet: Fleet, below: int | None) -> int | None:
    """Return the least time in which the fleet has room; None if there is none `below`.

    Some node needs exactly that time, so that only times of one node for a whole number of
    segments are candidates: bisection over the number, holder by holder, as long as one improves.
    """
    if sum(holder.room * number for holder, number in fleet.items()) < segments or below == 0:
        return None
    best = max(holder.ticks(holder.room) for holder in fleet) + 1 if below is None else below
    found = None
    for holder in fleet:
        if not _suffices(min(best - 1, holder.ticks(holder.room)), segments, fleet):
            continue
        fewest = _fewest(holder, segments, fleet)
        if holder.ticks(fewest) < best:
            best = found = holder.ticks(fewest)
    return found


def _suffices(ticks: int, segments: int, fleet: Fleet) -> bool:
    return sum(holder.capacity(ticks) * number for holder, number in fleet.items()) >= segments


def _fewest(holder: Holder, segments: int, fleet: Fleet) -> int:
    """Return the fewest segments of one holder in whose time the fleet has room."""
    low, high = 0, holder.room
    while low < high:
        middle = (low + high) // 2
        if _suffices(holder.ticks(middle), segments, fleet):
            high = middle
        else:
            low = middle + 1
    return low
