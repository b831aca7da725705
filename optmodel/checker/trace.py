"""What the trace of a solution file claims: improvements only, up to the result."""

from collections.abc import Iterator
from itertools import pairwise

from optmodel.checker.arithmetic import decimal
from optmodel.checker.report import BOUND_TOLERANCE, REPORTED_TOLERANCE
from optmodel.checker.violation import Violation, claim
from optmodel.placement.solution import Solution, SolutionStatus, TracePoint


def trace_agrees(solution: Solution) -> Iterator[Violation]:
    """Hold a trace to go forward in time, to improve only, and to end in what is claimed.

    Together: no bound of it is above the objective and, if every request had to be placed, no
    incumbent below the objective or the bound.
    """
    times = [point.time_s for point in solution.trace]
    for k, (before, after) in enumerate(pairwise([*times, solution.wall_time_s])):
        if after < before:
            what = f"trace[{k + 1}].time_s" if k + 1 < len(times) else "wall_time_s"
            message = f"expected at least {before!r} s, the moment before, got {after!r} s"
            yield claim(what, message, decimal(before) - decimal(after))
    may_slow = _may_slow(solution)
    for k, (earlier, later) in enumerate(pairwise(solution.trace)):
        yield from _improves(f"trace[{k + 1}]", earlier, later, may_slow=may_slow)
    if solution.trace:
        yield from _ends_in_the_result(solution, solution.trace[-1])


def _may_slow(solution: Solution) -> bool:
    """Tell whether a better placement may take longer, as it may serve more requests."""
    most = solution.options.get("admission") == "most"
    return most or solution.solution_status is SolutionStatus.PARTIAL


def _improves(
    where: str, earlier: TracePoint, later: TracePoint, *, may_slow: bool
) -> Iterator[Violation]:
    """Hold the incumbent not to rise and the bound not to fall, nor one to be lost."""
    before, after = earlier.incumbent_s, later.incumbent_s
    if before is not None and (after is None or not may_slow):
        rise = decimal(after or 0) - decimal(before)
        if after is None or rise > REPORTED_TOLERANCE * abs(decimal(before)):
            message = f"expected at most {before!r} s, known before, got {_seconds(after)}"
            yield claim(f"{where}.incumbent_s", message, abs(rise))
    before, after = earlier.bound_s, later.bound_s
    if before is not None:
        fall = decimal(before) - decimal(after or 0)
        if after is None or fall > REPORTED_TOLERANCE * abs(decimal(before)):
            message = f"expected at least {before!r} s, proven before, got {_seconds(after)}"
            yield claim(f"{where}.bound_s", message, abs(fall))


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value!r} s"


def _ends_in_the_result(solution: Solution, last: TracePoint) -> Iterator[Violation]:
    objective = decimal(solution.objective_s or 0)
    incumbent = decimal(last.incumbent_s or 0)
    if abs(incumbent - objective) > REPORTED_TOLERANCE * objective:
        message = f"ends with the incumbent {last.incumbent_s} s, the objective is"
        difference = abs(incumbent - objective)
        yield claim("trace", f"{message} {solution.objective_s} s", difference)
    name, limit = "bound_s", solution.bound_s
    if limit is None:
        name, limit = "objective_s", solution.objective_s
    if limit is not None and last.bound_s is not None:
        excess = decimal(last.bound_s) - decimal(limit) - BOUND_TOLERANCE * abs(decimal(limit))
        if excess > 0:
            message = f"ends with the bound {last.bound_s!r} s, above {name}, {limit!r} s"
            yield claim("trace", message, excess)
