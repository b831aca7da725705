"""The solution file: a placement in names and numbers, how it was found, what is proven."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, RootModel, Tag

from optmodel.ground.json_files import SchemaVersion, StrictModel, read_model

Number = Annotated[int | float, Field(ge=-1e15, le=1e15)]
Seconds = Annotated[float, Field(ge=0)]
Admission = Literal["all", "most"]
"""Whether every request must be served, or as many as possible."""


class Termination(StrEnum):
    """Why a method stopped."""

    CONVERGED = "converged"
    """It came to its end by itself; the status tells what is proven."""
    TIME_LIMIT = "time_limit"
    """Its time was up."""
    INTERRUPTED = "interrupted"
    """Ctrl-C, SIGTERM or SIGHUP came."""
    HEURISTIC_END = "heuristic_end"
    """A heuristic came to its end: every request is placed or rejected, or an improvement has
    nothing left to try."""
    ERROR = "error"
    """The solver gave up."""


class SolutionStatus(StrEnum):
    """What a method found."""

    OPTIMAL = "optimal"
    """A placement that is proven best, up to the asked gap; with admission "most", one that serves
    as many requests as can be served, and those with the least latency."""
    FEASIBLE = "feasible"
    """A placement of every request (with admission "most", of any), not proven best."""
    PARTIAL = "partial"
    """A placement of some requests; the others are rejected."""
    INFEASIBLE = "infeasible"
    """Proven: no placement serves every request."""
    NONE = "none"
    """No placement, and no proof that there is none."""


class Flow(StrictModel):
    """Maps handed from one node to another after an act or pool."""

    sender: str
    """Id of the node that has them."""
    receiver: str
    """Id of the node that computes their next layer."""
    maps: Number
    """How many: a whole number."""


class PlacedLayer(StrictModel):
    """Who computes one layer."""

    layer: str
    """Name of the layer."""
    segments: dict[str, Number]
    """Number of segments by node id; nodes without any are left out."""
    flows: tuple[Flow, ...] | None = None
    """Maps handed to the next layer, own ones included; null except after act and pool."""


class PlacedRequest(StrictModel):
    """Who computes one request."""

    request: str
    """Id of the request."""
    layers: tuple[PlacedLayer, ...]
    """First to last."""


class Rejection(StrictModel):
    """A request that a heuristic could not place, or that an exact method leaves out."""

    request: str
    """Id of the request."""
    layer: str | None = None
    """Layer at which placing failed; None if the request was left out as a whole."""
    segment: Annotated[int, Field(ge=1)] | None = None
    """First segment without a place, from 1; None if the request is left out as a whole."""
    condition: str
    """The condition that failed, and on how many nodes; or why the request is left out."""


class PlacementDocument(StrictModel):
    """A placement in names and numbers."""

    requests: tuple[PlacedRequest, ...]
    """The placed requests."""
    rejected: tuple[Rejection, ...] = ()
    """The requests without a place."""


class RequestLatency(StrictModel):
    """Latency of one placed request."""

    request: str
    """Id of the request."""
    layers_s: dict[str, Seconds]
    """T[r, l] in seconds, by layer name (Eq. 5)."""


class TracePoint(StrictModel):
    """What was known at one moment of a run."""

    time_s: Seconds
    """Wall time since the run began, in seconds."""
    incumbent_s: float | None
    """Latency of the best placement so far, in seconds."""
    bound_s: float | None
    """Proven lower bound so far, in seconds."""


class Solution(StrictModel):
    """What a method says about an instance."""

    schema_version: SchemaVersion = 1
    """Version of this format."""
    instance: str
    """Name of the instance."""
    instance_sha256: str
    """Digest of the instance's content."""
    method: str
    """The formulation or policy."""
    solver: str | None
    """The solver behind it, None for a heuristic."""
    solver_version: str | None
    """As the solver states it."""
    options: dict[str, str | int | float | bool | None]
    """Limits and parameters of the run."""
    termination: Termination
    """Why it stopped."""
    solution_status: SolutionStatus
    """What it found."""
    objective_s: Seconds | None
    """Latency of the placement (Eq. 5), recomputed exactly, in seconds; None if no request is
    placed."""
    bound_s: float | None
    """Proven lower bound on the latency of serving every request, or `most_served` of them with
    admission "most"; of a policy or an improvement, of the requests that it serves. None when
    unknown."""
    wall_time_s: Seconds
    """Run time, in seconds; of an exact method, with the check."""
    phases_s: dict[str, Seconds] = Field(default_factory=dict)
    """Seconds of each phase, together no more than the run time: build (arrays and model), start
    (the default heuristic), solve (the solver, fed by Pyomo), check."""
    gap: float | None
    """(objective - bound) / bound: at most so much above the optimum; None when unknown."""
    most_served: int | None = None
    """Proven upper bound on the number of requests that can be served; None for a heuristic."""
    trace: tuple[TracePoint, ...] = ()
    """Every improvement of incumbent and bound."""
    notes: tuple[str, ...] = ()
    """What a user should know about how the result was found."""
    reasons: tuple[str, ...] = ()
    """Why the instance is infeasible, as far as arithmetic shows it."""
    latency: tuple[RequestLatency, ...] = ()
    """Latency per layer of every placed request."""
    placement: PlacementDocument | None
    """The placement; None without one."""


def read_solution(path: Path) -> Solution:
    """Read a solution file.

    Raises
    ------
    InputError
        If the file cannot be read or is not a solution file.
    """
    return read_model(path, Solution)


def _kind(written: object) -> str:
    """Tell a placement alone from a solution, and from whatever else has requests."""
    bare = isinstance(written, dict) and "requests" in written and "schema_version" not in written
    return "bare placement" if bare else "solution"


class _Checkable(
    RootModel[
        Annotated[
            Annotated[Solution, Tag("solution")]
            | Annotated[PlacementDocument, Tag("bare placement")],
            Discriminator(_kind),
        ]
    ]
):
    """A solution file, or the placement alone."""


def read_solution_or_placement(path: Path) -> Solution | PlacementDocument:
    """Read a solution file, or one that holds its `placement` only.

    Raises
    ------
    InputError
        If the file cannot be read or is neither.
    """
    return read_model(path, _Checkable).root


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """Return (objective - bound) / bound: at most so much above the optimum.

    None when either is unknown, or the bound is 0 and says nothing. Solvers divide by the
    objective instead; for small gaps the two agree.
    """
    if objective is None or bound is None:
        return None
    if objective <= bound:
        return 0.0
    return (objective - bound) / bound if bound > 0 else None
