"""What a solution file claims beside its placement: whose it is, status, bound, gap, latencies."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from optmodel.checker.arithmetic import decimal
from optmodel.checker.report import REPORTED_TOLERANCE, CheckReport, check
from optmodel.checker.violation import Violation
from optmodel.instance import Instance, digest
from optmodel.solution import (
    PlacementDocument,
    Rejection,
    Solution,
    SolutionStatus,
    Termination,
    TracePoint,
)

BOUND_TOLERANCE = Fraction(1, 10**6)
"""How far, relatively, a bound that a solver proved in floats may lie above a latency."""
USUAL_GAP = Fraction(1, 10**6)
"""Gap that counts as optimal where the options name none."""


def check_solution(instance: Instance, solution: Solution) -> CheckReport:
    """Check a solution's placement, and that everything else it claims agrees with it.

    Whether a bound or an infeasibility is true cannot be seen from a placement; that they do not
    contradict it can.
    """
    document = solution.placement or PlacementDocument(requests=())
    report = check(instance, document, solution.objective_s, solution.latency)
    placed = solution.placement is not None
    found = [one for one in report.violations if placed or one.equation == "5"]
    found += _of_this_instance(instance, solution)
    found += _status_agrees(solution, document)
    found += _optimal_within_the_asked_gap(solution)
    found += _most_served_agrees(solution, document)
    found += _objective_and_bound_agree(solution, document)
    found += _gap_agrees(solution)
    found += _latencies_complete(instance, solution, document)
    for rejection in document.rejected:
        found += _rejection_exists(instance, rejection)
    found += _trace_agrees(solution)
    found += _origin_agrees(solution)
    return CheckReport(tuple(found), report.layer_latency_s, report.shared_bits)


def _claim(where: str, message: str, amount: Fraction | int = 1) -> Violation:
    return Violation("claim", where, message, Fraction(amount))


def _of_this_instance(instance: Instance, solution: Solution) -> Iterator[Violation]:
    """Hold it to be a solution of this instance, as it is now."""
    if solution.instance != instance.name:
        message = f"expected '{instance.name}', got '{solution.instance}': it is of another"
        yield _claim("instance", message)
    expected, got = digest(instance), solution.instance_sha256
    if got != expected:
        message = f"expected {expected[:12]}... of this content, got {got[:12]}...: it is of other"
        yield _claim("instance_sha256", message)


def _status_agrees(solution: Solution, document: PlacementDocument) -> Iterator[Violation]:
    status = solution.solution_status
    placed, rejected = bool(document.requests), bool(document.rejected)
    every = placed and not rejected, "a placement of every request"
    most = _admits_most(solution) and solution.placement is not None
    as_many = solution.most_served == len(document.requests), "as many placed as most_served"
    needs = {
        SolutionStatus.OPTIMAL: as_many if most else every,
        SolutionStatus.FEASIBLE: (True, "a placement") if most else every,
        SolutionStatus.PARTIAL: (placed and rejected, "placed and rejected requests"),
        SolutionStatus.INFEASIBLE: (not placed, "no placement"),
        SolutionStatus.NONE: (not placed, "no placement"),
    }
    holds, expected = needs[status]
    if not holds:
        got = f"{len(document.requests)} placed, {len(document.rejected)} rejected"
        yield _claim("solution_status", f"status '{status}' expects {expected}, got {got}")
    proven = status is SolutionStatus.INFEASIBLE
    if proven and solution.termination is Termination.HEURISTIC_END:
        yield _claim("termination", "a heuristic that came to its end proves no infeasibility")
    if solution.reasons and not proven:
        message = f"expected none with status '{status}', got {len(solution.reasons)}"
        yield _claim("reasons", message, len(solution.reasons))


def _admits_most(solution: Solution) -> bool:
    return solution.options.get("admission") == "most"


def _optimal_within_the_asked_gap(solution: Solution) -> Iterator[Violation]:
    """Hold latency - bound <= asked gap · latency where an optimum is claimed."""
    told = solution.options.get("mip_gap")
    gap = _asked_gap(told)
    if gap is None:
        yield _claim("options.mip_gap", f"expected a number from 0 to 1, got {told!r}")
        return
    objective, bound = solution.objective_s, solution.bound_s
    if solution.solution_status is not SolutionStatus.OPTIMAL or objective is None:
        return
    if bound is None:
        yield _claim("solution_status", "optimal without a bound")
        return
    allowed = (gap + BOUND_TOLERANCE) * decimal(objective)
    excess = decimal(objective) - decimal(bound) - allowed
    if excess > 0:
        message = (
            f"optimal at gap {float(gap):g} expects at most {float(allowed)!r} s between objective "
            f"and bound, got {float(excess):.15g} s more"
        )
        yield _claim("solution_status", message, excess)


def _asked_gap(told: object) -> Fraction | None:
    """Return the gap that counts as optimal, None if the options name one that cannot be."""
    if told is None:
        return USUAL_GAP
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return decimal(told) if 0 <= told <= 1 else None


def _most_served_agrees(solution: Solution, document: PlacementDocument) -> Iterator[Violation]:
    """Hold a proven most to be at least what is placed."""
    most, placed = solution.most_served, len(document.requests)
    if most is not None and most < placed:
        message = f"expected at least {placed}, the placed requests, got {most}"
        yield _claim("most_served", message, placed - most)


def _objective_and_bound_agree(
    solution: Solution, document: PlacementDocument
) -> Iterator[Violation]:
    objective, bound = solution.objective_s, solution.bound_s
    if (objective is None) == bool(document.requests):
        message = f"expected a latency exactly if requests are placed, got {objective}"
        yield _claim("objective_s", message)
    if objective is not None and bound is not None:
        excess = decimal(bound) - decimal(objective) * (1 + BOUND_TOLERANCE)
        if excess > 0:
            message = f"expected at most the objective {objective!r} s, got {bound!r} s"
            yield _claim("bound_s", message, excess)


def _gap_agrees(solution: Solution) -> Iterator[Violation]:
    """Compare the gap with (objective - bound) / bound: 0 at the bound, none where that is unknown.

    Stated anew in rationals, for floats are what is checked.
    """
    objective, bound, told = solution.objective_s, solution.bound_s, solution.gap
    expected: Fraction | None = None
    if objective is not None and bound is not None:
        above = decimal(objective) - decimal(bound)
        if above <= 0:
            expected = Fraction(0)
        elif bound > 0:
            expected = above / decimal(bound)
    if expected is None and told is None:
        return
    if expected is None or told is None:
        message = f"expected {_told(expected)} from objective and bound, got {told}"
        yield _claim("gap", message, abs(expected or decimal(told or 0)))
        return
    difference = abs(decimal(told) - expected)
    if difference > REPORTED_TOLERANCE * max(Fraction(1), expected):
        message = f"expected {_told(expected)} from objective and bound, got {told!r}"
        yield _claim("gap", message, difference)


def _told(number: Fraction | None) -> str:
    return "none" if number is None else f"{float(number):.15g}"


def _latencies_complete(
    instance: Instance, solution: Solution, document: PlacementDocument
) -> Iterator[Violation]:
    """Hold every placed request to have the latency of each of its layers, once."""
    networks = {one.id: instance.network_of(one) for one in instance.requests}
    told = Counter(one.request for one in solution.latency)
    for name, times in told.items():
        if times > 1:
            message = f"expected its latencies once, got them {times} times"
            yield _claim(f"latency of request '{name}'", message, times - 1)
    for name in dict.fromkeys(one.request for one in document.requests):
        if name not in networks:
            continue
        layers = {layer.name for layer in networks[name].layers}
        known = {key for one in solution.latency if one.request == name for key in one.layers_s}
        missing = [layer.name for layer in networks[name].layers if layer.name not in known]
        if missing:
            got = f"none for {', '.join(missing)}"
            message = f"expected one for each of {len(layers)} layers, got {got}"
            yield _claim(f"latency of request '{name}'", message, len(missing))


def _rejection_exists(instance: Instance, rejection: Rejection) -> Iterator[Violation]:
    """Hold a rejection to name a layer and a segment that its request has, or neither."""
    where = f"rejected request '{rejection.request}'"
    request = next((one for one in instance.requests if one.id == rejection.request), None)
    if (rejection.layer is None) != (rejection.segment is None):
        message = f"expected layer and segment or neither, got {rejection.layer}"
        yield _claim(where, f"{message} and {rejection.segment}")
    if request is None or rejection.layer is None:
        return
    layers = {layer.name: layer for layer in instance.network_of(request).layers}
    if rejection.layer not in layers:
        yield _claim(where, f"its network has no layer '{rejection.layer}'")
        return
    segments = layers[rejection.layer].input_maps
    if rejection.segment is not None and rejection.segment > segments:
        message = f"layer '{rejection.layer}' has {segments} segments, got {rejection.segment}"
        yield _claim(where, message, rejection.segment - segments)


def _trace_agrees(solution: Solution) -> Iterator[Violation]:
    """Hold a trace to go forward in time, to end in time, and to say in the end what is claimed."""
    times = [point.time_s for point in solution.trace]
    for k, (before, after) in enumerate(pairwise([*times, solution.wall_time_s])):
        if after < before:
            what = f"trace[{k + 1}].time_s" if k + 1 < len(times) else "wall_time_s"
            message = f"expected at least {before!r} s, the moment before, got {after!r} s"
            yield _claim(what, message, decimal(before) - decimal(after))
    if solution.trace:
        yield from _trace_ends_in_the_result(solution, solution.trace[-1])


def _trace_ends_in_the_result(solution: Solution, last: TracePoint) -> Iterator[Violation]:
    objective, bound = decimal(solution.objective_s or 0), solution.bound_s
    incumbent = decimal(last.incumbent_s or 0)
    if abs(incumbent - objective) > REPORTED_TOLERANCE * objective:
        message = f"ends with the incumbent {last.incumbent_s} s, the objective is"
        difference = abs(incumbent - objective)
        yield _claim("trace", f"{message} {solution.objective_s} s", difference)
    if bound is not None and last.bound_s is not None:
        excess = decimal(last.bound_s) - decimal(bound) - BOUND_TOLERANCE * abs(decimal(bound))
        if excess > 0:
            message = f"ends with the bound {last.bound_s!r} s, above bound_s, {bound!r} s"
            yield _claim("trace", message, excess)


def _origin_agrees(solution: Solution) -> Iterator[Violation]:
    """Hold a version to be that of a solver."""
    if solution.solver is None and solution.solver_version is not None:
        message = f"expected none without a solver, got '{solution.solver_version}'"
        yield _claim("solver_version", message)
