"""Solve a Pyomo formulation in one piece and hand what it finds to the search."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil, isfinite

import pyomo.environ as pyo

from optmodel.ground.rule_errors import ResultError
from optmodel.milp.budget_rows import cut_off_broken
from optmodel.milp.count.objective import minimise_latency, minimise_rejected
from optmodel.milp.feasibility import FeasibilityModel
from optmodel.milp.formulation import Formulation
from optmodel.milp.highs import Watcher
from optmodel.milp.second_opinion import second_opinion
from optmodel.milp.solvers import run_solver
from optmodel.placement import SolutionStatus, Termination
from optmodel.problem import Problem
from optmodel.search import Search, SolverOptions, most_then_fastest

WHOLE_TOLERANCE = 1e-4
"""How far a solver's float bound on a whole number may lie above it."""

FEW_PAIRS = 5_000
"""Up to so many pairs of nodes, the count model is solved before anything else would help it."""

MOST_PAIRS = 200_000
"""Pairs of nodes between which maps may move, over all layers, up to which a model in one piece is
built when another method asks for it; beyond, building alone takes minutes and gigabytes."""

SECONDS_PER_PAIR = 1e-4
"""What such a pair takes, about, until the solver has the model: nothing can stop that."""


def within_reach(search: Search, most_pairs: int = MOST_PAIRS) -> bool:
    """Tell whether the count model is small enough to be built, and in the time that is left."""
    return moving_pairs(search.problem) <= min(most_pairs, search.left_s / SECONDS_PER_PAIR)


def moving_pairs(problem: Problem, by_segment: bool = False) -> int:
    """Return how many pairs of nodes maps may move between, for each layer, or each segment."""
    return sum(
        (layer.segments if by_segment else 1) * len(layer.hosts) * len(following.hosts)
        for task in problem.tasks
        for layer, following in pairwise(task.layers)
    )


class RefutedVerdict(Exception):  # noqa: N818 - an outcome, not a fault
    """The solver says that requests cannot be served which a placement serves."""


def run_milp(search: Search, formulation: type[Formulation]) -> Termination:
    """Build the MILP of the search's problem and run the solver on it, if there is time left.

    Raises
    ------
    RefutedVerdict
        If a placement refutes what the solver says; nothing that it said is left in the search.
    """
    with search.phase("build"):
        built = formulation.build(search.problem, search.options.admission)
    before = search.claims
    try:
        return most_then_fastest(
            search,
            lambda: _serve_most(search, built),
            lambda: _least_latency(search, built),
            lambda serving: _cpsat_agrees(search, serving),
        )
    except RefutedVerdict as refuted:
        # What it said before may be as wrong.
        search.take_back(before)
        search.notes.append(f"{refuted}: nothing else that {search.solver} says is used")
        raise


def _serve_most(search: Search, built: Formulation) -> Termination:
    minimise_rejected(built.pyomo_model)
    requests = len(search.problem.tasks)

    def learn(bound: float) -> None:
        """Take a bound on the number of requests left out."""
        # A float just above a whole number proves that number, not the next one.
        rejected = ceil(bound - WHOLE_TOLERANCE)
        search.most_served = min(search.most_served, requests - rejected)

    # A looser gap could end the search one request too early.
    gap = min(search.options.mip_gap, SolverOptions.mip_gap)
    return _run(search, built, learn, gap)


def _least_latency(search: Search, built: Formulation) -> Termination:
    model, options = built.pyomo_model, search.options
    if options.admission == "most":
        model.serve_most = pyo.Constraint(
            # More cannot be served, and fewer are not asked for.
            expr=pyo.quicksum(model.served.values()) == search.most_served
        )
    minimise_latency(model)

    def learn(bound: float) -> None:
        """Take a bound on the latency, in the problem's time unit."""
        search.raise_bound(bound * search.problem.time_unit_s)

    return _run(search, built, learn, options.mip_gap)


def _run(
    search: Search, built: Formulation, learn: Callable[[float], None], gap: float
) -> Termination:
    """Solve once; `learn` hears of every bound on the objective."""
    if search.left_s <= 0:
        return Termination.TIME_LIMIT
    options = replace(search.options, mip_gap=gap)
    if isfinite(search.left_s):
        # It may have run out since it was looked at.
        options = replace(options, time_limit_s=max(search.left_s, 0.01))
    start = search.incumbent is not None
    if search.incumbent is not None:
        built.set_values(search.incumbent)

    def offer() -> bool:
        """Offer the placement that the model holds; tell whether it keeps the budgets."""
        # `Search.offer` says no, too, to what is only no better.
        refused = search.refused
        search.offer(built.placement())
        return search.refused == refused

    def bounded(bound: float) -> None:
        """Learn a bound that tells something; 0 is below every latency."""
        if bound > 0:
            learn(bound)

    run = run_solver(built.pyomo_model, options, start, Watcher(offer, bounded))
    search.solver, search.solver_version = options.solver, run.version
    if run.status is SolutionStatus.INFEASIBLE:
        # A placement is a fact; the solver judges up to its tolerances.
        if search.incumbent is not None:
            raise RefutedVerdict(_says(search, search.served, search.incumbent_by))
        search.infeasible = True
        return run.termination
    # Of a run that has come to its end, 0 may be the optimum.
    if run.bound is not None and run.termination is Termination.CONVERGED:
        learn(run.bound)
    elif run.bound is not None:
        bounded(run.bound)
    placed = run.status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE)
    if placed and not offer() and run.termination is Termination.CONVERGED:
        # What the solver returned breaks a budget by less than it notices: cut it off, and go on.
        # No count and no number of maps that move exceeds the segments of the largest layer.
        largest = max(layer.segments for task in search.problem.tasks for layer in task.layers)
        # It comes to an end: each cut takes away one more of finitely many points.
        if cut_off_broken(built.pyomo_model, largest):
            return _run(search, built, learn, gap)
    return run.termination


def _cpsat_agrees(search: Search, serving: int | None) -> bool:
    """Ask CP-SAT whether as many requests cannot be served as the solver says; None for all.

    Raises
    ------
    RefutedVerdict
        If they can.
    ResultError
        If CP-SAT's placement is none.
    """
    number = len(search.problem.tasks) if serving is None else serving
    if search.served >= number:
        raise RefutedVerdict(_says(search, number, search.incumbent_by))
    if search.left_s <= 0:
        return False
    model = FeasibilityModel.build(search.problem, serving)
    asked = second_opinion(model.pyomo_model, search.allowance().left_s)
    if asked.status is SolutionStatus.INFEASIBLE:
        return True
    if asked.status is SolutionStatus.NONE:
        search.notes.append(f"{_claim(search, number)}, which CP-SAT has not confirmed")
        return False
    with search.speaking("CP-SAT"):
        if not search.offer(model.placement()):
            raise ResultError(f"CP-SAT places {number} requests over a budget (8b-8d)")
    raise RefutedVerdict(_says(search, number, "CP-SAT"))


def _claim(search: Search, number: int) -> str:
    what = "all requests" if number == len(search.problem.tasks) else f"{number} requests"
    return f"{search.solver} says that {what} cannot be served"


def _says(search: Search, number: int, placer: str) -> str:
    """Return what the solver says, and whose placement refutes it."""
    return f"{_claim(search, number)}, which the placement found by {placer} refutes"
