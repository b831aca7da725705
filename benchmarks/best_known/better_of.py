"""Which of two solutions is better, what is proven of it, and when they contradict each other."""

from optmodel.ground.rule_errors import ResultError
from optmodel.placement import Solution, SolutionStatus
from optmodel.search import BOUND_TOLERANCE
from optmodel.solution_builder import with_bound


def is_proven(solution: Solution, mip_gap: float) -> bool:
    """Return whether nothing is left to gain at a relative gap."""
    if solution.solution_status is SolutionStatus.INFEASIBLE:
        return True
    return solution.gap is not None and solution.gap <= mip_gap + BOUND_TOLERANCE


def better_of(known: Solution, new: Solution, mip_gap: float) -> Solution:
    """Return the better placement with the better bound.

    More requests served come first, then less latency; of equals the new one is taken, since it
    tells of the larger effort. A bound is true whichever run proved it.

    Raises
    ------
    ResultError
        If one refutes what the other claims to have proven.
    """
    _refuse_contradiction(known, new)
    _refuse_contradiction(new, known)
    best = min(new, known, key=_rank)
    if best.solution_status is SolutionStatus.INFEASIBLE or _rejects(best):
        return best
    bounds = [s.bound_s for s in (known, new) if s.bound_s is not None and not _rejects(s)]
    return _with_bound(best, max(bounds, default=None), mip_gap)


def _rank(solution: Solution) -> tuple[int, float, bool]:
    """Return a key that puts better solutions first."""
    served = len(solution.placement.requests) if solution.placement else 0
    latency = float("inf") if solution.objective_s is None else solution.objective_s
    return -served, latency, solution.solution_status is not SolutionStatus.INFEASIBLE


def _rejects(solution: Solution) -> bool:
    return solution.placement is not None and bool(solution.placement.rejected)


def _with_bound(solution: Solution, bound: float | None, mip_gap: float) -> Solution:
    """Return the solution with a bound that may come from another run."""
    objective = solution.objective_s
    if bound is None or objective is None:
        return solution.model_copy(update={"bound_s": bound})
    raised = with_bound(solution, min(bound, objective))
    if raised.solution_status is SolutionStatus.OPTIMAL or not is_proven(raised, mip_gap):
        return raised
    options = {**raised.options, "mip_gap": mip_gap}  # Optimal up to this gap, not that of its run.
    return raised.model_copy(update={"solution_status": SolutionStatus.OPTIMAL, "options": options})


def _refuse_contradiction(proof: Solution, found: Solution) -> None:
    """Refuse a placement of all requests that the other's proof rules out."""
    if found.objective_s is None or _rejects(found):
        return
    name, objective, bound = found.instance, found.objective_s, proof.bound_s
    if proof.solution_status is SolutionStatus.INFEASIBLE:
        raise ResultError(
            f"{name}: {found.method} serves all requests, {proof.method} claims to have proven "
            "that there is no such placement"
        )
    if bound is not None and not _rejects(proof) and bound > objective * (1 + BOUND_TOLERANCE):
        raise ResultError(
            f"{name}: {found.method} takes {objective!r} s, {proof.method} claims the bound "
            f"{bound!r} s"
        )
