"""Budgets that are met exactly, or missed by a unit, are judged right, however large they are.

Two helpers share the segments of two convs and the first fc. Amounts have hardly a common divisor,
and budgets are what some split takes, or a little less, so that a unit is less than the tolerance
of a solver in floats. Brute force over the splits tells the truth.
"""

import random
from itertools import product

import pyomo.environ as pyo
import pytest
import strategies
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from places import CASES
from pyomo.repn import generate_standard_repn

from optmodel.explain import FeasibilityVerdict, explain
from optmodel.milp.budget_rows import add_budget_rows, cut_off_broken, set_carries
from optmodel.milp.feasibility import FeasibilityModel
from optmodel.milp.highs import Watcher
from optmodel.milp.second_opinion import second_opinion
from optmodel.milp.solvers import run_solver
from optmodel.placement.named_placement import from_document
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, Request, read_instance
from optmodel.problem.ssim import SsimTable
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search
from optmodel.solving import solve

COMPUTE, MEMORY = "compute_budget_mult", "memory_bytes"
HARMLESS = SsimTable(source="x", slack=0.0, rows=(strategies.ssim_row("row", {65_536: 0.1}),))


@pytest.mark.parametrize(
    ("method", "options", "share"),
    [
        *((method, SolverOptions(), 1e-9) for method in ("count", "segment", "auto")),
        *(("count", SolverOptions(solver=solver), 1e-6) for solver in ("scip", "cbc")),
    ],
)
def test_budgets_that_are_met_exactly_are_no_reason_to_refuse(method, options, share):
    solution = solve(read_instance(CASES / "exactly-enough.json"), method, options)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s == pytest.approx(371.941938814, rel=share)


@pytest.mark.parametrize("method", ["count", "segment", "auto"])
def test_one_unit_too_few_is_infeasible(method):
    solution = solve(read_instance(CASES / "short-by-1.json"), method)
    assert solution.solution_status is SolutionStatus.INFEASIBLE
    assert solution.placement is None


def test_explain_finds_the_ten_units_that_are_missing():
    found = explain(read_instance(CASES / "explain-crash.json"))
    assert found.verdict is FeasibilityVerdict.INFEASIBLE
    first, change = found.repairs[0], found.repairs[0].change
    assert (change.kind, change.targets, change.amount) == ("compute", ("d1",), 10)
    assert first.least


def test_explain_tells_exactly_enough_from_one_too_few():
    enough = explain(read_instance(CASES / "exactly-enough.json"))
    assert enough.verdict is FeasibilityVerdict.FEASIBLE
    found = explain(read_instance(CASES / "short-by-1.json"))
    assert found.verdict is FeasibilityVerdict.INFEASIBLE
    assert min(repair.change.amount for repair in found.repairs) == 1


def drawn(seed: int) -> tuple[Instance, bool]:
    """Return an instance and whether two helpers can share its segments."""
    draw = random.Random(seed)
    maps = [draw.randint(3, 60) for _ in range(3)]
    side, small = draw.choice([31, 64, 127]), draw.choice([13, 29, 31])
    kernels = draw.choice([1, 3, 7]), draw.choice([7, 31, 61, 127]), draw.choice([11, 63, 125])
    layers = [
        strategies.conv("c1", (1, maps[0]), (side, side), "row", kernels[0]),
        strategies.conv("c2", (maps[0], maps[1]), (side, side), "row", kernels[1]),
        strategies.pool("p2", maps[1], (small, small), "row"),
        strategies.conv("c3", (maps[1], maps[2]), (small, small), "row", kernels[2]),
        strategies.fc("f", maps[2], (maps[2] * small * small, 5)),
        strategies.fc("g", 1, (5, 2)),
    ]
    field = draw.choice([COMPUTE, MEMORY])
    of_segment = [
        one.multiplications_per_segment if field == COMPUTE else 4 * one.weights_per_segment
        for one in (layers[1], layers[3], layers[4])
    ]
    amounts = [*of_segment[:2], maps[2] * of_segment[2]]
    most = (maps[0], maps[1], 1)
    split = [draw.randint(0, number) for number in most]
    budgets = [
        sum(a * n for a, n in zip(amounts, split, strict=True)),
        sum(a * (m - n) for a, n, m in zip(amounts, split, most, strict=True)),
    ]
    budgets[draw.randint(0, 1)] -= draw.choice([0, 0, 1, 2])
    possible = any(
        sum(a * n for a, n in zip(amounts, one, strict=True)) <= budgets[0]
        and sum(a * (m - n) for a, n, m in zip(amounts, one, most, strict=True)) <= budgets[1]
        for one in product(*(range(number + 1) for number in most))
    )
    return _with_budgets(layers, side, field, [max(0, b) for b in budgets]), possible


def _with_budgets(layers, side: int, field: str, budgets: list[int]) -> Instance:
    plenty = dict.fromkeys(strategies.reference.BUDGETS.values(), 1e18)
    return strategies.instance(
        devices=[
            strategies.node(f"d{k}", 560e6, 72.2e6, **plenty | {field: float(budget)})
            for k, budget in enumerate(budgets)
        ],
        sources=[strategies.node("camera", 560e6, 72.2e6, **plenty)],
        networks=[strategies.network("n", (1, side, side), layers)],
        requests=[Request(id="r", source="camera", network="n", tolerated_ssim=1.0)],
        table=HARMLESS,
    )


@pytest.mark.parametrize("seed", range(40))
def test_exactly_tight_and_just_too_small_budgets_are_told_apart(seed):
    made, possible = drawn(seed)
    status = solve(made, "count").solution_status
    assert status is (SolutionStatus.OPTIMAL if possible else SolutionStatus.INFEASIBLE)


@pytest.mark.parametrize("seed", range(40, 60))
def test_explain_tells_them_apart_too(seed):
    made, possible = drawn(seed)
    expected = FeasibilityVerdict.FEASIBLE if possible else FeasibilityVerdict.INFEASIBLE
    assert explain(made).verdict is expected


AMOUNTS = st.integers(-(10**13), 10**15).filter(bool)


@strategies.examples(150)
@given(st.data())
def test_a_row_in_digits_holds_the_same_points(data):
    amounts = data.draw(st.lists(AMOUNTS, min_size=1, max_size=4))
    values = [data.draw(st.integers(0, 9)) for _ in amounts]
    load = sum(a * v for a, v in zip(amounts, values, strict=True))
    budget = load + data.draw(st.sampled_from([-(10**9), -2, -1, 0, 1, 7, 10**9]))
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(len(amounts)), domain=pyo.NonNegativeIntegers, bounds=(0, 9))
    terms = [(amount, model.x[k]) for k, amount in enumerate(amounts)]
    add_budget_rows(model, "row", {0: (terms, budget)})
    model.aim = pyo.Objective(expr=0.0)
    for k, value in enumerate(values):
        model.x[k].fix(value)
    kept = second_opinion(model).status is SolutionStatus.OPTIMAL
    assert kept is (load <= budget)
    set_carries(model)
    rows = model.component_data_objects(pyo.Constraint, active=True)
    assert all(pyo.value(row.body) <= pyo.value(row.upper) for row in rows) is (load <= budget)


def test_large_amounts_become_small_ones():
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(2), domain=pyo.NonNegativeIntegers, bounds=(0, 1000))
    terms = [(10**15 + 1, model.x[0]), (10**15 + 3, model.x[1])]
    add_budget_rows(model, "row", {"d1": (terms, 10**17)})
    numbers = [
        abs(number)
        for row in model.component_data_objects(pyo.Constraint)
        for number in generate_standard_repn(row.body).linear_coefs
    ]
    assert max(numbers) <= 2**16
    assert len(model.carries) > 1


def test_a_point_that_breaks_a_budget_is_cut_off_and_no_other_is():
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(2), domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    add_budget_rows(model, "row", {0: ([(2, model.x[0]), (3, model.x[1])], 9)})
    model.row.deactivate()
    for k in range(2):
        model.x[k].set_value(2)
    assert cut_off_broken(model, 3) == 1
    model.aim = pyo.Objective(expr=0.0)
    for point in product(range(4), repeat=2):
        for k, value in enumerate(point):
            model.x[k].fix(value)
        cut = second_opinion(model).status is SolutionStatus.INFEASIBLE
        assert cut is (point >= (2, 2) and min(point) >= 2)
    for k in range(2):
        model.x[k].fix(1)
    assert cut_off_broken(model, 3) == 0


# What a solver returns is not believed.


def by_hand_tight() -> Instance:
    return strategies.with_fleet(strategies.by_hand(), MEMORY, (120.0, 60.0, 60.0))


def test_a_placement_that_breaks_a_budget_is_cut_off_and_the_search_goes_on(monkeypatch):
    made = by_hand_tight()
    unlimited = solve(strategies.unlimited(made), "count")
    calls = []

    def careless(model, options, start=False, watcher: Watcher | None = None):
        """Return, the first time, the fastest placement without regard to the memory."""
        calls.append(model)
        if len(calls) == 1:
            model.respect_memory.deactivate()
            run = run_solver(model, options, False, None)
            model.respect_memory.activate()
            return run
        return run_solver(model, options, start, watcher)

    monkeypatch.setattr("optmodel.milp.run.run_solver", careless)
    solution = solve(made, "count")
    assert len(calls) > 1
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s > unlimited.objective_s


def test_a_search_takes_no_placement_that_breaks_a_budget():
    made = by_hand_tight()
    fast = solve(strategies.unlimited(made), "count")
    search = Search(made, SolverOptions())
    assert not search.offer(from_document(search.problem, fast.placement))
    assert (search.refused, search.incumbent) == (1, None)


def test_the_feasibility_model_can_ask_for_some_of_the_requests():
    problem = Problem.of(strategies.clashing())
    assert second_opinion(FeasibilityModel.build(problem).pyomo_model).status is (
        SolutionStatus.INFEASIBLE
    )
    some = FeasibilityModel.build(problem, serving=1)
    assert second_opinion(some.pyomo_model).status is SolutionStatus.OPTIMAL
    assert len(some.placement().requests) == 1


def test_layers_of_a_quadrillion_multiplications_do_not_crash_the_solver():
    """Amounts of 1e13 and budgets that add up to 2^53 + 1 ended HiGHS with a segmentation fault."""
    file = CASES / "solver-segfault-1e15.json"
    done = run("optmodel", file, "--method", "count", "--time-limit", "2")
    assert (done.returncode, done.stderr) == (0, "")
