"""Look for any placement within a time limit, and say exactly what came out."""

from dataclasses import dataclass
from enum import StrEnum

import pyomo.environ as pyo

from optmodel.limits import reasons_infeasible
from optmodel.milp.budget_loads import BudgetKind, placed_loads
from optmodel.milp.feasibility import FeasibilityModel
from optmodel.milp.second_opinion import second_opinion
from optmodel.milp.solvers import SolverRun, run_solver
from optmodel.placement import Placement, SolutionStatus, Termination, to_document
from optmodel.problem import Instance, Problem
from optmodel.search import Allowance, SolverOptions, contradiction, exceeds
from optmodel.solution_builder import passed

HIGHS, CPSAT = "HiGHS", "CP-SAT on the budgets alone"
"""The engines that look for placements here."""
BOTH = f"{HIGHS}, with CP-SAT's agreement,"
"""Whose word "infeasible" is."""


class FeasibilityVerdict(StrEnum):
    """Whether there is a placement of every request."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    """The time limit came first."""


@dataclass(frozen=True)
class FeasibilityAnswer:
    """What a search found, and which engine placed it.

    `least` says whether it is proven to have the least load, if that was asked for.
    """

    verdict: FeasibilityVerdict
    placement: Placement | None = None
    least: bool = False
    placed_by: str = HIGHS


INFEASIBLE = FeasibilityAnswer(FeasibilityVerdict.INFEASIBLE)
UNKNOWN = FeasibilityAnswer(FeasibilityVerdict.UNKNOWN)


def find_placement(
    problem: Problem, allowance: Allowance, serving: int | None = None
) -> FeasibilityAnswer:
    """Find any placement of all requests, or of so many, or prove that there is none."""
    every = serving is None
    # The model needs a host for every layer, and arithmetic is faster than a solver.
    if every and (any(task.unattainable for task in problem.tasks) or reasons_infeasible(problem)):
        return INFEASIBLE
    if allowance.over:
        return UNKNOWN
    return _answer(FeasibilityModel.build(problem, serving), allowance)


def find_least_load(
    problem: Problem, kind: BudgetKind, node: int, allowance: Allowance
) -> FeasibilityAnswer:
    """Find the placement that asks for least of one budget, as if that budget had no end.

    If the budget is beyond every load that the caps allow, it has no end already.
    """
    if allowance.over:
        return UNKNOWN
    model = FeasibilityModel.build(problem)
    bounded = (kind, node) in model.pyomo_model.respect_budgets
    if bounded:
        model.minimise_load(kind, node)
    answer = _answer(model, allowance)
    if answer.placement is None or not answer.least or not bounded:
        return answer
    return _with_less(answer.placement, model, kind, node, allowance)


def _with_less(
    found: Placement, model: FeasibilityModel, kind: BudgetKind, node: int, allowance: Allowance
) -> FeasibilityAnswer:
    """Ask another solver for the least load, counted in whole units.

    Raises
    ------
    ResultError
        If what one of the two claims to be least is more than what the other one has placed.
    """
    if allowance.over:
        return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, found)
    opinion = second_opinion(model.pyomo_model, allowance.left_s)
    what = f"load of '{model.problem.node_ids[node]}' ({kind})"
    if opinion.status is SolutionStatus.INFEASIBLE:
        claim = f"that no placement keeps all budgets but the {what}"
        raise contradiction(CPSAT, claim, HIGHS, "does")
    if opinion.status is SolutionStatus.NONE:
        return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, found)
    other = model.placement()
    first, second = (placed_loads(model.problem, one)[kind][node] for one in (found, other))
    claim = f"that the least {what} is {{}}"
    proven = opinion.status is SolutionStatus.OPTIMAL
    # Only what claims to be least can be refuted: a placement with more says nothing against less.
    if proven and first < second:
        raise contradiction(CPSAT, claim.format(second), HIGHS, f"has {first}")
    if exceeds(first, second):
        raise contradiction(HIGHS, claim.format(first), CPSAT, f"has {second}")
    if second < first:  # By no more than HiGHS's tolerance; CP-SAT counts in whole numbers.
        return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, other, proven, CPSAT)
    return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, found, proven)


def run_within(model: pyo.ConcreteModel, allowance: Allowance) -> SolverRun | None:
    """Run the solver to the end or until time is up; None if it is up already.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ends the run.
    """
    if allowance.over:
        return None
    # No gap: a load is asked for that is least, not nearly.
    run = run_solver(model, SolverOptions(time_limit_s=allowance.left_s, mip_gap=0.0))
    if run.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    return run


def _answer(model: FeasibilityModel, allowance: Allowance) -> FeasibilityAnswer:
    """Solve, and let another solver confirm that there is no placement, or replace a broken one."""
    run = run_within(model.pyomo_model, allowance)
    if run is None or run.status is SolutionStatus.NONE:
        return UNKNOWN
    said_infeasible = run.status is SolutionStatus.INFEASIBLE
    # HiGHS may exceed a budget by its tolerance: then the other solver places.
    if not said_infeasible and model.keeps_budgets():
        least = run.status is SolutionStatus.OPTIMAL
        return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, model.placement(), least)
    status = second_opinion(model.pyomo_model, allowance.left_s).status
    if status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE):
        return FeasibilityAnswer(FeasibilityVerdict.FEASIBLE, model.placement(), placed_by=CPSAT)
    # One solver's word is no proof that there is no placement.
    agreed = said_infeasible and status is SolutionStatus.INFEASIBLE
    return INFEASIBLE if agreed else UNKNOWN


def checked_latency_s(instance: Instance, placement: Placement) -> float:
    """Return the latency of a placement that passes the checker.

    Raises
    ------
    ResultError
        If it does not pass.
    """
    document = to_document(Problem.of(instance), placement)
    return float(passed(instance, document, "the feasibility model gave").objective_s)
