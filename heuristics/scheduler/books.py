"""The books: who runs where and who waits, and what that leaves of the budgets."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from heuristics.ledger import Ledger
from heuristics.scheduler.decision import Cause, Counts, Decision, Standing
from heuristics.scheduler.present import Load, Present
from optmodel.files import StrictModel
from optmodel.instance import Request
from optmodel.solution import PlacedRequest, Rejection, Seconds, relative_gap


class Running(StrictModel):
    """A request that has a place."""

    request: Request
    """What was asked for."""
    arrival: int
    """Its number in order of arrival."""
    placement: PlacedRequest
    """Who computes what."""
    reserved: dict[str, Load]
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

    def decision(self, cause: Cause, moved: int = 0) -> Decision:
        """Return the decision that put it where it is."""
        return Decision(
            request=self.request.id,
            cause=cause,
            latency_s=self.latency_s,
            bound_s=self.bound_s,
            gap=self.gap,
            moved=moved,
            placement=self.placement,
        )


class Waiting(StrictModel):
    """A rejected request that is tried again."""

    request: Request
    """What was asked for."""
    arrival: int
    """Its number in order of arrival."""
    rejection: Rejection
    """Why it has no place."""


@dataclass(eq=False)
class Books:
    """All that changes while requests are served.

    Attributes
    ----------
    present : Present
        The devices present.
    left : Ledger
        What their budgets leave, the reservations of all running requests taken off.
    running, waiting : dict
        By request id.
    counts : Counts
        What has happened so far.
    """

    present: Present
    left: Ledger
    running: dict[str, Running] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def of(
        cls,
        present: Present,
        running: Iterable[Running] = (),
        waiting: Iterable[Waiting] = (),
        counts: Counts | None = None,
    ) -> "Books":
        """Open the books; what is left follows from what is reserved."""
        by_id = {one.request.id: one for one in running}
        left = present.budgets.copy()
        left.reserve(present.by_index(one.reserved for one in by_id.values()))
        others = {one.request.id: one for one in waiting}
        return cls(present, left, by_id, others, counts or Counts())

    def copy(self) -> "Books":
        """Return independent books, to work on until an event is wholly done."""
        return replace(
            self, left=self.left.copy(), running=dict(self.running), waiting=dict(self.waiting)
        )

    def enter(self, one: Running) -> None:
        """Let a request run: reserve what it takes."""
        self.left.reserve(self.present.by_index([one.reserved]))
        self.running[one.request.id] = one

    def remove(self, request_id: str) -> Running:
        """Return a running request to nowhere, and what it had reserved to the nodes."""
        one = self.running.pop(request_id)
        self.left.release(self.present.by_index([one.reserved]))
        return one

    def count(self, **by: int) -> None:
        """Increase some of the counts."""
        self.counts = self.counts.more(**by)

    def on(self, present: Present) -> "Books":
        """Return these books for other devices; reservations on absent ones are void."""
        return Books.of(present, self.running.values(), self.waiting.values(), self.counts)

    def in_order(self) -> list[Waiting]:
        """Return the waiting requests in order of arrival."""
        return sorted(self.waiting.values(), key=lambda one: one.arrival)

    @property
    def standing(self) -> Standing:
        """How the requests stand."""
        latency_s = sum(one.latency_s for one in self.running.values())
        bound_s = sum(one.bound_s for one in self.running.values())
        return Standing(
            running=len(self.running),
            waiting=len(self.waiting),
            latency_s=latency_s,
            bound_s=bound_s,
            gap=relative_gap(latency_s, bound_s),
            counts=self.counts,
        )
