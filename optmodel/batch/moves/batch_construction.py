"""Place a batch request by request, at prices that make scarce budgets worth saving."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optmodel.batch.one_request.stage_share import NoRoom
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.placement import (
    Admission,
    CostedPlacement,
    Placement,
    Rejection,
    RequestClass,
    Termination,
    classes_of,
)
from optmodel.problem import FloatArray, Problem, RequestTask
from optmodel.search import Search

SCALES = (10.0, 3.0, 1.0, 0.3, 30.0, 0.0)
"""What all budgets of a kind cost together, as multiples of a rough latency of the batch."""
DEARER = (1.0, 4.0, 16.0, 64.0)
"""A request without a place is tried again at these multiples of the prices."""

START_SHARE = 0.1
"""Share of the time limit after which no further construction is begun."""
SEARCHES = 20
"""Members of a class that are placed by themselves; the others copy one of them where it fits."""


@dataclass(frozen=True)
class BatchConstruction:
    """A batch placed request by request.

    Attributes
    ----------
    placement : Placement
        The requests that are served; it keeps 8b-8h.
    rejected : tuple of Rejection
        The others, each with the layer and the budget that was short.
    latency_s : float
        Latency of the served requests (Eq. 5).
    """

    placement: Placement
    rejected: tuple[Rejection, ...]
    latency_s: float


def scarcity(problem: Problem, scale: float) -> FloatArray:
    """Return uniform prices on the budgets of the helpers, shape (3, helpers).

    Seconds per byte, per multiplication and per bit sent, such that all helpers' budgets of a
    kind cost `scale` times a rough latency of the batch together. A high scale saves bandwidth by
    fewer active nodes, and so serves more requests; a low one makes each request faster.
    """
    helpers = problem.helpers
    budgets = problem.budgets
    totals = np.array([budget[:helpers].sum() for budget in budgets])
    each = scale * 100 * problem.time_unit_s / np.maximum(totals, 1.0)
    return np.repeat(each[:, np.newaxis], helpers, axis=1)


def construct(
    problem: Problem,
    order: Sequence[RequestTask] | None = None,
    prices: FloatArray | None = None,
) -> BatchConstruction:
    """Place requests one after another on what is left of the budgets 8b-8d.

    Each stage of a request (the layers behind one conv up to the next) goes to the nodes where its
    latency, the load that it puts there included, and its priced loads together are least. A
    request without a place is tried at higher prices, then rejected; it reserves nothing.

    Parameters
    ----------
    problem : Problem
        The batch; its budgets are what there is to use.
    order : sequence of RequestTask, optional
        Tasks of the problem in the order of placing, no others are placed; without it all are, and
        kinds of requests take turns.
    prices : ndarray, shape (3, helpers), optional
        Seconds per byte, multiplication and bit sent on each helper; without them, `scarcity` at
        the first of `SCALES`.
    """
    classes = classes_of(problem)
    batch = PlacedBatch(problem, classes)
    wanted = [(batch.class_of(task), task) for task in order] if order is not None else batch.order
    if prices is None:
        prices = scarcity(problem, SCALES[0])
    return _finished(batch, _fill(batch, wanted, prices))


def constructions(problem: Problem, admission: Admission) -> Iterator[BatchConstruction]:
    """Yield placements of a batch, each on its own, for every one of `SCALES`.

    Parameters
    ----------
    problem : Problem
        The batch.
    admission : {"all", "most"}
        With "all", only placements of every request are yielded. With "most", requests that load
        the budgets least get a turn to go first, which may serve more of them.
    """
    for found in _attempts(problem, admission):
        if admission == "most" or not found.rejected:
            yield found


def _attempts(problem: Problem, admission: Admission) -> Iterator[BatchConstruction]:
    """Yield what each scale comes to; with "all" the first request without a place ends it."""
    classes = classes_of(problem)
    for scale in SCALES:
        prices = scarcity(problem, scale)
        batch = PlacedBatch(problem, classes)
        rejected = _fill(batch, batch.order, prices, admission)
        yield _finished(batch, rejected)
        if rejected and admission == "most":
            batch = PlacedBatch(problem, classes)
            yield _finished(batch, _fill(batch, _by_size(batch, classes), prices))


def offer_constructions(search: Search) -> Termination:
    """Offer constructions of the search's batch: the first, and more while there is time.

    As long as none serves as many requests as asked, that is all the time there is.
    """
    deadline = time.perf_counter() + min(START_SHARE * search.left_s, 1e9)
    for construction in _attempts(search.problem, search.options.admission):
        search.offer(construction.placement)
        enough = search.served >= search.most_served
        if search.left_s <= 0 or (enough and time.perf_counter() > deadline):
            break
    return Termination.CONVERGED if search.left_s > 0 else Termination.TIME_LIMIT


Wanted = list[tuple[RequestClass, RequestTask]]


def _fill(
    batch: PlacedBatch, wanted: Wanted, prices: FloatArray, admission: Admission = "most"
) -> list[Rejection]:
    """Place requests in the given order, and say why those without a place have none.

    With admission "all" it ends with the first request without a place.
    """
    full: dict[int, NoRoom] = {}
    patterns: dict[int, _Pattern] = {}
    rejected = []
    for requests, member in wanted:
        pattern = patterns.setdefault(id(requests), _Pattern(len(requests.members)))
        found = full.get(id(requests)) or pattern.copy(batch, member)
        if found is None:
            found = pattern.keep(_find(batch, requests, member, prices))
        if not isinstance(found, NoRoom):
            batch.put(member, found)
            continue
        rejected.append(_rejection(member, found))
        if requests.task.layers[found.layer].hosts != (requests.task.source,):
            # Helpers without room for one of a class have none for the next, with less left.
            full[id(requests)] = found
        if admission == "all":
            break
    return rejected


class _Pattern:
    """The last placement found for a class, and how often it may still be copied.

    Parameters
    ----------
    members : int
        Requests of the class; beyond `SEARCHES`, only some are placed by themselves.
    """

    def __init__(self, members: int) -> None:
        self.copies = -(-members // SEARCHES) - 1
        self.left = 0
        self.placed: CostedPlacement | None = None

    def keep(self, found: CostedPlacement | NoRoom) -> CostedPlacement | NoRoom:
        """Remember what was found for one member."""
        if isinstance(found, CostedPlacement):
            self.placed, self.left = found, self.copies
        return found

    def copy(self, batch: PlacedBatch, member: RequestTask) -> CostedPlacement | None:
        """Return the placement for another member, None if it may not be copied or does not fit."""
        if self.placed is None or not self.left:
            return None
        self.left -= 1
        return batch.copy(member, self.placed)


def _find(
    batch: PlacedBatch, requests: RequestClass, member: RequestTask, prices: FloatArray
) -> CostedPlacement | NoRoom:
    """Place a request at the lowest of several prices at which it has a place."""
    for multiple in DEARER if prices.any() else DEARER[:1]:
        found = batch.find(requests, member, multiple * prices, prices)
        if not isinstance(found, NoRoom):
            return found
    return found


def _by_size(batch: PlacedBatch, classes: Sequence[RequestClass]) -> Wanted:
    """Return all requests, those first whose computation and weights are the least of the fleet."""
    totals = batch.budgets[:2].sum(axis=1)

    def size(requests: RequestClass) -> float:
        """Return the larger share of all computation and of all memory that a request takes."""
        layers = requests.task.layers
        needs = np.array(
            [
                sum(layer.segments * layer.weight_bytes for layer in layers),
                sum(layer.segments * layer.multiplications for layer in layers),
            ]
        )
        return float((needs / np.maximum(totals, 1.0)).max())

    return [(c, member) for c in sorted(classes, key=size) for member in c.members]


def _rejection(member: RequestTask, found: NoRoom) -> Rejection:
    return Rejection(
        request=member.request.id,
        layer=member.layers[found.layer].name,
        condition=found.condition,
    )


def _finished(batch: PlacedBatch, rejected: list[Rejection]) -> BatchConstruction:
    return BatchConstruction(batch.placement(), tuple(rejected), batch.latency_s)
