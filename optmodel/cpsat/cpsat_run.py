"""Solve the CP-SAT model and hand what it finds to the search."""

from collections.abc import Callable
from fractions import Fraction
from importlib.metadata import version
from math import ceil, isfinite, nextafter

from ortools.sat.python import cp_model

from optmodel.cpsat.cpsat_ticks import CpsatTicks
from optmodel.cpsat.model import CpsatModel
from optmodel.cpsat.objective import minimise_latency, minimise_rejected
from optmodel.ground.rule_errors import OptionError
from optmodel.milp import (
    FeasibilityVerdict,
    Formulation,
    RefutedVerdict,
    find_placement,
    run_in_thread,
    run_milp,
)
from optmodel.placement import Termination
from optmodel.search import Allowance, Search, most_then_fastest

ROUNDING_SHARE = 0.1
"""Share of the asked gap that the length of a tick may use up; the search gets the rest."""
STRATEGIES = 8
"""Workers unless threads are asked for: CP-SAT's strategies help each other even on fewer cores."""
CONFIRMING_S, CONFIRMING_SHARE = 60.0, 0.5
"""Seconds that HiGHS may take to confirm that no more can be served, and their share of the time
that is left if placing as many comes next."""
UNCONFIRMED = "CP-SAT says that {what} cannot be served, which HiGHS has not confirmed"
PROVEN = (cp_model.OPTIMAL, cp_model.INFEASIBLE)


HORIZON_MARGIN = Fraction(1, 10**9)
"""So much longer than the known placement, whose latency is a float, is the horizon."""


def solve_milp_or_cpsat(search: Search, formulation: type[Formulation]) -> Termination:
    """Run the search's solver on a formulation of its problem.

    CP-SAT goes on in its place where a placement refutes what it says.
    """
    try:
        return run_milp(search, formulation)
    except RefutedVerdict:
        if search.left_s <= 0:
            return Termination.TIME_LIMIT
    with search.speaking("cpsat"):
        return solve_cpsat(search)


def solve_cpsat(search: Search) -> Termination:
    """Place the search's problem with CP-SAT; HiGHS is only asked what cannot be served too.

    Raises
    ------
    InputError
        If the problem's numbers exceed what CP-SAT's 64-bit integers hold.
    """
    search.solver, search.solver_version = "cpsat", version("ortools")
    return most_then_fastest(
        search,
        lambda: _serve_most(search),
        lambda: _fastest(search),
        lambda serving: _highs_agrees(search, serving),
    )


def _highs_agrees(search: Search, serving: int | None) -> bool:
    """Ask HiGHS whether as many requests cannot be served as CP-SAT says; None for all.

    Raises
    ------
    ResultError
        If they can.
    """
    search.refuse_contradictions()
    # Placing the most comes next, and needs time too.
    share = 1.0 if serving is None else CONFIRMING_SHARE
    allowance = Allowance.of_seconds(min(share * search.left_s, CONFIRMING_S))
    answer = find_placement(search.problem, allowance, serving)
    if answer.verdict is FeasibilityVerdict.INFEASIBLE:
        return True
    if answer.placement is not None:
        with search.speaking(answer.placed_by):
            search.offer(answer.placement)
        search.refuse_contradictions()
    what = "all requests" if serving is None else f"{serving} requests"
    search.notes.append(UNCONFIRMED.format(what=what))
    return False


def _ticks(search: Search, share: Fraction = Fraction(1)) -> CpsatTicks:
    """Return ticks whose horizon is a share of the known latency.

    None is known until as many requests are placed as can be served.
    """
    horizon_s = None
    if search.objective_s is not None and search.served == search.most_served:
        horizon_s = share * Fraction(search.objective_s) * (1 + HORIZON_MARGIN)
    return CpsatTicks(search.problem, ROUNDING_SHARE * search.options.mip_gap, horizon_s)


def _fastest(search: Search) -> Termination:
    """Minimise latency in ticks as fine as what is found allows.

    While ticks are coarse, a placement that takes half as long is looked for, any to begin with.
    """
    while True:
        while (ticks := _ticks(search)).coarse:
            before_s = search.objective_s
            termination = _halve(search)
            if termination is not Termination.CONVERGED or search.infeasible:
                return termination
            # Nothing takes half as long, so the horizon becomes no shorter, nor do ticks.
            if search.objective_s == before_s:
                break
        termination = _least_latency(search, ticks)
        # Half as long at least, so that rounds come to an end.
        may_gain = not search.closed and 2 * _ticks(search).length_s <= ticks.length_s
        if termination is not Termination.CONVERGED or not may_gain:
            if not search.infeasible:
                search.notes.append(_stated(ticks))
            return termination


def _halve(search: Search) -> Termination:
    """Find a placement that takes half as long as the known one, or prove that there is none.

    Any placement if none is known.
    """
    half = _ticks(search, Fraction(1, 2))
    built = _serving_most(search, half)
    # Without an objective: whatever is placed gives a horizon.
    if half.horizon_s is None:
        return _run(search, built)
    # Rounded down, as durations are: whatever takes half as long is a point of this model, so that
    # "infeasible" is a bound.
    built.model.add(sum(built.variables.T.values()) <= half.of(half.horizon_s))
    return _run(search, built, beyond_s=half.horizon_s)


def _stated(ticks: CpsatTicks) -> str:
    return (
        f"CP-SAT counts time in ticks of {float(ticks.length_s):.3g} s, rounded down: its "
        f"bound is valid and lies at most {float(ticks.lost_s):.3g} s below the true optimum"
    )


def _serve_most(search: Search) -> Termination:
    built = CpsatModel.build(search.problem, _ticks(search), search.options.admission)
    minimise_rejected(built.model, built.variables)
    requests = len(search.problem.tasks)

    def learn(bound: float) -> None:
        """Take a bound on the number of requests left out."""
        # No tolerance as with a MILP solver: CP-SAT bounds a whole number by a whole one.
        search.most_served = min(search.most_served, requests - ceil(bound))

    return _run(search, built, learn)


def _serving_most(search: Search, ticks: CpsatTicks) -> CpsatModel:
    built = CpsatModel.build(search.problem, ticks, search.options.admission)
    built.model.add(sum(built.variables.served.values()) == search.most_served)
    return built


def _least_latency(search: Search, ticks: CpsatTicks) -> Termination:
    built = _serving_most(search, ticks)
    minimise_latency(built.model, built.variables)

    def learn(bound: float) -> None:
        """Take a bound on the latency of what the model holds, in ticks; the rest takes longer."""
        search.raise_bound(_rounded_down(built.ticks.within_horizon(ceil(bound))))

    # Rounding takes the rest of the asked gap.
    return _run(search, built, learn, (1 - ROUNDING_SHARE) * search.options.mip_gap)


def _rounded_down(time_s: Fraction) -> float:
    # The float nearest to an exact time may lie above it.
    rounded = float(time_s)
    return rounded if Fraction(rounded) <= time_s else nextafter(rounded, 0.0)


class _OfferingCallback(cp_model.CpSolverSolutionCallback):
    """Offers every improving solution to the search."""

    def __init__(self, search: Search, built: CpsatModel) -> None:
        super().__init__()
        self._search = search
        self._built = built

    def on_solution_callback(self) -> None:
        """Offer the solution that CP-SAT has just found."""
        self._search.offer(self._built.placement(self.value))


def _run(
    search: Search,
    built: CpsatModel,
    learn: Callable[[float], None] | None = None,
    gap: float = 0.0,
    beyond_s: Fraction | None = None,
) -> Termination:
    """Solve once.

    `learn` hears of every bound on the objective, None for a model without one; `beyond_s` is what
    the latency exceeds if the model is infeasible, None if there is no placement at all then.
    """
    _require_valid(built.model)
    if search.incumbent is not None:
        built.hint(search.incumbent)
    solver = _solver(search, gap)
    if learn is not None:
        solver.best_bound_callback = learn
    callback = _OfferingCallback(search, built)
    status, interrupted = run_in_thread(solver, lambda: built.solve(solver, callback))
    if status == cp_model.INFEASIBLE and beyond_s is not None:
        search.raise_bound(_rounded_down(beyond_s))
    elif status == cp_model.INFEASIBLE:
        search.infeasible = True
    # A bound of 0 says nothing, unless it is the optimum.
    elif learn is not None and (solver.best_objective_bound > 0 or status == cp_model.OPTIMAL):
        learn(solver.best_objective_bound)
    if interrupted:
        return Termination.INTERRUPTED
    # Without a time limit CP-SAT ends with a proof, or something is wrong.
    if status in PROVEN:
        return Termination.CONVERGED
    return Termination.TIME_LIMIT if isfinite(search.left_s) else Termination.ERROR


def _require_valid(model: cp_model.CpModel) -> None:
    complaint = model.validate()
    if complaint:
        first = complaint.splitlines()[0]
        raise OptionError(
            "method",
            "expected costs and budgets within 64-bit whole numbers for cpsat, got a model that "
            f"CP-SAT refuses ({first}); use count",
        )


def _solver(search: Search, gap: float) -> cp_model.CpSolver:
    options = search.options
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    # Python hears of Ctrl-C, and tells CP-SAT (`run_in_thread`).
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
