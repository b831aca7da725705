"""Solve an instance exactly: build a formulation, run a solver, check what it returns."""

import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from optmodel.count import CountModel
from optmodel.files import InputError, write_text
from optmodel.formulation import Formulation
from optmodel.infeasible import reasons_infeasible
from optmodel.instance import Instance
from optmodel.problem import Problem
from optmodel.segment import SegmentModel
from optmodel.solution import (
    ResultError,
    Solution,
    SolutionStatus,
    Termination,
    relative_gap,
)
from optmodel.solvers import SolverOptions, SolverRun, run_solver
from optmodel.translate import to_document
from optmodel.verified import digest, with_placement

BOUND_TOLERANCE = 1e-6
"""How far, relatively, a solver's float bound may lie above the exact latency it belongs to."""


FORMULATIONS: dict[str, type[Formulation]] = {"segment": SegmentModel, "count": CountModel}
"""Formulations by the name that `--method` takes."""


def solve(
    instance: Instance, method: str = "segment", options: SolverOptions | None = None
) -> Solution:
    """Find a placement of least latency, or prove that there is none.

    Parameters
    ----------
    instance : Instance
        What is to be placed.
    method : str
        A key of `FORMULATIONS`.
    options : SolverOptions, optional
        Solver, limits, gap.

    Returns
    -------
    Solution
        Its placement has passed the checker and its objective is recomputed exactly. A time
        limit or Ctrl-C gives the incumbent and the bound.

    Raises
    ------
    InputError
        If the solver is not installed or lacks an option.
    ResultError
        If the solver's placement or bound is wrong.
    """
    options = options or SolverOptions()
    start = time.perf_counter()
    problem = Problem.of(instance)
    reasons = reasons_infeasible(problem)
    if reasons:
        empty = _describe(instance, method, options, start)
        proven = {"reasons": reasons, "solver": None, "solver_version": None}
        return empty.model_copy(update=proven | {"phases_s": {"build": empty.wall_time_s}})
    formulation = FORMULATIONS[method].build(problem)
    built = time.perf_counter()
    run = run_solver(formulation.pyomo_model, _with_time_left(options, start))
    solved = time.perf_counter()
    solution = _describe(instance, method, options, start, run)
    if run.status in (SolutionStatus.OPTIMAL, SolutionStatus.FEASIBLE):
        document = to_document(problem, formulation.placement())
        solution = with_placement(solution, instance, document)
    checked = time.perf_counter()
    phases = {"build": built - start, "solve": solved - built, "check": checked - solved}
    solution = solution.model_copy(update={"phases_s": phases})
    return _with_bound(solution, run, problem.time_unit_s, options.mip_gap)


def export_lp(instance: Instance, method: str, path: Path) -> None:
    """Write the model of a formulation as an LP file, with the names of its formulation.

    Raises
    ------
    InputError
        If a layer has no host, so that there is no model.
    """
    problem = Problem.of(instance)
    if any(task.unattainable for task in problem.tasks):
        raise InputError(
            f"--lp: expected an instance whose layers all have a host, got '{instance.name}', "
            f"where {reasons_infeasible(problem)[0]}; raise the tolerance or leave --lp out"
        )
    model = FORMULATIONS[method].build(problem).pyomo_model
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "model.lp"
        model.write(str(written), io_options={"symbolic_solver_labels": True})
        write_text(path, written.read_text(encoding="utf-8"))


def _with_time_left(options: SolverOptions, start: float) -> SolverOptions:
    if options.time_limit_s is None:
        return options
    left = options.time_limit_s - (time.perf_counter() - start)
    return replace(options, time_limit_s=max(left, 0.01))


def _describe(
    instance: Instance,
    method: str,
    options: SolverOptions,
    start: float,
    run: SolverRun | None = None,
) -> Solution:
    """Return a solution without placement; without a run, one that arithmetic proves infeasible."""
    return Solution(
        instance=instance.name,
        instance_sha256=digest(instance),
        method=method,
        solver=options.solver,
        solver_version=run.version if run else None,
        options=asdict(options),
        termination=run.termination if run else Termination.CONVERGED,
        solution_status=run.status if run else SolutionStatus.INFEASIBLE,
        objective_s=None,
        bound_s=None,
        gap=None,
        wall_time_s=time.perf_counter() - start,
        placement=None,
    )


def _with_bound(solution: Solution, run: SolverRun, time_unit_s: float, mip_gap: float) -> Solution:
    """Return the solution with bound and gap, and call it optimal only if the gap says so."""
    if solution.solution_status is SolutionStatus.INFEASIBLE:
        return solution
    if run.bound is None:
        unproven = solution.solution_status is SolutionStatus.OPTIMAL
        return solution.model_copy(
            update={"solution_status": SolutionStatus.FEASIBLE} if unproven else {}
        )
    bound, objective = max(run.bound * time_unit_s, 0.0), solution.objective_s
    if objective is not None and bound > objective:
        if bound > objective * (1 + BOUND_TOLERANCE):
            raise ResultError(
                f"{solution.solver} claims the bound {bound!r} s, but its own placement takes "
                f"{objective!r} s"
            )
        bound = objective
    asked = mip_gap + BOUND_TOLERANCE
    proven = objective is not None and objective - bound <= asked * objective
    status = solution.solution_status
    if status is SolutionStatus.OPTIMAL and not proven:
        status = SolutionStatus.FEASIBLE
    gap = relative_gap(objective, bound)
    return solution.model_copy(update={"bound_s": bound, "gap": gap, "solution_status": status})
