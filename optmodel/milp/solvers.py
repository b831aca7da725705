"""Drive any MILP solver that Pyomo knows, and map what it says exactly.

Pyomo has two solver interfaces. The newer one reports incumbent and bound uniformly and is tried
first; solvers that only the older one drives, such as CBC, are reached through that.
"""

import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import highspy
import pyomo.environ as pyo
from pyomo.common.errors import ApplicationError
from pyomo.contrib.solver.common import factory

from optmodel.ground.interrupt import noticing_interrupt
from optmodel.ground.rule_errors import OptionError
from optmodel.milp.highs import WatchedHighs, Watcher
from optmodel.placement import SolutionStatus, Termination
from optmodel.search import SolverOptions


@dataclass(frozen=True)
class SolverRun:
    """What a solver said.

    The Pyomo model holds the values if a placement was found. The bound is one from below in units
    of its objective, None when unknown. So is the version of a program that only the older
    interface drives: there Pyomo guesses it from the first number that the program prints.
    """

    termination: Termination
    status: SolutionStatus
    bound: float | None
    version: str | None


@dataclass(frozen=True)
class OptionNames:
    """What a solver calls the options that Pyomo does not name uniformly.

    None if the solver lacks the option; `no_presolve` are settings that turn presolve off.
    """

    gap: str | None = None
    threads: str | None = None
    seed: str | None = None
    no_presolve: dict[str, str | int] = field(default_factory=dict)


OPTION_NAMES = {
    "highs": OptionNames(seed="random_seed", no_presolve={"presolve": "off"}),
    "scip_direct": OptionNames(
        seed="randomization/randomseedshift",
        no_presolve={"presolving/maxrounds": 0, "propagating/maxroundsroot": 0},
    ),
    "gurobi_direct": OptionNames(seed="Seed", no_presolve={"Presolve": 0}),
    "cbc": OptionNames(
        gap="ratioGap",
        threads="threads",
        seed="randomCbcSeed",
        no_presolve={"preprocess": "off", "presolve": "off"},
    ),
    "glpk": OptionNames(gap="mipgap"),
    "cplex": OptionNames(
        gap="mip_tolerances_mipgap",
        threads="threads",
        seed="randomseed",
        no_presolve={"preprocessing_presolve": "n"},
    ),
}

_ENDINGS = {
    "convergenceCriteriaSatisfied": Termination.CONVERGED,
    "optimal": Termination.CONVERGED,
    "provenInfeasible": Termination.CONVERGED,
    "infeasible": Termination.CONVERGED,
    # The objective is at least 0, so an "infeasible or unbounded" model is infeasible.
    "infeasibleOrUnbounded": Termination.CONVERGED,
    "maxTimeLimit": Termination.TIME_LIMIT,
    "interrupted": Termination.INTERRUPTED,
    "userInterrupt": Termination.INTERRUPTED,
}
"""What the conditions of both interfaces mean, by their names; all others are errors."""
_INFEASIBLE = ("provenInfeasible", "infeasible", "infeasibleOrUnbounded")


def require_solver(name: str) -> None:
    """Refuse a solver that is not installed.

    Raises
    ------
    InputError
        If Pyomo does not know the solver or cannot start it.
    """
    _find(name)


def run_solver(
    model: pyo.ConcreteModel,
    options: SolverOptions,
    start: bool = False,
    watcher: Watcher | None = None,
) -> SolverRun:
    """Solve a MILP; on return the model holds the best solution found, if any.

    Ctrl-C ends the run; what the solver had found by then is kept where it hands it over.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        The MILP.
    options : SolverOptions
        Solver, limits and gap.
    start : bool
        Whether the model's variables hold a solution to start from; HiGHS alone takes it.
    watcher : Watcher, optional
        Who hears of solutions and bounds while HiGHS runs; other solvers tell at the end.

    Raises
    ------
    InputError
        If the solver is not installed or lacks an option that is asked for.
    """
    name, solver, newer = _find(options.solver)
    if name == "highs":
        # Pyomo's own interface takes no start, and tells nothing while HiGHS runs.
        solver = WatchedHighs()
        solver.start, solver.watcher = start, watcher

    def stop() -> bool:
        """Tell HiGHS to stop; any other solver cannot be told."""
        highs = getattr(solver, "_solver_model", None)
        if not isinstance(highs, highspy.Highs):
            return False
        highs.cancelSolve()  # type: ignore[no-untyped-call]
        return True

    with noticing_interrupt(stop) as interrupted:
        try:
            run = _run_newer if newer else _run_older
            found = run(model, name, solver, options)
        except KeyboardInterrupt:
            found = SolverRun(Termination.INTERRUPTED, SolutionStatus.NONE, None, None)
    # Even if the solver ended by itself just then: whoever runs it next must hear of it.
    return replace(found, termination=Termination.INTERRUPTED) if interrupted.is_set() else found


def _find(name: str) -> tuple[str, Any, bool]:
    """Return the solver's full name, the solver, and whether it has the newer interface."""
    # The newer interface has scip and gurobi under this ending.
    for full_name in (name, f"{name}_direct"):
        if full_name in factory.SolverFactory:
            solver = factory.SolverFactory(full_name)
            if solver.available():
                return full_name, solver, True
    if name in pyo.SolverFactory:
        solver = pyo.SolverFactory(name, **_beside_python(name))
        if solver.available(exception_flag=False):
            return name, solver, False
    raise OptionError(
        "solver",
        f"expected a MILP solver that Pyomo can drive and that is installed, got '{name}'; use "
        "highs, or install it (scip: pip install pyscipopt, cbc: pip install cbcbox)",
    )


def _beside_python(name: str) -> dict[str, str]:
    """Return where a solver's program stands if pip put it into this environment."""
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    return {"executable": program} if program else {}


def _settings(name: str, options: SolverOptions) -> dict[str, Any]:
    """Return the solver's own names and values for seed and presolve."""
    names = OPTION_NAMES.get(name, OptionNames())
    settings: dict[str, Any] = {}
    if options.seed is not None:
        settings[_required(names.seed, name, "seed")] = options.seed
    if not options.presolve:
        if not names.no_presolve:
            _required(None, name, "presolve")
        settings.update(names.no_presolve)
    return settings


def _required(option: str | None, solver: str, field: str) -> str:
    if option is None:
        raise OptionError(
            field,
            f"expected an option of solver '{solver}', got one that it does not have or that is "
            "not in OPTION_NAMES; leave it out or use highs",
        )
    return option


def _run_newer(
    model: pyo.ConcreteModel, name: str, solver: Any, options: SolverOptions
) -> SolverRun:
    config = solver.config
    # Loaded below, where there is one.
    config.load_solutions = False
    # Else Pyomo raises before it has filled in incumbent and bound.
    config.raise_exception_on_nonoptimal_result = False
    config.time_limit = options.time_limit_s
    config.rel_gap = options.mip_gap
    config.threads = options.threads
    for key, value in _settings(name, options).items():
        config.solver_options[key] = value
    if name == "highs":
        _set_highs_threads(options.threads)
    found = solver.solve(model)
    has_solution = found.incumbent_objective is not None
    if has_solution:
        found.solution_loader.load_vars()
    termination, status = _ending(found.termination_condition.name, has_solution)
    version = ".".join(str(part) for part in solver.version())
    return SolverRun(termination, status, _finite(found.objective_bound), version)


TOLERANCE = 1e-5
"""Absolute; the checker has the last word on what passes."""

_highs_threads: int | None = None
"""Threads that HiGHS's scheduler, one per process, was started with; None for its default."""


def _set_highs_threads(threads: int | None) -> None:
    """Stop HiGHS's threads if the next run asks for another number; it starts them anew."""
    global _highs_threads
    if threads != _highs_threads:
        # Waits until its threads have ended.
        highspy.Highs.resetGlobalScheduler(True)
        _highs_threads = threads


def _run_older(
    model: pyo.ConcreteModel, name: str, solver: Any, options: SolverOptions
) -> SolverRun:
    names = OPTION_NAMES.get(name, OptionNames())
    settings = _settings(name, options)
    # A solver without a name for it keeps its own gap, unless one was asked for.
    if names.gap or options.mip_gap != SolverOptions.mip_gap:
        settings[_required(names.gap, name, "mip_gap")] = options.mip_gap
    if options.threads is not None:
        settings[_required(names.threads, name, "threads")] = options.threads
    solver.options.update(settings)
    limit = {} if options.time_limit_s is None else {"timelimit": options.time_limit_s}
    try:
        found = solver.solve(model, load_solutions=False, **limit)
    except ApplicationError:
        return SolverRun(Termination.ERROR, SolutionStatus.NONE, None, None)
    if len(found.solution) > 0:
        model.solutions.load_from(found)
    has_solution = len(found.solution) > 0 and _holds_a_solution(model)
    termination, status = _ending(found.solver.termination_condition.name, has_solution)
    bound = _finite(found.problem.lower_bound)
    if bound is None and status is SolutionStatus.OPTIMAL:
        # CBC's bound gets lost when it stops at the asked gap, which is what "optimal" then means.
        [objective] = model.component_data_objects(pyo.Objective, active=True)
        bound = pyo.value(objective) - options.mip_gap * abs(pyo.value(objective))
    return SolverRun(termination, status, bound, None)


def _holds_a_solution(model: pyo.ConcreteModel) -> bool:
    """Tell whether the model's values are whole and feasible: CBC, stopped, may return neither."""
    variables = list(model.component_data_objects(pyo.Var))
    complete = all(variable.value is not None for variable in variables)
    return (
        complete
        and all(v.is_continuous() or abs(v.value - round(v.value)) <= TOLERANCE for v in variables)
        and all(
            constraint.slack() >= -TOLERANCE
            for constraint in model.component_data_objects(pyo.Constraint, active=True)
        )
    )


def _ending(condition: str, has_solution: bool) -> tuple[Termination, SolutionStatus]:
    """Return why a solver stopped and what it found, by the name of Pyomo's condition."""
    termination = _ENDINGS.get(condition, Termination.ERROR)
    if condition in _INFEASIBLE:
        return termination, SolutionStatus.INFEASIBLE
    if not has_solution:
        return termination, SolutionStatus.NONE
    proven = termination is Termination.CONVERGED
    return termination, SolutionStatus.OPTIMAL if proven else SolutionStatus.FEASIBLE


def _finite(bound: object) -> float | None:
    """Return a bound as a float, None if the solver gave none."""
    # Pyomo and the solvers write infinity as inf or as 1e20 and more.
    if not isinstance(bound, int | float) or not abs(bound) < 1e20:
        return None
    return float(bound)
