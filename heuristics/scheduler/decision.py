"""What the scheduler says: one decision on one request, and how all of them stand."""

from typing import Annotated, Literal

from pydantic import Field

from optmodel.ground.json_files import StrictModel
from optmodel.placement import PlacedRequest, Rejection, Seconds

Count = Annotated[int, Field(ge=0)]

Cause = Literal["submitted", "retried", "repaired", "placed anew", "reoptimised"]
"""Why a request was decided on: it came; it waited; a device went and only its segments moved, or
the whole request was placed again; running requests were improved."""


class SchedulerDecision(StrictModel):
    """Where a request is computed from now on, or why nowhere."""

    request: str
    """Id of the request."""
    cause: Cause
    """Why it was decided on."""
    latency_s: Seconds | None = None
    """Latency of the placement in seconds (Eq. 5); None if rejected."""
    bound_s: float | None = None
    """Lower bound on the latency of the request on the devices present, whatever else runs; None
    if it has no placement on them."""
    gap: float | None = None
    """(latency - bound) / bound: at most so much above the best; None when unknown."""
    moved: Count = 0
    """Segments that changed node, of a request that ran before."""
    placement: PlacedRequest | None = None
    """Who computes what; None if rejected, or if the scheduler is not to write in names."""
    rejection: Rejection | None = None
    """The layer and the condition that failed; None if placed."""
    waits: bool = False
    """Whether a rejected request is tried again when something is freed. It is not if no fleet
    could serve it."""


class EventCounts(StrictModel):
    """How often what has happened.

    Requests that run or wait apart, every submitted request is finished or unserved.
    """

    submitted: Count = 0
    """Requests that came."""
    rejected_at_first: Count = 0
    """Those without a place when they came, whether or not they were served later."""
    finished: Count = 0
    """Those that ran to their end."""
    unserved: Count = 0
    """Those that went without having been served: no fleet could, or they stopped waiting."""
    interrupted: Count = 0
    """How often a running request lost its place with a device, and had to wait."""
    moved: Count = 0
    """Segments of running requests that changed node."""

    def more(self, **by: int) -> "EventCounts":
        """Return the counts with some of them increased."""
        return self.model_copy(update={name: getattr(self, name) + n for name, n in by.items()})


class RequestStanding(StrictModel):
    """How the requests that run and wait stand."""

    running: Count
    """Requests that run."""
    waiting: Count
    """Rejected requests that are tried again."""
    latency_s: Seconds
    """Latency summed over the running requests, in seconds (Eq. 5)."""
    bound_s: Seconds
    """Lower bound on that sum, on the devices present, in seconds."""
    gap: float | None
    """(latency - bound) / bound: at most so much above the best; None when unknown."""
    counts: EventCounts
    """What has happened so far."""
