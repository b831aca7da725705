"""What a solution file claims beside its placement: status, objective, bound, gap, latencies."""

from collections.abc import Iterator
from fractions import Fraction

from optmodel.checker.report import REPORTED_TOLERANCE, CheckReport, check
from optmodel.checker.violation import Violation
from optmodel.instance import Instance
from optmodel.solution import PlacementDocument, Solution, SolutionStatus, relative_gap

BOUND_TOLERANCE = Fraction(1, 10**6)
"""How far, relatively, a bound that a solver proved in floats may lie above a latency."""


def check_solution(instance: Instance, solution: Solution) -> CheckReport:
    """Check a solution's placement, and that everything else it claims agrees with it.

    Whether a bound or an infeasibility is true cannot be seen from a placement; that they do not
    contradict it can.
    """
    document = solution.placement or PlacementDocument(requests=())
    report = check(instance, document, solution.objective_s, solution.latency)
    found = [] if solution.placement is None else list(report.violations)
    found += _status_agrees(solution, document)
    found += _numbers_agree(solution, document)
    return CheckReport(tuple(found), report.layer_latency_s, report.shared_bits)


def _status_agrees(solution: Solution, document: PlacementDocument) -> Iterator[Violation]:
    status = solution.solution_status
    placed, rejected = bool(document.requests), bool(document.rejected)
    every = placed and not rejected, "a placement of every request"
    most = solution.options.get("admission") == "most" and solution.placement is not None
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
        message = f"status '{status}' expects {expected}, got {got}"
        yield Violation("claim", "solution_status", message, Fraction(1))


def _numbers_agree(solution: Solution, document: PlacementDocument) -> Iterator[Violation]:
    objective, bound = solution.objective_s, solution.bound_s
    if (objective is None) == bool(document.requests):
        message = f"expected a latency exactly if requests are placed, got {objective}"
        yield Violation("claim", "objective_s", message, Fraction(1))
    if objective is not None and bound is not None:
        excess = Fraction(bound) - Fraction(objective) * (1 + BOUND_TOLERANCE)
        if excess > 0:
            message = f"expected at most the objective {objective!r} s, got {bound!r} s"
            yield Violation("claim", "bound_s", message, excess)
    gap = relative_gap(objective, bound)
    same = gap == solution.gap or (
        gap is not None
        and solution.gap is not None
        and abs(gap - solution.gap) <= REPORTED_TOLERANCE
    )
    if not same:
        message = f"expected {gap} from objective and bound, got {solution.gap}"
        yield Violation("claim", "gap", message, Fraction(1))
    if solution.solution_status is SolutionStatus.OPTIMAL and document.requests and gap is None:
        yield Violation("claim", "solution_status", "optimal without a bound", Fraction(1))
