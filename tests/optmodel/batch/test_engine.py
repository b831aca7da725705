"""`solve(method="columns")`: its placements pass the checker, its bounds hold, its runs end."""

import time

import pytest
import reference
from hypothesis import assume, given
from strategies import by_hand, clashing, examples, instances, twice, with_fleet

from heuristics.policy import place_all
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from instances.listed_sets import MEDIUM
from optmodel.batch.engine import PRICED, solve_columns
from optmodel.online.algorithm1 import Algorithm1
from optmodel.placement.solution import SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, read_instance
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search
from optmodel.solving import solve
from optmodel.stages.stage_graph import StageGraph, StagePath


def tight(
    networks: str = "lenet=3,cifar_cnn=3", devices: int = 8, bandwidth: float = 0.01
) -> Instance:
    scales = BudgetScales(memory=0.008, compute=0.0018, bandwidth=bandwidth)
    return generate(Recipe((networks,), "mixed", devices, 0.8, scales=scales), "tight")


@examples(30)
@given(instances(requests=2))
def test_result_lies_between_bound_and_brute_force(made: Instance) -> None:
    """The checker inside solve() has passed the placement."""
    optimum = reference.best(made)
    found = solve(made, "columns", SolverOptions(time_limit_s=60))
    if optimum is None:
        assert found.placement is None
        return
    assert found.objective_s is not None
    assert found.objective_s >= float(optimum.latency_s) * (1 - 1e-12)
    assert found.bound_s is not None
    assert found.bound_s <= float(optimum.latency_s) * (1 + 1e-12)


@examples(40)
@given(instances(requests=2))
def test_whatever_algorithm_1_serves_is_served(made: Instance) -> None:
    outcome = place_all(Problem.of(made), Algorithm1())
    assume(not outcome.rejected)
    assert solve(made, "columns", SolverOptions(time_limit_s=60)).objective_s is not None


@pytest.mark.parametrize("method", ["auto", "columns"])
@pytest.mark.parametrize(
    "name",
    ["lenet-x20-15-binding", "cifar_cnn-x4-0.6-12-bandwidth", "lenet10-cifar10-0.6-20-binding"],
)
def test_whatever_algorithm_1_serves_is_served_within_a_second_or_two(
    method: str, name: str
) -> None:
    """Wall time depends on what else runs; on an idle machine all of them end within 3 s."""
    made = read_instance(MEDIUM.folder / f"{name}.json")
    assert not place_all(Problem.of(made), Algorithm1()).rejected
    start = time.perf_counter()
    found = solve(made, method, SolverOptions(time_limit_s=1))
    assert time.perf_counter() - start < 15
    assert found.termination is Termination.TIME_LIMIT
    assert found.objective_s is not None


@examples(40)
@given(instances(requests=3))
def test_most_serves_as_many_as_algorithm_1_at_least(made: Instance) -> None:
    outcome = place_all(Problem.of(made), Algorithm1())
    found = solve(made, "columns", SolverOptions(time_limit_s=60, admission="most"))
    assert found.placement is not None
    assert len(found.placement.requests) >= len(outcome.placement.requests)


def test_single_request_with_slack_budgets_is_solved_as_by_stages() -> None:
    made = generate(Recipe(("lenet",), "mixed", 6, 0.4), "one")
    by_stages, by_columns = solve(made, "stages"), solve(made, "columns")
    assert by_columns.solution_status is SolutionStatus.OPTIMAL
    assert by_columns.objective_s == pytest.approx(by_stages.objective_s, rel=1e-6)


def test_two_requests_that_clash_are_proven_infeasible_or_given_up() -> None:
    found = solve(clashing(), "columns")
    assert found.placement is None
    assert found.solution_status is SolutionStatus.INFEASIBLE


def test_same_instance_same_result() -> None:
    made = tight()
    first, second = (solve(made, "columns") for _ in range(2))
    assert first.placement == second.placement
    assert (first.objective_s, first.bound_s) == (second.objective_s, second.bound_s)


def test_binding_batch_gets_incumbent_bound_and_gap() -> None:
    found = solve(tight(bandwidth=0.0025), "columns", SolverOptions(time_limit_s=6))
    assert PRICED in found.notes
    assert found.objective_s is not None
    assert found.gap is not None
    assert 0 <= found.gap < 1  # How far it comes in six seconds is up to the machine.


def test_time_limit_is_honoured_and_leaves_incumbent_and_bound() -> None:
    start = time.perf_counter()
    found = solve(tight("lenet=5,cifar_cnn=5", 12), "columns", SolverOptions(time_limit_s=2))
    assert time.perf_counter() - start < 10
    assert found.objective_s is not None
    assert found.bound_s is not None


def test_most_served_without_room_for_all_says_that_no_bound_is_known() -> None:
    search = Search(clashing(), SolverOptions(admission="most"))
    solve_columns(search)
    assert search.served == 1
    assert search.bound_s is None
    assert not search.closed
    assert any("no bound is known" in note for note in search.notes)


def test_most_served_with_room_for_all_is_as_with_all() -> None:
    made = twice(by_hand())
    every = solve(made, "columns")
    most = solve(made, "columns", SolverOptions(admission="most"))
    assert most.objective_s == every.objective_s
    assert most.placement is not None
    assert len(most.placement.requests) == 2


def test_unused_budget_changes_nothing() -> None:
    made = twice(by_hand())
    roomy = with_fleet(made, "memory_bytes", (1e9, 1e9, 1e9))
    assert solve(roomy, "columns").objective_s == solve(made, "columns").objective_s


def test_interrupted_limit_is_no_error() -> None:
    found = solve(tight(), "columns", SolverOptions(time_limit_s=0.01))
    assert found.termination in (Termination.TIME_LIMIT, Termination.CONVERGED)


@pytest.mark.parametrize("method", ["stages", "columns", "auto"])
def test_ctrl_c_within_the_stages_ends_the_run_with_placement_and_bound(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a time limit, so that nothing but Ctrl-C ends it."""
    begun: list[Allowance] = []

    class Interrupted(StageGraph):
        def shortest(self, allowance: Allowance) -> StagePath:
            begun.append(allowance)
            super().shortest(allowance)
            raise KeyboardInterrupt

    monkeypatch.setattr("optmodel.stages.stages_method.StageGraph", Interrupted)
    found = solve(tight(), method)
    assert found.termination is Termination.INTERRUPTED
    assert found.bound_s is not None
    assert found.objective_s is not None
    assert not begun[0].over
    assert all(allowance.over for allowance in begun[1:])
