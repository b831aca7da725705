"""What a solution file claims beside its placement: whose it is, status, bound, gap, latencies."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeGuard, get_args

from optmodel.checker.arithmetic import decimal
from optmodel.checker.report import BOUND_TOLERANCE, REPORTED_TOLERANCE, CheckReport, check
from optmodel.checker.trace import trace_agrees
from optmodel.checker.violation import Violation, claim
from optmodel.placement.solution import (
    Admission,
    PlacementDocument,
    Rejection,
    Solution,
    SolutionStatus,
    Termination,
)
from optmodel.problem.instance import Instance, digest

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
    found += _options_can_be(solution)
    found += _status_agrees(solution, document)
    found += _infeasible_agrees(solution)
    found += _optimal_within_the_asked_gap(solution)
    found += _most_served_agrees(instance, solution, document)
    found += _objective_and_bound_agree(solution, document)
    found += _gap_agrees(solution)
    found += _latencies_complete(instance, solution, document)
    for rejection in document.rejected:
        found += _rejection_exists(instance, rejection)
    found += trace_agrees(solution)
    found += _origin_agrees(solution)
    return CheckReport(tuple(found), report.layer_latency_s, report.shared_bits)


def _of_this_instance(instance: Instance, solution: Solution) -> Iterator[Violation]:
    """Hold it to be a solution of this instance, as it is now."""
    if solution.instance != instance.name:
        message = f"expected '{instance.name}', got '{solution.instance}': it is of another"
        yield claim("instance", message)
    expected, got = digest(instance), solution.instance_sha256
    if got != expected:
        message = f"expected {expected[:12]}... of this content, got {got[:12]}...: it is of other"
        yield claim("instance_sha256", message)


def _options_can_be(solution: Solution) -> Iterator[Violation]:
    """Hold the options that mean something here to be ones that a run can have had."""
    options, admissions = solution.options, get_args(Admission)
    admission = options.get("admission")
    if admission is not None and admission not in admissions:
        expected = " or ".join(f"'{one}'" for one in admissions)
        yield claim("options.admission", f"expected {expected}, got {admission!r}")
    for name in ("time_limit_s", "improve_s"):
        told = options.get(name)
        if told is not None and (not _is_number(told) or told < 0):
            message = f"expected a number of seconds from 0, or null, got {told!r}"
            yield claim(f"options.{name}", message)
    if _asked_gap(solution) is None:
        yield claim("options.mip_gap", f"expected a number from 0 to 1, got {options['mip_gap']!r}")


def _is_number(told: object) -> TypeGuard[int | float]:
    return isinstance(told, int | float) and not isinstance(told, bool)


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
        yield claim("solution_status", f"status '{status}' expects {expected}, got {got}")
    if solution.reasons and status is not SolutionStatus.INFEASIBLE:
        message = f"expected none with status '{status}', got {len(solution.reasons)}"
        yield claim("reasons", message, len(solution.reasons))


def _infeasible_agrees(solution: Solution) -> Iterator[Violation]:
    """Hold a proof that no placement exists to come from a method that proves, and to bound none.

    A bound without a placement is no contradiction: a method may bound what it has not found.
    """
    if solution.solution_status is not SolutionStatus.INFEASIBLE:
        return
    if solution.termination is Termination.HEURISTIC_END:
        yield claim("termination", "a heuristic that came to its end proves no infeasibility")
    if solution.bound_s is not None:
        message = f"expected none with status 'infeasible', got {solution.bound_s!r} s"
        yield claim("bound_s", message, abs(decimal(solution.bound_s)))
    if _admits_most(solution):
        message = "infeasible with admission 'most', where serving none is a placement too"
        yield claim("solution_status", message)


def _admits_most(solution: Solution) -> bool:
    return solution.options.get("admission") == "most"


def _optimal_within_the_asked_gap(solution: Solution) -> Iterator[Violation]:
    """Hold latency - bound <= asked gap · latency where an optimum is claimed."""
    gap, objective, bound = _asked_gap(solution), solution.objective_s, solution.bound_s
    if solution.solution_status is not SolutionStatus.OPTIMAL or objective is None or gap is None:
        return
    if bound is None:
        yield claim("solution_status", "optimal without a bound")
        return
    allowed = (gap + BOUND_TOLERANCE) * decimal(objective)
    excess = decimal(objective) - decimal(bound) - allowed
    if excess > 0:
        message = (
            f"optimal at gap {float(gap):g} expects at most {float(allowed)!r} s between objective "
            f"and bound, got {float(excess):.15g} s more"
        )
        yield claim("solution_status", message, excess)


def _asked_gap(solution: Solution) -> Fraction | None:
    """Return the gap that counts as optimal, None if the options name one that cannot be."""
    told = solution.options.get("mip_gap")
    if told is None:
        return USUAL_GAP
    return decimal(told) if _is_number(told) and 0 <= told <= 1 else None


def _most_served_agrees(
    instance: Instance, solution: Solution, document: PlacementDocument
) -> Iterator[Violation]:
    """Hold a proven most to be at least what is placed, and at most what there is to place."""
    most, placed, requests = solution.most_served, len(document.requests), len(instance.requests)
    if most is not None and most < placed:
        message = f"expected at least {placed}, the placed requests, got {most}"
        yield claim("most_served", message, placed - most)
    if most is not None and most > requests:
        message = f"expected at most {requests}, the requests of the instance, got {most}"
        yield claim("most_served", message, most - requests)


def _objective_and_bound_agree(
    solution: Solution, document: PlacementDocument
) -> Iterator[Violation]:
    objective, bound = solution.objective_s, solution.bound_s
    if (objective is None) == bool(document.requests):
        message = f"expected a latency exactly if requests are placed, got {objective}"
        yield claim("objective_s", message)
    if objective is not None and bound is not None:
        excess = decimal(bound) - decimal(objective) * (1 + BOUND_TOLERANCE)
        if excess > 0:
            message = f"expected at most the objective {objective!r} s, got {bound!r} s"
            yield claim("bound_s", message, excess)


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
        yield claim("gap", message, abs(expected or decimal(told or 0)))
        return
    difference = abs(decimal(told) - expected)
    if difference > REPORTED_TOLERANCE * max(Fraction(1), expected):
        message = f"expected {_told(expected)} from objective and bound, got {told!r}"
        yield claim("gap", message, difference)


def _told(number: Fraction | None) -> str:
    return "none" if number is None else f"{float(number):.15g}"


def _latencies_complete(
    instance: Instance, solution: Solution, document: PlacementDocument
) -> Iterator[Violation]:
    """Hold every placed request, and no other, to have the latency of each of its layers, once."""
    networks = {one.id: instance.network_of(one) for one in instance.requests}
    placed = dict.fromkeys(one.request for one in document.requests)
    told = Counter(one.request for one in solution.latency)
    for name, times in told.items():
        if name not in placed:
            message = "expected none, for it is not placed"
            yield claim(f"latency of request '{name}'", message, times)
        elif times > 1:
            message = f"expected its latencies once, got them {times} times"
            yield claim(f"latency of request '{name}'", message, times - 1)
    for name in placed:
        if name not in networks:
            continue
        layers = {layer.name for layer in networks[name].layers}
        known = {key for one in solution.latency if one.request == name for key in one.layers_s}
        missing = [layer.name for layer in networks[name].layers if layer.name not in known]
        if missing:
            got = f"none for {', '.join(missing)}"
            message = f"expected one for each of {len(layers)} layers, got {got}"
            yield claim(f"latency of request '{name}'", message, len(missing))


def _rejection_exists(instance: Instance, rejection: Rejection) -> Iterator[Violation]:
    """Hold a rejection to name a layer and a segment that its request has, or neither."""
    where = f"rejected request '{rejection.request}'"
    request = next((one for one in instance.requests if one.id == rejection.request), None)
    if (rejection.layer is None) != (rejection.segment is None):
        message = f"expected layer and segment or neither, got {rejection.layer}"
        yield claim(where, f"{message} and {rejection.segment}")
    if request is None or rejection.layer is None:
        return
    layers = {layer.name: layer for layer in instance.network_of(request).layers}
    if rejection.layer not in layers:
        yield claim(where, f"its network has no layer '{rejection.layer}'")
        return
    segments = layers[rejection.layer].input_maps
    if rejection.segment is not None and rejection.segment > segments:
        message = f"layer '{rejection.layer}' has {segments} segments, got {rejection.segment}"
        yield claim(where, message, rejection.segment - segments)


def _origin_agrees(solution: Solution) -> Iterator[Violation]:
    """Hold a version to be that of a solver."""
    if solution.solver is None and solution.solver_version is not None:
        message = f"expected none without a solver, got '{solution.solver_version}'"
        yield claim("solver_version", message)
