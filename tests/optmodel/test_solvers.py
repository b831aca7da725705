"""Solvers: what they say is mapped exactly, Ctrl-C keeps the incumbent, options reach them."""

import signal

import pyomo.environ as pyo
import pytest
from pyomo.contrib.solver.solvers.highs import Highs

from instances.generate import Recipe, generate
from optmodel.ground.rule_errors import InputError
from optmodel.milp.solvers import run_solver
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

SOLVERS = ("highs", "scip", "cbc")
every_solver = pytest.mark.parametrize("solver", SOLVERS)


def knapsack(capacity: float) -> pyo.ConcreteModel:
    """Pay 10 minus the values taken: at capacity 4 the best is to take 3 and 1, paying 10 - 7."""
    model = pyo.ConcreteModel()
    model.take = pyo.Var([1, 2, 3], domain=pyo.Binary)
    model.weight = pyo.Constraint(expr=sum(k * model.take[k] for k in (1, 2, 3)) <= capacity)
    model.cost = pyo.Objective(expr=10 - 2 * model.take[1] - 3 * model.take[2] - 5 * model.take[3])
    return model


@every_solver
def test_an_optimum_has_status_and_bound(solver):
    model = knapsack(4)
    run = run_solver(model, SolverOptions(solver))
    assert (run.termination, run.status) == (Termination.CONVERGED, SolutionStatus.OPTIMAL)
    assert run.bound == pytest.approx(3)
    assert [round(model.take[k].value) for k in (1, 2, 3)] == [1, 0, 1]


@every_solver
def test_infeasibility_is_proven_and_has_no_bound(solver):
    run = run_solver(knapsack(-1), SolverOptions(solver))
    assert (run.termination, run.status) == (Termination.CONVERGED, SolutionStatus.INFEASIBLE)


@every_solver
def test_seed_threads_and_presolve_reach_the_solver(solver):
    options = SolverOptions(solver, threads=1, seed=5, presolve=False)
    assert run_solver(knapsack(4), options).bound == pytest.approx(3)


def test_a_solver_that_is_not_installed_is_refused():
    with pytest.raises(InputError, match="got 'abacus'"):
        run_solver(knapsack(4), SolverOptions("abacus"))


HARD = generate(Recipe(("lenet",), "mixed", 4, 0.8, requests=4), "hard")


@every_solver
def test_a_time_limit_gives_what_is_known_and_nothing_else(solver):
    solution = solve(HARD, "segment", SolverOptions(solver, time_limit_s=4))
    assert solution.termination is Termination.TIME_LIMIT
    assert solution.solution_status in (SolutionStatus.FEASIBLE, SolutionStatus.NONE)
    if solution.objective_s is not None and solution.bound_s is not None:
        assert solution.bound_s < solution.objective_s
        assert solution.gap == pytest.approx(solution.objective_s / solution.bound_s - 1)
    else:
        assert solution.gap is None


def test_ctrl_c_keeps_the_incumbent_and_the_bound(monkeypatch):
    """The signal is raised at HiGHS's first incumbent, as if the user had pressed Ctrl-C then."""
    solve_as_before = Highs._solve

    def interrupted_at_first_incumbent(self):
        self._solver_model.cbMipImprovingSolution += lambda _: signal.raise_signal(signal.SIGINT)
        return solve_as_before(self)

    monkeypatch.setattr(Highs, "_solve", interrupted_at_first_incumbent)
    monkeypatch.setattr("optmodel.solving.offer_start", lambda _: None)
    handler = signal.getsignal(signal.SIGINT)
    solution = solve(HARD, "segment")
    assert solution.termination is Termination.INTERRUPTED
    assert solution.solution_status is SolutionStatus.FEASIBLE
    assert solution.objective_s > solution.bound_s > 0
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_before_an_incumbent_leaves_the_start_and_claims_no_bound(monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Highs, "_solve", interrupted)
    solution = solve(HARD, "segment")
    assert solution.termination is Termination.INTERRUPTED
    assert solution.solution_status is SolutionStatus.FEASIBLE
    assert (solution.bound_s, solution.gap) == (None, None)


def test_the_same_seed_gives_the_same_placement():
    instance = generate(Recipe(("lenet",), "mixed", 5, 0.6), "seeded")
    first, second = (solve(instance, "segment", SolverOptions(seed=7)) for _ in range(2))
    assert first.placement == second.placement


def faster(instance, factor: float):
    """Return the instance with every speed and rate multiplied, and budgets that still suffice."""
    changes = {
        field: tuple(
            node.model_copy(
                update={
                    "compute_mult_per_s": node.compute_mult_per_s * factor,
                    "rate_bits_per_s": node.rate_bits_per_s * factor,
                }
            )
            for node in getattr(instance, field)
        )
        for field in ("devices", "sources")
    }
    return instance.model_copy(update=changes)


@every_solver
@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e6, 1e9])
def test_a_faster_fleet_has_the_same_placement_in_less_time(solver, factor):
    """Solvers' tolerances are absolute: the model must count time in a unit that fits."""
    instance = faster(generate(Recipe(("lenet",), "mixed", 3, 0.8), "scaled"), factor)
    solution = solve(instance, "segment", SolverOptions(solver))
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s * factor * 1e3 == pytest.approx(1.530664, abs=1e-6)
    assert solution.bound_s * factor * 1e3 == pytest.approx(1.530664, abs=3e-6)


def test_a_solver_that_dies_is_an_error_and_claims_nothing(tmp_path, monkeypatch):
    """A program that stands in for CBC and fails at once."""
    broken = tmp_path / "cbc"
    broken.write_text("#!/bin/sh\necho 'CBC 2.10.8'\nexit 139\n")
    broken.chmod(0o755)
    monkeypatch.setattr(
        "optmodel.milp.solvers._beside_python", lambda _: {"executable": str(broken)}
    )
    run = run_solver(knapsack(4), SolverOptions("cbc"))
    assert (run.termination, run.status) == (Termination.ERROR, SolutionStatus.NONE)
    assert run.bound is None
