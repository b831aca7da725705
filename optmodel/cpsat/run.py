"""Solve the CP-SAT model and hand what it finds to the search."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from math import ceil, isfinite

from ortools.sat.python import cp_model

from optmodel.admission import most_then_fastest
from optmodel.cpsat.model import CpsatModel
from optmodel.cpsat.objective import minimise_latency, minimise_rejected
from optmodel.files import InputError
from optmodel.interrupt import noticing_interrupt
from optmodel.search import Search
from optmodel.solution import Termination

ROUNDING_SHARE = 0.1
"""Share of the asked gap that the length of a tick may use up; the search gets the rest."""
STRATEGIES = 8
"""Workers without `--threads`: CP-SAT's strategies complement each other even on fewer cores."""
PROVEN = (cp_model.OPTIMAL, cp_model.INFEASIBLE)


def solve_cpsat(search: Search) -> Termination:
    """Place the search's problem with CP-SAT; no other solver is used.

    Raises
    ------
    InputError
        If the problem's numbers exceed what CP-SAT's 64-bit integers hold.
    """
    options = search.options
    accuracy = ROUNDING_SHARE * options.mip_gap
    built = CpsatModel.build(search.problem, options.admission, accuracy)
    search.solver, search.solver_version = "cpsat", version("ortools")
    search.notes.append(
        f"CP-SAT counts time in ticks of {float(built.ticks.length_s):.3g} s, rounded down: its "
        f"bound is valid and lies at most {float(built.ticks.lost_s):.3g} s below the true optimum"
    )
    return most_then_fastest(
        search, lambda: _serve_most(search, built), lambda: _least_latency(search, built)
    )


def _serve_most(search: Search, built: CpsatModel) -> Termination:
    minimise_rejected(built.model, built.variables)
    requests = len(search.problem.tasks)

    def learn(bound: float) -> None:
        """Take a bound on the number of requests left out."""
        search.most_served = min(search.most_served, requests - ceil(bound))

    return _run(search, built, learn, gap=0.0)


def _least_latency(search: Search, built: CpsatModel) -> Termination:
    built.model.add(sum(built.variables.served.values()) == search.most_served)
    minimise_latency(built.model, built.variables)

    def learn(bound: float) -> None:
        """Take a bound on the latency, in ticks."""
        search.raise_bound(float(ceil(bound) * built.ticks.length_s))

    return _run(search, built, learn, (1 - ROUNDING_SHARE) * search.options.mip_gap)


class _Offering(cp_model.CpSolverSolutionCallback):
    """Offers every improving solution to the search."""

    def __init__(self, search: Search, built: CpsatModel) -> None:
        super().__init__()
        self._search = search
        self._built = built

    def on_solution_callback(self) -> None:
        """Offer the solution that CP-SAT has just found."""
        self._search.offer(self._built.placement(self.value))


def _run(
    search: Search, built: CpsatModel, learn: Callable[[float], None], gap: float
) -> Termination:
    """Solve once; `learn` hears of every bound on the objective."""
    _require_valid(built.model)
    if search.incumbent is not None:
        built.hint(search.incumbent)
    solver = _solver(search, gap)
    solver.best_bound_callback = learn

    def stop() -> bool:
        """Tell CP-SAT to stop, which it does."""
        solver.stop_search()
        return True

    # In a thread of its own, so that Python hears of Ctrl-C while it runs.
    with noticing_interrupt(stop) as interrupted, ThreadPoolExecutor(1) as pool:
        running = pool.submit(solver.solve, built.model, _Offering(search, built))
        try:
            status = running.result()
        finally:
            solver.stop_search()
    if status == cp_model.INFEASIBLE:
        search.infeasible = True
    elif solver.best_objective_bound > 0 or status == cp_model.OPTIMAL:
        learn(solver.best_objective_bound)
    if interrupted.is_set():
        return Termination.INTERRUPTED
    if status in PROVEN:
        return Termination.CONVERGED
    return Termination.TIME_LIMIT if isfinite(search.left_s) else Termination.ERROR


def _require_valid(model: cp_model.CpModel) -> None:
    complaint = model.validate()
    if complaint:
        first = complaint.splitlines()[0]
        raise InputError(
            f"--method cpsat: expected costs and budgets within 64-bit whole numbers, got a model "
            f"that CP-SAT refuses ({first}); use --method count"
        )


def _solver(search: Search, gap: float) -> cp_model.CpSolver:
    options = search.options
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.catch_sigint_signal = False
    parameters.relative_gap_limit = gap
    parameters.cp_model_presolve = options.presolve
    if isfinite(search.left_s):
        parameters.max_time_in_seconds = max(search.left_s, 0.01)
    parameters.num_workers = options.threads or STRATEGIES
    if options.seed is not None:
        # Workers race, and who wins depends on the machine; only one alone repeats itself.
        parameters.random_seed, parameters.num_workers = options.seed, 1
    return solver
