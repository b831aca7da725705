"""The books: who runs where and who waits, and what that leaves of the budgets."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np

from heuristics.scheduler.decision import Cause, EventCounts, RequestStanding, SchedulerDecision
from heuristics.scheduler.present_fleet import NodeLoad, PresentFleet
from heuristics.scheduler.waiting_line import WaitingLine, WaitingRequest
from optmodel.ground.json_files import StrictModel
from optmodel.placement import (
    CostedPlacement,
    PlacedRequest,
    RequestPlacement,
    Seconds,
    expanded,
    relative_gap,
    write_request,
)
from optmodel.problem import BudgetLedger, IntArray, Request

MOST_GONE = 10_000
"""How many ids of requests that went are remembered."""


class RunningRequest(StrictModel):
    """A request that has a place."""

    request: Request
    """What was asked for."""
    arrival: int
    """Its number in order of arrival."""
    placement: PlacedRequest
    """Who computes what."""
    reserved: dict[str, NodeLoad]
    """Bytes, multiplications and bits that are reserved for it, by node id."""
    latency_s: Seconds
    """Its latency, in seconds (Eq. 5)."""
    bound_s: Seconds
    """Lower bound on its latency on the devices present, in seconds; 0 if unknown."""

    @property
    def gap(self) -> float | None:
        """At most so much above the best; None when unknown."""
        return relative_gap(self.latency_s, self.bound_s)

    def is_on(self, node_id: str) -> bool:
        """Tell whether a node computes a part of it, be it one that costs nothing."""
        return any(node_id in layer.segments for layer in self.placement.layers)


@dataclass(frozen=True, eq=False)
class BookEntry:
    """A running request as the books hold it, by indices of nodes."""

    request: Request
    arrival: int
    nodes: IntArray
    """The nodes that take part, in ascending order; shape (parts,)."""
    parts: CostedPlacement
    """The placement on these nodes alone; its load is reserved on them."""
    bound_s: float

    @classmethod
    def of(
        cls, request: Request, arrival: int, placed: CostedPlacement, bound_s: float
    ) -> "BookEntry":
        """Return the entry of a placement on all nodes."""
        nodes, parts = placed.on_its_nodes()
        return cls(request, arrival, nodes, parts, bound_s)

    @property
    def latency_s(self) -> float:
        """Its latency, in seconds."""
        return self.parts.latency_s

    @property
    def load(self) -> IntArray:
        """Bytes, multiplications and bits that are reserved, shape (3, parts)."""
        return self.parts.load

    @property
    def gap(self) -> float | None:
        """At most so much above the best; None when unknown."""
        return relative_gap(self.latency_s, self.bound_s)

    def placement(self, present: PresentFleet) -> RequestPlacement:
        """Return the placement on all nodes."""
        return expanded(self.parts.placement, self.nodes, len(present.problem.node_ids))

    def computing_s(self, present: PresentFleet) -> float:
        """Return the time of Eq. 5 without transfers: of each layer, the slowest node's."""
        work = [layer.multiplications for layer in present.task(self.request).layers]
        multiplications = np.array(work)[:, np.newaxis] * self.parts.placement.counts
        seconds = multiplications / present.problem.speed[self.nodes]
        slowest: list[float] = seconds.max(axis=1).tolist()
        return sum(slowest)

    def written(self, present: PresentFleet) -> PlacedRequest:
        """Return the placement in names."""
        task = present.task(self.request)
        return write_request(present.problem, task, self.parts.placement, self.nodes)

    def running(self, present: PresentFleet) -> RunningRequest:
        """Return the entry in names."""
        return RunningRequest(
            request=self.request,
            arrival=self.arrival,
            placement=self.written(present),
            reserved=present.by_name(self.nodes, self.load),
            latency_s=self.latency_s,
            bound_s=self.bound_s,
        )

    def decision(self, present: PresentFleet, cause: Cause, moved: int = 0) -> SchedulerDecision:
        """Return the decision that put it where it is."""
        return SchedulerDecision(
            request=self.request.id,
            cause=cause,
            latency_s=self.latency_s,
            bound_s=self.bound_s,
            gap=self.gap,
            moved=moved,
            placement=self.written(present) if present.in_names else None,
        )

    def moved(self, index: IntArray) -> "BookEntry":
        """Return the entry where node i has become node `index[i]`; negative for one that went.

        What was placed on a node that went is left out: to be removed, and placed anew.
        """
        kept = index[self.nodes] >= 0
        nodes = index[self.nodes[kept]]
        return replace(self, nodes=nodes, parts=replace(self.parts, load=self.load[:, kept]))


class FleetBooks:
    """All that changes while requests are served; no change takes longer the more requests run.

    Of the budgets, `left` is what the reservations of all running requests leave. `gone` are the
    ids of the requests that went last, the latest last.
    """

    def __init__(
        self,
        present: PresentFleet,
        running: Iterable[BookEntry] = (),
        waiting: Iterable[WaitingRequest] = (),
        counts: EventCounts | None = None,
        gone: Iterable[str] = (),
    ) -> None:
        self.present, self.left = present, BudgetLedger.of(present.problem)
        self.running: dict[str, BookEntry] = {}
        self.waiting, self.counts = WaitingLine(waiting), counts or EventCounts()
        self.gone = dict.fromkeys(gone)
        self._totals_s = Fraction(0), Fraction(0)
        self._undo: list[Callable[[], object]] | None = None
        for one in running:
            self.enter(one)

    @contextmanager
    def wholly(self) -> Iterator[None]:
        """Do what follows wholly or, if it raises, not at all."""
        counts, totals_s, self._undo = self.counts, self._totals_s, []
        try:
            yield
        except BaseException:
            # The last change first: earlier ones were made to what it found.
            for undo in reversed(self._undo):
                undo()
            self.counts, self._totals_s = counts, totals_s
            raise
        finally:
            self._undo = None

    def _on_failure(self, undo: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    def enter(self, one: BookEntry) -> None:
        """Let a request run: reserve what it takes."""
        self._on_failure(partial(self.running.pop, one.request.id, None))
        self.running[one.request.id] = one
        self._reserve(one, 1)

    def remove(self, request_id: str) -> BookEntry:
        """Take a request off its nodes, and return what it had reserved to them."""
        one = self.running[request_id]
        self._on_failure(partial(self.running.__setitem__, request_id, one))
        del self.running[request_id]
        self._reserve(one, -1)
        return one

    def _reserve(self, one: BookEntry, sign: int) -> None:
        left = self.left.left
        # What is indexed by an array is a copy, which later changes leave as it is.
        # Set back, not added back, so that it is right wherever the change was cut off.
        self._on_failure(partial(left.__setitem__, (slice(None), one.nodes), left[:, one.nodes]))
        # Each node is there once: of an index that comes twice, `-=` would count one.
        left[:, one.nodes] -= sign * one.load
        latency_s, bound_s = self._totals_s
        # Exact, so that sums do not drift while requests come and go.
        self._totals_s = (
            latency_s + sign * Fraction(one.latency_s),
            bound_s + sign * Fraction(one.bound_s),
        )

    def wait(self, one: WaitingRequest) -> None:
        """Let a request wait."""
        self._on_failure(partial(self.waiting.remove, one.request.id))
        self.waiting.add(one)

    def wait_no_longer(self, one: WaitingRequest) -> None:
        """Take a request out of the line."""
        self._on_failure(partial(self.waiting.add, one))
        self.waiting.remove(one.request.id)

    def is_gone(self, request_id: str) -> None:
        """Remember the id of a request that is finished or unserved; nothing may fail after."""
        self.gone[request_id] = None
        # A dict yields its keys in order of entering: the oldest goes.
        if len(self.gone) > MOST_GONE:
            del self.gone[next(iter(self.gone))]

    def count(self, **by: int) -> None:
        """Increase some of the counts."""
        self.counts = self.counts.more(**by)

    def on(self, present: PresentFleet) -> "FleetBooks":
        """Return new books for other devices; reservations on absent ones are void."""
        index = np.array([present.index.get(name, -1) for name in self.present.problem.node_ids])
        running = [one.moved(index) for one in self.running.values()]
        return FleetBooks(present, running, self.waiting, self.counts, self.gone)

    @property
    def standing(self) -> RequestStanding:
        """How the requests stand."""
        latency_s, bound_s = map(float, self._totals_s)
        return RequestStanding(
            running=len(self.running),
            waiting=len(self.waiting),
            latency_s=latency_s,
            bound_s=bound_s,
            gap=relative_gap(latency_s, bound_s),
            counts=self.counts,
        )
