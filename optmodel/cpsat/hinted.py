"""Run CP-SAT on a model with a hint, and again without where the hint breaks its presolve."""

from ortools.sat.python.cp_model import CpModel, CpSolver, CpSolverSolutionCallback, CpSolverStatus


def run_model(
    solver: CpSolver, model: CpModel, callback: CpSolverSolutionCallback | None = None
) -> CpSolverStatus:
    """Solve a model that may hold a hint.

    The presolve of CP-SAT 9.15 fails with an IndexError where symmetry moves a hinted value out
    of its domain. A hint is only a place to start from, and is given up then.

    Raises
    ------
    IndexError
        If CP-SAT fails without a hint too.
    """
    try:
        return solver.solve(model, callback)
    except IndexError:
        if not model.proto.solution_hint.vars:
            raise
    model.clear_hints()  # type: ignore[no-untyped-call]
    return solver.solve(model, callback)
