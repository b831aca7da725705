"""Solve a Pyomo formulation in one piece and hand what it finds to the search."""

from dataclasses import replace

from optmodel.formulation import Formulation
from optmodel.search import Search
from optmodel.solution import SolutionStatus, Termination
from optmodel.solvers import SolverRun, run_solver


def solve_milp(search: Search, formulation: type[Formulation]) -> Termination:
    """Build the MILP of the search's problem and run the solver on it."""
    with search.phase("build"):
        built = formulation.build(search.problem)
    options = search.options
    if options.time_limit_s is not None:
        options = replace(options, time_limit_s=max(search.left_s, 0.01))
    run = run_solver(built.pyomo_model, options)
    _hand_over(search, built, run)
    return run.termination


def _hand_over(search: Search, built: Formulation, run: SolverRun) -> None:
    search.solver, search.solver_version = search.options.solver, run.version
    if run.status is SolutionStatus.INFEASIBLE:
        search.infeasible = True
        return
    if run.bound is not None:
        search.raise_bound(run.bound * search.problem.time_unit_s)
    if run.status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE):
        search.offer(built.placement())
