"""Solve a Pyomo formulation in one piece and hand what it finds to the search."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil, isfinite

import pyomo.environ as pyo

from optmodel.admission import most_then_fastest
from optmodel.count.objective import minimise_latency, minimise_rejected
from optmodel.formulation import Formulation
from optmodel.highs import Watcher
from optmodel.search import Search
from optmodel.solution import SolutionStatus, Termination
from optmodel.solvers import SolverOptions, run_solver

WHOLE_TOLERANCE = 1e-4
"""How far a solver's float bound on a whole number may lie above it."""

MOST_PAIRS = 200_000
"""Pairs of nodes between which maps may move, over all layers, up to which a model in one piece is
built when another method asks for it; beyond, building alone takes minutes and gigabytes."""

SECONDS_PER_PAIR = 1e-4
"""What such a pair takes, about, until the solver has the model: nothing can stop that."""


def within_reach(search: Search, most_pairs: int = MOST_PAIRS) -> bool:
    """Tell whether the count model is small enough to be built, and in the time that is left."""
    pairs = sum(
        len(layer.hosts) * len(following.hosts)
        for task in search.problem.tasks
        for layer, following in pairwise(task.layers)
    )
    return pairs <= min(most_pairs, search.left_s / SECONDS_PER_PAIR)


def solve_milp(search: Search, formulation: type[Formulation]) -> Termination:
    """Build the MILP of the search's problem and run the solver on it, if there is time left."""
    with search.phase("build"):
        built = formulation.build(search.problem, search.options.admission)
    return most_then_fastest(
        search, lambda: _serve_most(search, built), lambda: _least_latency(search, built)
    )


def _serve_most(search: Search, built: Formulation) -> Termination:
    minimise_rejected(built.pyomo_model)
    requests = len(search.problem.tasks)

    def learn(bound: float) -> None:
        """Take a bound on the number of requests left out."""
        rejected = ceil(bound - WHOLE_TOLERANCE)
        search.most_served = min(search.most_served, requests - rejected)

    # A looser gap could end the search one request too early.
    gap = min(search.options.mip_gap, SolverOptions.mip_gap)
    return _run(search, built, learn, gap)


def _least_latency(search: Search, built: Formulation) -> Termination:
    model, options = built.pyomo_model, search.options
    if options.admission == "most":
        model.serve_most = pyo.Constraint(
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
        options = replace(options, time_limit_s=max(search.left_s, 0.01))
    start = search.incumbent is not None
    if search.incumbent is not None:
        built.set_values(search.incumbent)

    def offer() -> None:
        """Offer the placement that the model's variables hold."""
        search.offer(built.placement())

    def bounded(bound: float) -> None:
        """Learn a bound that tells something; 0 is below every latency."""
        if bound > 0:
            learn(bound)

    run = run_solver(built.pyomo_model, options, start, Watcher(offer, bounded))
    search.solver, search.solver_version = options.solver, run.version
    if run.status is SolutionStatus.INFEASIBLE:
        search.infeasible = True
        return run.termination
    if run.bound is not None and run.termination is Termination.CONVERGED:
        learn(run.bound)
    elif run.bound is not None:
        bounded(run.bound)
    if run.status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE):
        offer()
    return run.termination
