"""Latency against shared data: the epsilon-constraint method, its points proven or between bounds.

Shared data is what the nodes send to each other, O[i, j, l] of Eq. 6 summed over layers and i != j,
as 8d counts it. Prices on bits (`front_by_prices`) find placements and bound all others. On small
fleets the exact count formulation then proves points one by one (`front_by_count`): the next one
may share one unit less than the last. On larger ones, where such runs do not end, prices are all.
"""

from collections.abc import Iterator, Mapping
from math import ceil

from optmodel.ground.rule_errors import ResultError
from optmodel.pareto.checked_placement import CheckedPlacement, checked
from optmodel.pareto.front_by_count import CountedSeeker
from optmodel.pareto.front_by_prices import PricedSeeker
from optmodel.pareto.one_request import NothingFound, only_request, refuse_interrupted
from optmodel.pareto.shared_data_prices import DataBounds
from optmodel.pareto.shared_point import MOST_COUNTED, SharedPoint
from optmodel.placement import Solution, SolutionStatus
from optmodel.problem import Instance, Problem
from optmodel.search import Allowance, SolverOptions, settled_bound
from optmodel.solving import solve

CLAIM = "prices on shared data claim the bound {bound} s, but a placement"


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
        Limits of each run; a time limit leaves intervals between bounds and what was found. The
        search over all prices is one run: at the limit it finishes the price that it tries, and
        leaves out the others.
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
    fastest, found, bounds = _by_prices(instance, options, solution)
    seeker = CountedSeeker(instance, options, [*found, fastest], bounds)
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
    _, found, bounds = _by_prices(instance, options, solution)
    first, *others = _some_of(found[::-1], points)
    known_s = bounds.least_latency_s if solution.bound_s is None else solution.bound_s
    yield _bounded(first, None, max(bounds.least_latency_s, known_s), bounds)
    for placed in others:
        yield _bounded(placed, placed.bits, bounds.latency_s(placed.bits), bounds)


def _by_prices(
    instance: Instance, options: SolverOptions, solution: Solution
) -> tuple[CheckedPlacement, list[CheckedPlacement], DataBounds]:
    """Return the placement of a solution, those that prices find, and what they bound."""
    assert solution.placement is not None
    allowance = Allowance.of_seconds(options.time_limit_s)
    fastest = checked(instance, solution.placement, "the solver")
    return fastest, *PricedSeeker(Problem.of(instance), fastest).seek(allowance)


def _some_of(found: list[CheckedPlacement], points: int | None) -> list[CheckedPlacement]:
    """Return both ends of a front and what lies about a step apart in between."""
    step = 1 if points is None else max(1, ceil((found[0].bits - found[-1].bits) / points))
    chosen = found[:1]
    for placed in found[1:]:
        if placed.bits <= chosen[-1].bits - step or placed is found[-1]:
            chosen.append(placed)
    return chosen


def _bounded(
    placed: CheckedPlacement, limit_bits: int | None, bound_s: float, bounds: DataBounds
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
    settled_s = settled_bound(placed.latency_s, bound_s, CLAIM)
    return SharedPoint.of(placed, limit_bits, settled_s, bound_bits)
