"""What another kind of solver says: CP-SAT, in whole numbers, on a MILP that another one judged.

A MILP solver's "infeasible" holds up to its tolerances, and no solver is free of faults. A verdict
counts as proven when two that share no code agree.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from math import ceil, floor
from typing import Any

import pyomo.environ as pyo
from ortools.sat.python import cp_model
from pyomo.repn import generate_standard_repn

from optmodel.ground.interrupt import noticing_interrupt
from optmodel.milp.solvers import SolverRun
from optmodel.placement import SolutionStatus, Termination

LARGEST_ACTIVITY = 2**30
"""Largest sum of coefficients times values of one sign in a row of the model.

The presolve of CP-SAT 9.15 proves wrong optima with coefficients near 2^31. It multiplies and adds
them, and turns counts into literals with products as coefficients, so that the products and sums
must stay clear of 2^31 as well.
"""
MOST_EFFORT = 60.0
"""In CP-SAT's own count, about seconds, so that the outcome is the same on any machine."""

_STATUS = {
    cp_model.OPTIMAL: SolutionStatus.OPTIMAL,
    cp_model.FEASIBLE: SolutionStatus.FEASIBLE,
    cp_model.INFEASIBLE: SolutionStatus.INFEASIBLE,
}


def second_opinion(model: pyo.ConcreteModel, limit_s: float | None = None) -> SolverRun:
    """Solve a MILP of bounded whole variables and whole coefficients by CP-SAT.

    On return the model holds the solution found, if any.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        The MILP; its constraints are linear, and so is its objective, to be minimised.
    limit_s : float, optional
        Wall time in seconds.

    Raises
    ------
    ValueError
        If a coefficient is no whole number, or CP-SAT refuses the model.
    KeyboardInterrupt
        If Ctrl-C ends the run.
    """
    built, columns = _translated(model)
    solver = cp_model.CpSolver()
    # Presolve goes wrong with numbers near 2^31; without it CP-SAT is right, and slower.
    solver.parameters.cp_model_presolve = _largest_activity(built) <= LARGEST_ACTIVITY
    # Python hears of Ctrl-C, and stops it (`run_in_thread`).
    solver.parameters.catch_sigint_signal = False
    # Several would race, and who wins depends on the machine.
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = MOST_EFFORT
    if limit_s is not None:
        solver.parameters.max_time_in_seconds = max(limit_s, 0.01)
    answer, interrupted = run_in_thread(solver, lambda: solver.solve(built))
    if interrupted:
        raise KeyboardInterrupt
    if answer == cp_model.MODEL_INVALID:
        raise ValueError(f"CP-SAT refuses the model: {built.validate()}")
    status = _STATUS.get(answer, SolutionStatus.NONE)
    if status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE):
        for variable, column in columns:
            variable.set_value(solver.value(column), skip_validation=True)
    ended = Termination.TIME_LIMIT if status is SolutionStatus.NONE else Termination.CONVERGED
    return SolverRun(ended, status, solver.best_objective_bound, version("ortools"))


def run_in_thread(
    solver: cp_model.CpSolver, run: Callable[[], cp_model.CpSolverStatus]
) -> tuple[cp_model.CpSolverStatus, bool]:
    """Run CP-SAT; return its status, and whether Ctrl-C stopped it.

    In a thread of its own, so that Python hears of Ctrl-C while it runs.
    """

    def stop() -> bool:
        """Tell CP-SAT to stop, which it does."""
        solver.stop_search()
        return True

    with noticing_interrupt(stop) as interrupted, ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            status = running.result()
        finally:
            # A second Ctrl-C raises here, and the pool waits until the thread has ended.
            solver.stop_search()
    return status, interrupted.is_set()


def _translated(model: pyo.ConcreteModel) -> tuple[cp_model.CpModel, list[tuple[Any, Any]]]:
    """Return the same model for CP-SAT, and pairs of variables."""
    built = cp_model.CpModel()
    columns = {}
    for variable in model.component_data_objects(pyo.Var):
        # Whole variables have no value in what rounding cuts off.
        column = built.new_int_var(ceil(variable.lb), floor(variable.ub), variable.name)
        columns[id(variable)] = column
        if variable.fixed:
            built.add(column == whole(pyo.value(variable)))
    # A fixed variable keeps its value, which must not be set again.
    pairs = [(v, columns[id(v)]) for v in model.component_data_objects(pyo.Var) if not v.fixed]

    def linear(expression: Any) -> Any:
        """Return a linear expression of the same value."""
        terms = generate_standard_repn(expression, compute_values=True)
        names = [columns[id(v)] for v in terms.linear_vars]
        numbers = [whole(number) for number in terms.linear_coefs]
        return cp_model.LinearExpr.weighted_sum(names, numbers) + whole(terms.constant)

    for row in model.component_data_objects(pyo.Constraint, active=True):
        body = linear(row.body)
        if row.lower is not None:
            built.add(body >= whole(pyo.value(row.lower)))
        if row.upper is not None:
            built.add(body <= whole(pyo.value(row.upper)))
    for objective in model.component_data_objects(pyo.Objective, active=True):
        built.minimize(linear(objective.expr))
    return built, pairs


def _largest_activity(built: cp_model.CpModel) -> int:
    """Return the largest sum of coefficients times values in a row or the objective."""
    largest = [max(abs(int(end)) for end in one.domain) for one in built.proto.variables]
    rows = [*(constraint.linear for constraint in built.proto.constraints), built.proto.objective]
    activity = 0
    for row in rows:
        terms = zip(row.vars, row.coeffs, strict=True)
        activity = max(activity, sum(abs(int(number)) * largest[at] for at, number in terms))
    return activity


def whole(number: float) -> int:
    """Return a number as the whole number that it is.

    Raises
    ------
    ValueError
        If it is none.
    """
    if number != int(number):
        raise ValueError(f"expected a whole number, got {number!r}")
    return int(number)
