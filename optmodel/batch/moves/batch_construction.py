"""Place a batch request by request, at prices that make scarce budgets worth saving."""

import time
from collections.abc import Iterator

import numpy as np

from optmodel.batch.options import ConstructOptions
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.placement import (
    Admission,
    CostedPlacement,
    Placement,
    RequestClass,
    Termination,
    classes_of,
)
from optmodel.problem import FloatArray, Problem, RequestTask
from optmodel.search import Search


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


def constructions(
    problem: Problem, admission: Admission, options: ConstructOptions | None = None
) -> Iterator[Placement]:
    """Yield placements of a batch that keep 8b-8h, each on its own, one for every scale.

    Each stage of a request (the layers behind one conv up to the next) goes to the nodes where its
    latency, the load that it puts there included, and its priced loads together are least. A
    request without a place is tried at higher prices, then left out; it reserves nothing.

    Parameters
    ----------
    problem : Problem
        The batch; its budgets are what there is to use.
    admission : {"all", "most"}
        With "all", only placements of every request are yielded.
    options : ConstructOptions, optional
        Scales, and how often a request is tried.
    """
    for batch in _attempts(problem, admission, options or ConstructOptions()):
        if admission == "most" or batch.complete:
            yield batch.placement()


def _attempts(
    problem: Problem, admission: Admission, options: ConstructOptions
) -> Iterator[PlacedBatch]:
    """Yield what each scale comes to; with "all" the first request without a place ends it."""
    classes = classes_of(problem)
    for scale in options.scales:
        prices = scarcity(problem, scale)
        batch = PlacedBatch(problem, classes, options)
        _fill(batch, prices, admission)
        yield batch


def offer_constructions(search: Search, options: ConstructOptions | None = None) -> Termination:
    """Offer constructions of the search's batch: the first, and more while there is time.

    As long as none serves as many requests as asked, that is all the time there is.
    """
    options = options or ConstructOptions()
    # A finite deadline, so that without a limit the clock is asked but decides nothing.
    deadline = time.perf_counter() + min(options.start_share * search.left_s, 1e9)
    for batch in _attempts(search.problem, search.options.admission, options):
        search.offer(batch.placement())
        enough = search.served >= search.most_served
        if search.left_s <= 0 or (enough and time.perf_counter() > deadline):
            break
    return Termination.CONVERGED if search.left_s > 0 else Termination.TIME_LIMIT


def _fill(batch: PlacedBatch, prices: FloatArray, admission: Admission) -> None:
    """Place all requests in order; with "all" the first one without a place ends it."""
    full: set[tuple[int, int]] = set()
    for requests, member in batch.order:
        # No room for one of a class and source is none for the next, with less left.
        kind = id(requests), member.source
        found = None if kind in full else _find(batch, requests, member, prices)
        if found is not None:
            batch.put(member, found)
        elif admission == "all":
            return
        else:
            full.add(kind)


def _find(
    batch: PlacedBatch, requests: RequestClass, member: RequestTask, prices: FloatArray
) -> CostedPlacement | None:
    """Place a request at the lowest of several prices at which it has a place."""
    for multiple in batch.options.dearer if prices.any() else (1.0,):
        found = batch.find(requests, member, multiple * prices, prices)
        if found is not None:
            return found
    return None
