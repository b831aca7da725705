"""Explain why an instance has no placement, and what would give it one."""

import time
from typing import Any

from optmodel.explain.instance_repairs import InstanceRepair, RepairSearch, find_repairs
from optmodel.explain.limit_conflict import ConflictProof, LimitConflict, find_conflicts
from optmodel.ground.json_files import StrictModel
from optmodel.limits import reasons_infeasible
from optmodel.milp import FeasibilityVerdict, checked_latency_s, find_placement
from optmodel.problem import Instance, Problem
from optmodel.search import Allowance

CONFLICT_SHARE = 0.5
"""Part of the time limit for conflicts; repairs get the rest."""


class Explanation(StrictModel):
    """Whether an instance has a placement, and if not, why and what would help."""

    instance: str
    """Name of the instance."""
    verdict: FeasibilityVerdict
    """Whether there is a placement of every request."""
    latency_s: float | None = None
    """Latency of the placement found if there is one, in seconds; the optimum may be less."""
    reasons: tuple[str, ...] = ()
    """Proofs of infeasibility by arithmetic on single layers and budgets."""
    conflicts: tuple[LimitConflict, ...] = ()
    """Sets of limits that cannot all be kept; the first is the smallest, no two share a limit."""
    repairs: tuple[InstanceRepair, ...] = ()
    """The cheapest single change of each kind that suffices, cheapest kind first."""
    without_repair: tuple[str, ...] = ()
    """Kinds of change that do not suffice, or for which time was too short."""
    wall_time_s: float
    """Run time, in seconds."""

    @property
    def minimal(self) -> bool:
        """Whether no set of limits smaller than the first conflict is a conflict."""
        return bool(self.conflicts) and self.conflicts[0].proof is ConflictProof.SMALLEST


def explain(instance: Instance, time_limit_s: float | None = None) -> Explanation:
    """Explain why not all requests can be served.

    Parameters
    ----------
    instance : Instance
        What is to be placed.
    time_limit_s : float, optional
        Wall time in seconds. What is not proven by then is said to be unproven.

    Returns
    -------
    Explanation
        A smallest set of limits that cannot all be kept, and single changes that suffice, each
        verified by a placement that passes the checker.

    Raises
    ------
    ResultError
        If a placement of the solver fails the checker.
    """
    start, allowance = time.perf_counter(), Allowance.of_seconds(time_limit_s)
    problem = Problem.of(instance)
    answer = find_placement(problem, allowance)
    found: dict[str, Any] = {}
    if answer.placement is not None:
        found["latency_s"] = checked_latency_s(instance, answer.placement)
    if answer.verdict is FeasibilityVerdict.INFEASIBLE:
        found["reasons"] = reasons_infeasible(problem)
        found["conflicts"] = find_conflicts(problem, allowance.part(share=CONFLICT_SHARE))
        search = RepairSearch(instance, found["conflicts"], allowance)
        found["repairs"], found["without_repair"] = find_repairs(search)
    return Explanation(
        instance=instance.name,
        verdict=answer.verdict,
        wall_time_s=time.perf_counter() - start,
        **found,
    )
