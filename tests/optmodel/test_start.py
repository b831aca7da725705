"""A start reaches the engine, and its progress reaches the search."""

from itertools import pairwise

import pyomo.environ as pyo
import pytest
import reference
from assigned import place
from engines import QUICK, Engine, quick_engines
from hypothesis import assume, given
from ortools.sat.python import cp_model
from strategies import (
    act,
    by_hand,
    clashing,
    conv,
    examples,
    fc,
    instance,
    instances,
    network,
    node,
    ssim_row,
)

from instances.generate import Recipe, generate
from optmodel.cpsat import CpsatModel, CpsatTicks
from optmodel.cpsat.objective import minimise_latency
from optmodel.milp.count import CountModel
from optmodel.milp.formulation import Formulation
from optmodel.milp.highs import Watcher
from optmodel.milp.segment import SegmentModel
from optmodel.milp.solvers import run_solver
from optmodel.placement.evaluate import evaluate
from optmodel.placement.named_placement import from_document
from optmodel.placement.placement import Placement
from optmodel.placement.solution import Solution, SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, Request
from optmodel.problem.ssim import SsimTable
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search
from optmodel.solving import METHODS

every_formulation = pytest.mark.parametrize("formulation", [SegmentModel, CountModel])

LENET = generate(Recipe(("lenet",), "mixed", 4, 0.8), "lenet")
PROBLEM = Problem.of(LENET)
OPTIMUM_S = 0.0012170593984962405


@pytest.fixture(scope="module")
def optimum() -> Placement:
    return from_document(PROBLEM, QUICK[1].solve(LENET).placement)


def best_placement(made: Instance) -> tuple[Problem, Placement]:
    best = reference.best(made)
    assume(best is not None)
    problem = Problem.of(made)
    return problem, place(problem, best.assignment)


def assert_satisfies_everything(model: pyo.ConcreteModel) -> None:
    for constraint in model.component_data_objects(pyo.Constraint, active=True):
        assert constraint.slack() >= -1e-9, constraint.name
    for variable in model.component_data_objects(pyo.Var):
        assert variable.is_continuous() or variable.value == int(variable.value), variable.name
        assert variable.lb is None or variable.value >= variable.lb, variable.name
        assert variable.ub is None or variable.value <= variable.ub, variable.name


@every_formulation
@examples(30)
@given(instances())
def test_an_optimum_satisfies_every_constraint(formulation: type[Formulation], made: Instance):
    problem, placement = best_placement(made)
    built = formulation.build(problem)
    built.set_values(placement)
    assert_satisfies_everything(built.pyomo_model)
    latency = evaluate(problem, placement).latency_s
    assert pyo.value(built.pyomo_model.latency) * problem.time_unit_s == pytest.approx(latency)
    assert evaluate(problem, built.placement()).latency_s == latency


@every_formulation
@pytest.mark.parametrize("left_out", ["r1", "r2"])
def test_so_does_one_that_leaves_a_request_out(formulation: type[Formulation], left_out: str):
    made = clashing()
    alone = made.model_copy(
        update={"requests": tuple(r for r in made.requests if r.id != left_out)}
    )
    problem = Problem.of(made)
    placement = Placement(place(Problem.of(alone), reference.best(alone).assignment).requests)
    built = formulation.build(problem, "most")
    built.set_values(placement)
    assert_satisfies_everything(built.pyomo_model)
    assert set(built.placement().requests) == set(placement.requests)


@every_formulation
def test_a_wrong_placement_does_not(formulation: type[Formulation]):
    problem = Problem.of(by_hand())
    plan = dict(reference.best(by_hand()).assignment)
    plan["r1"] = tuple(("a",) * len(v) if k == 2 else v for k, v in enumerate(plan["r1"]))
    built = formulation.build(problem)
    built.set_values(place(problem, plan))
    with pytest.raises(AssertionError):
        assert_satisfies_everything(built.pyomo_model)


@examples(30)
@given(instances())
def test_a_hint_satisfies_every_constraint_of_cpsat(made: Instance):
    problem, placement = best_placement(made)
    built = CpsatModel.build(problem, CpsatTicks(problem, 1e-7))
    built.hint(placement)
    solver = cp_model.CpSolver()
    solver.parameters.fix_variables_to_their_hinted_value = True
    solver.parameters.num_workers = 1
    assert solver.solve(built.model) == cp_model.OPTIMAL
    latency = evaluate(problem, placement).latency_s
    assert evaluate(problem, built.placement(solver.value)).latency_s == latency


@every_formulation
def test_highs_stops_at_the_start_when_any_solution_will_do(
    formulation: type[Formulation], optimum: Placement
):
    """At a gap of 100 % its own first solution serves as well, and is far worse."""
    first_s: dict[bool, float] = {}
    heard_s: list[float] = []
    for start in (True, False):
        built = formulation.build(PROBLEM)
        if start:
            built.set_values(optimum)
        model = built.pyomo_model

        def improved(model: pyo.ConcreteModel = model) -> None:
            heard_s.append(pyo.value(model.latency) * PROBLEM.time_unit_s)

        run_solver(model, SolverOptions(mip_gap=1.0), start, Watcher(improved, lambda _: None))
        first_s[start] = evaluate(PROBLEM, built.placement()).latency_s
    assert first_s[True] == pytest.approx(OPTIMUM_S)
    assert heard_s[0] == pytest.approx(OPTIMUM_S)
    assert first_s[False] > OPTIMUM_S * 1.05


def test_cpsat_finds_the_hint_first(optimum: Placement):
    first_s = {}
    for hinted in (True, False):
        built = CpsatModel.build(PROBLEM, CpsatTicks(PROBLEM, 1e-7))
        minimise_latency(built.model, built.variables)
        if hinted:
            built.hint(optimum)
        solver = cp_model.CpSolver()
        solver.parameters.stop_after_first_solution = True
        solver.parameters.num_workers = 1
        solver.solve(built.model)
        first_s[hinted] = evaluate(PROBLEM, built.placement(solver.value)).latency_s
    assert first_s[True] == pytest.approx(OPTIMUM_S)
    assert first_s[False] > OPTIMUM_S * 1.05


@quick_engines
def test_the_search_starts_from_its_incumbent(engine: Engine, optimum: Placement):
    """With the optimum known, all that is left to find is the bound."""
    search = Search(PROBLEM.instance, SolverOptions(mip_gap=1e-4))
    assert search.offer(optimum)
    METHODS[engine.method](search)
    assert search.closed
    assert {point.incumbent_s for point in search.trace} == {search.objective_s}
    assert search.objective_s == pytest.approx(OPTIMUM_S)


@quick_engines
def test_the_trace_tells_every_improvement(engine: Engine):
    solution: Solution = engine.solve(LENET)
    trace = solution.trace
    assert len(trace) >= 2
    assert trace[-1].incumbent_s == pytest.approx(solution.objective_s)
    assert trace[-1].bound_s == pytest.approx(solution.bound_s)
    for before, after in pairwise(trace):
        assert before.time_s <= after.time_s
        better = (
            after.incumbent_s is not None
            and (before.incumbent_s is None or after.incumbent_s < before.incumbent_s)
        ) or (
            after.bound_s is not None and (before.bound_s is None or after.bound_s > before.bound_s)
        )
        assert better
    known = [p for p in trace if p.incumbent_s is not None and p.bound_s is not None]
    assert known
    assert all(p.bound_s <= p.incumbent_s * (1 + 1e-6) for p in known)


def test_a_start_that_presolve_improves_does_not_come_back_as_the_optimum():
    """HiGHS 1.16 closes the gap at the improved start, and returns the start as it was given."""
    layers = [
        conv("conv0", (1, 1), (1, 1), "row"),
        act("act1", 1, (1, 1), "row"),
        fc("fc2", 1, (1, 1)),
        fc("fc3", 1, (1, 1)),
    ]
    other = [conv("conv0", (1, 2), (1, 1), "row"), fc("fc1", 2, (2, 1)), fc("fc2", 1, (1, 1))]
    made = instance(
        [node("a", 1000.0, 2000.0), node("b", 1000.0, 1000.0), node("c", 1000.0, 1000.0)],
        [node("camera", 1000.0, 1000.0)],
        [network("net0", (1, 1, 1), layers), network("net1", (1, 1, 1), other)],
        [
            Request(id=f"r{k}", source="camera", network=f"net{k}", tolerated_ssim=0.45)
            for k in (0, 1)
        ],
        SsimTable(source="made up", slack=0.0, rows=(ssim_row("row", {1: 0.2, 2: 0.2}),)),
    )
    solution = QUICK[1].solve(made, admission="most")
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s == pytest.approx(float(reference.best(made).latency_s), rel=1e-9)
