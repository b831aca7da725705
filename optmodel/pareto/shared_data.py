"""Latency against shared data: the epsilon-constraint method on the exact count formulation.

Shared data is what the nodes send to each other, O[i, j, l] of Eq. 6 summed over layers and i != j,
as 8d counts it. Each point is found in two runs: the least latency with at most so many bits, then
the fewest bits within that latency. The next point may share one unit less than the last. On larger
fleets, where such runs do not end, prices on bits leave intervals (`priced_data`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from math import ceil, inf
from time import perf_counter
from typing import Annotated

from pydantic import Field

from optmodel.count import SharedDataModel, unit_bits
from optmodel.files import StrictModel
from optmodel.instance import Instance
from optmodel.milp import WHOLE_TOLERANCE
from optmodel.pareto.data_prices import DataBounds
from optmodel.pareto.placed import Placed, checked
from optmodel.pareto.priced_data import TIE, PricedSeeker
from optmodel.pareto.request import (
    ACCURACY,
    NothingFound,
    only_request,
    refuse_interrupted,
)
from optmodel.problem import Problem
from optmodel.search import settled_bound
from optmodel.solution import PlacementDocument, ResultError, Seconds, Solution, SolutionStatus
from optmodel.solve import solve
from optmodel.solvers import SolverOptions, run_solver
from optmodel.translate import from_document, to_document

Bits = Annotated[int, Field(ge=0)]

MOST_COUNTED = 8
"""Devices of the largest fleet whose points are proven one by one."""
CLAIM = "prices on shared data claim the bound {bound} s, but a placement"


class SharedPoint(StrictModel):
    """A placement that is fastest for what it shares, and shares least for its latency.

    Where it is not proven to be, the bounds tell by how much it may not be.
    """

    limit_bits: Bits | None
    """The limit on shared data under which it was sought, in bits; None without one."""
    latency_s: Seconds
    """Its latency, recomputed exactly, in seconds."""
    bound_s: float | None
    """Proven lower bound on the latency of all that share at most `limit_bits`, in seconds; of all
    placements if that is None. None when unknown."""
    shared_bits: Bits
    """What its nodes send to each other, recomputed exactly, in bits."""
    bound_bits: Bits | None
    """Proven lower bound on what placements share that take no longer, in bits; None when unknown.
    For the last of several points, on at most `MOST_COUNTED` devices, even on what any placement
    shares: the front ends there. On more devices the last point is merely the last one found."""
    placement: PlacementDocument
    """Who computes what."""

    @property
    def proven(self) -> bool:
        """Whether both are proven least, the latency to the accuracy of a proof."""
        return (
            self.bound_s is not None
            and self.latency_s <= self.bound_s * (1 + ACCURACY)
            and self.bound_bits == self.shared_bits
        )


def shared_data_front(
    instance: Instance,
    options: SolverOptions | None = None,
    points: int | None = None,
    known: Mapping[int | None, SharedPoint] | None = None,
) -> Iterator[SharedPoint]:
    """Yield points of the front, the fastest first; nothing if there is no placement.

    Parameters
    ----------
    instance : Instance
        With one request.
    options : SolverOptions, optional
        Limits of each run; a time limit leaves intervals between bounds and what was found. On
        more than `MOST_COUNTED` devices the search over all prices is one run: at the limit it
        finishes the price that it tries, and leaves out the others.
    points : int, optional
        About so many at most, at limits that divide the range of shared data evenly. None gives
        the whole front.
    known : mapping of int or None to SharedPoint, optional
        Points of an earlier run by their limit, yielded instead of being sought again; not used
        on more than `MOST_COUNTED` devices, where all points are found together.

    Raises
    ------
    InputError
        If the instance has several requests.
    NothingFound
        If the time limit came before a placement, or a proof that there is none.
    KeyboardInterrupt
        On Ctrl-C, rather than to yield a point that was cut short.
    """
    only_request(instance)
    options, known = options or SolverOptions(), known or {}
    solution = solve(instance, "auto", options)
    refuse_interrupted(solution.termination)
    if solution.solution_status is SolutionStatus.INFEASIBLE:
        return
    if solution.placement is None:
        raise NothingFound
    if len(instance.devices) > MOST_COUNTED:
        yield from _between_bounds(instance, options, solution, points)
    else:
        yield from _one_by_one(instance, options, solution, points, known)


def _one_by_one(
    instance: Instance,
    options: SolverOptions,
    solution: Solution,
    points: int | None,
    known: Mapping[int | None, SharedPoint],
) -> Iterator[SharedPoint]:
    """Yield points that the count formulation proves, the fastest first."""
    assert solution.placement is not None
    seeker = _Seeker(instance, options, solution.placement)
    point = known.get(None) or seeker.fastest(solution.bound_s)
    yield point
    least, step = seeker.least.bits, seeker.unit
    if points is not None:
        step = max(step, ceil((point.shared_bits - least) / points))
    while point.shared_bits > least:
        limit = max(point.shared_bits - step, least)
        point = known.get(limit) or seeker.within(limit)
        yield point


def _between_bounds(
    instance: Instance, options: SolverOptions, solution: Solution, points: int | None
) -> Iterator[SharedPoint]:
    """Yield points that prices on bits find, the fastest first, and their bounds."""
    assert solution.placement is not None
    limit_s = inf if options.time_limit_s is None else options.time_limit_s
    deadline = perf_counter() + limit_s
    fastest = checked(instance, solution.placement, "the solver")
    found, bounds = PricedSeeker(Problem.of(instance), fastest).seek(deadline)
    first, *others = _some_of(found[::-1], points)
    known_s = bounds.least_latency_s if solution.bound_s is None else solution.bound_s
    yield _bounded(first, None, max(bounds.least_latency_s, known_s), bounds)
    for placed in others:
        yield _bounded(placed, placed.bits, bounds.latency_s(placed.bits), bounds)


def _some_of(found: list[Placed], points: int | None) -> list[Placed]:
    """Return both ends of a front and what lies about a step apart in between."""
    step = 1 if points is None else max(1, ceil((found[0].bits - found[-1].bits) / points))
    chosen = found[:1]
    for placed in found[1:]:
        if placed.bits <= chosen[-1].bits - step or placed is found[-1]:
            chosen.append(placed)
    return chosen


def _bounded(
    placed: Placed, limit_bits: int | None, bound_s: float, bounds: DataBounds
) -> SharedPoint:
    """Return a point between what prices say of its latency and of what it shares.

    Raises
    ------
    ResultError
        If they claim more than the point takes; both are rounded down.
    """
    bound_bits = bounds.shared_bits(placed.latency_s)
    if bound_bits > placed.bits:
        raise ResultError(
            f"prices on shared data claim the bound {bound_bits} bits for latencies up to "
            f"{placed.latency_s!r} s, but a placement shares {placed.bits}"
        )
    return SharedPoint(
        limit_bits=limit_bits,
        latency_s=placed.latency_s,
        bound_s=settled_bound(placed.latency_s, bound_s, CLAIM),
        shared_bits=placed.bits,
        bound_bits=bound_bits,
        placement=placed.document,
    )


class _Seeker:
    """Finds points of one instance, each run starting from a placement that is known.

    Attributes
    ----------
    unit : int
        Bits of which every amount of shared data is a multiple.
    """

    def __init__(
        self, instance: Instance, options: SolverOptions, fastest: PlacementDocument
    ) -> None:
        self._problem = Problem.of(instance)
        self._options = options
        self._fastest = self._checked(fastest)
        self.unit = unit_bits(self._problem)

    @cached_property
    def _model(self) -> SharedDataModel:
        return SharedDataModel.build(self._problem)

    @cached_property
    def _least_and_bound(self) -> tuple[Placed, int | None]:
        self._model.least_shared_data(None)
        return self._fewest_bits(self._fastest)

    @property
    def least(self) -> Placed:
        """The placement that shares least."""
        return self._least_and_bound[0]

    def fastest(self, bound_s: float | None) -> SharedPoint:
        """Return the point without a limit, given a bound on its latency."""
        return self._sharing_least(None, self._fastest, bound_s)

    def within(self, limit: int) -> SharedPoint:
        """Return the point that shares at most so many bits, no fewer than `least` shares."""
        self._model.least_latency(limit)
        found, bound = self._run(self.least, self._options)
        if found.bits > limit:
            raise ResultError(f"count shares {found.bits} bits, the limit is {limit}")
        bound_s = None if bound is None else bound * self._problem.time_unit_s
        best = min(found, self.least, key=lambda placed: placed.latency_s)
        return self._sharing_least(limit, best, bound_s)

    def _sharing_least(self, limit: int | None, fast: Placed, bound_s: float | None) -> SharedPoint:
        """Return the point that shares least of those as fast."""
        self._model.least_shared_data(fast.latency_s * (1 + TIE))
        best, bound_bits = self._fewest_bits(fast)
        if limit == self.least.bits:
            # The front ends here, which no bound for this latency alone can tell.
            bound_bits = self._least_and_bound[1]
        claim = f"count claims the bound {{bound}} s within {limit} bits, but its own placement"
        return SharedPoint(
            limit_bits=limit,
            latency_s=best.latency_s,
            bound_s=settled_bound(best.latency_s, bound_s, claim),
            shared_bits=best.bits,
            bound_bits=bound_bits,
            placement=best.document,
        )

    def _fewest_bits(self, start: Placed) -> tuple[Placed, int | None]:
        """Run the model for shared data; return the best placement and a bound, in bits."""
        found, bound = self._run(start, replace(self._options, mip_gap=0.0))
        best = min(start, found, key=lambda placed: placed.bits)
        if bound is None:
            return best, None
        bound_bits = max(ceil(bound - WHOLE_TOLERANCE), 0) * self.unit
        if bound_bits > best.bits:
            raise ResultError(f"count claims the bound {bound_bits} bits, but shares {best.bits}")
        return best, bound_bits

    def _run(self, start: Placed, options: SolverOptions) -> tuple[Placed, float | None]:
        """Run the model as it stands from a placement; return what it found, and its bound."""
        self._model.set_values(from_document(self._problem, start.document))
        run = run_solver(self._model.pyomo_model, options, start=True)
        refuse_interrupted(run.termination)
        if run.status is SolutionStatus.INFEASIBLE:
            raise ResultError("count claims that no placement keeps limits which a known one keeps")
        if run.status is SolutionStatus.NONE:
            return start, run.bound
        return self._checked(to_document(self._problem, self._model.placement())), run.bound

    def _checked(self, document: PlacementDocument) -> Placed:
        return checked(self._problem.instance, document, "count")
