"""The model without latency and pairs of nodes is feasible exactly if a placement exists."""

from collections import Counter
from math import floor

import numpy as np
import pytest
import reference
from assigned import document_of, place
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import admissible_assignments, by_hand, clashing, examples, instances, with_budget

from optmodel.checker import check
from optmodel.ground.rule_errors import ResultError
from optmodel.milp import any_placement
from optmodel.milp.any_placement import (
    FeasibilityVerdict,
    checked_latency_s,
    find_least_load,
    find_placement,
)
from optmodel.milp.budget_loads import BUDGETS, most_loads, placed_loads
from optmodel.milp.feasibility import FeasibilityModel, hand_on
from optmodel.milp.solvers import SolverRun, run_solver
from optmodel.placement.named_placement import to_document
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions

FOREVER = Allowance()


def has_placement(made: Instance) -> bool:
    """Ask the model itself: no arithmetic before it."""
    problem = Problem.of(made)
    if any(task.unattainable for task in problem.tasks):
        return False
    model = FeasibilityModel.build(problem)
    run = run_solver(model.pyomo_model, SolverOptions())
    if run.status is SolutionStatus.INFEASIBLE:
        return False
    report = check(made, to_document(problem, model.placement()))
    assert report.passed, report.violations
    return True


def test_the_model_agrees_with_brute_force():
    seen: Counter[bool] = Counter()

    @examples(125)
    @given(instances())
    def agrees(made: Instance) -> None:
        feasible = reference.best(made) is not None
        assert has_placement(made) is feasible
        seen[feasible] += 1

    agrees()
    assert min(seen.values()) >= 25


def test_a_clash_between_requests_is_found():
    assert find_placement(Problem.of(clashing()), FOREVER).verdict is FeasibilityVerdict.INFEASIBLE


@pytest.mark.parametrize("kind", BUDGETS)
def test_one_unit_too_little_is_infeasible(kind):
    """The camera's loads are settled: 52 bytes, 22 multiplications, 384 bits."""
    needed = {"memory": 52.0, "compute": 22.0, "bandwidth": 384.0}[kind]
    field = BUDGETS[kind].field
    assert has_placement(with_budget(by_hand(), "camera", **{field: needed}))
    assert not has_placement(with_budget(by_hand(), "camera", **{field: needed - 0.5}))


def test_rows_are_left_out_only_where_no_placement_can_exceed_the_budget():
    @examples(75)
    @given(instances(), st.data())
    def no_assignment_carries_more(made: Instance, data: st.DataObject) -> None:
        plans = data.draw(admissible_assignments(made))
        assume(plans is not None)
        most = most_loads(Problem.of(made))
        for kind, budget in BUDGETS.items():
            carried = reference.loads(made, plans)[budget.equation]
            for i, at in enumerate(made.nodes):
                assert carried[at.id] <= most[kind][i]

    no_assignment_carries_more()


def test_loads_of_a_placement_are_those_of_the_reference():
    @examples(75)
    @given(instances())
    def agree(made: Instance) -> None:
        best = reference.best(made)
        assume(best is not None)
        problem = Problem.of(made)
        found = placed_loads(problem, place(problem, best.assignment))
        for kind, budget in BUDGETS.items():
            carried = reference.loads(made, best.assignment)[budget.equation]
            assert found[kind] == [carried[at.id] for at in made.nodes]
        assert check(made, document_of(made, best.assignment)).passed

    agree()


def test_the_least_load_is_the_least_budget_that_suffices():
    """Brute force: with that budget there is a placement, with one unit less there is none."""
    seen: Counter[str] = Counter()

    @examples(35)
    @given(instances(), st.sampled_from(tuple(BUDGETS)))
    def is_least(made: Instance, kind: str) -> None:
        problem = Problem.of(made)
        at, budget = made.devices[0], BUDGETS[kind]
        most = most_loads(problem)[kind][0]
        assume(most > budget.of(at) and not any(task.unattainable for task in problem.tasks))
        answer = find_least_load(problem, kind, 0, FOREVER)
        if answer.placement is None:
            amply = with_budget(made, at.id, **{budget.field: float(most)})
            assert reference.best(amply) is None
            return
        load = placed_loads(problem, answer.placement)[kind][0]
        assert answer.least
        assert reference.best(with_budget(made, at.id, **{budget.field: float(load)})) is not None
        if load:
            less = with_budget(made, at.id, **{budget.field: load - 1.0})
            assert reference.best(less) is None
        seen[kind] += 1

    is_least()
    assert set(seen) == set(BUDGETS)


NODES = st.integers(0, 4)


@examples(100)
@given(st.lists(st.tuples(NODES, NODES), min_size=1, max_size=12))
def test_maps_are_handed_on_completely_and_kept_where_they_can_be(maps_from_to):
    before = np.bincount([sender for sender, _ in maps_from_to], minlength=5)
    after = np.bincount([receiver for _, receiver in maps_from_to], minlength=5)
    moved = np.zeros((5, 5), dtype=int)
    for i, j, maps in hand_on(before, after):
        assert maps > 0
        moved[i, j] += maps
    assert (moved.sum(axis=1) == before).all()
    assert (moved.sum(axis=0) == after).all()
    assert (moved.diagonal() == np.minimum(before, after)).all()


def test_budgets_are_counted_in_whole_units():
    at = with_budget(by_hand(), "a", memory_bytes=79.9).devices[0]
    assert BUDGETS["memory"].of(at) == floor(79.9)


def test_ctrl_c_ends_the_search(monkeypatch):
    """The solver's wrapper turns Ctrl-C into a status; there is nothing to return here."""
    stopped = SolverRun(Termination.INTERRUPTED, SolutionStatus.NONE, None, None)
    monkeypatch.setattr(any_placement, "run_solver", lambda model, options: stopped)
    with pytest.raises(KeyboardInterrupt):
        find_placement(Problem.of(by_hand()), FOREVER)


def test_a_placement_that_is_none_is_refused():
    made = by_hand()
    placement = find_placement(Problem.of(made), FOREVER).placement
    poorer = with_budget(made, "camera", memory_bytes=51.0)
    with pytest.raises(ResultError, match=r"\(8b\) node 'camera'"):
        checked_latency_s(poorer, placement)


def test_time_that_is_up_leaves_the_question_open():
    assert (
        find_placement(Problem.of(by_hand()), Allowance.of_seconds(0.0)).verdict
        is FeasibilityVerdict.UNKNOWN
    )
    least = find_least_load(Problem.of(clashing()), "memory", 0, Allowance.of_seconds(0.0))
    assert least.verdict is FeasibilityVerdict.UNKNOWN
