"""A request that takes no time, a pool on its camera, is placed by every policy and method."""

import pytest
from places import CASES

from heuristics import policies
from heuristics.improvement import improve_solution
from heuristics.policies import POLICIES
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import Instance, read_instance
from optmodel.solving import METHODS, solve

ONE = read_instance(CASES / "takes-no-time.json")


def three() -> Instance:
    requests = tuple(ONE.requests[0].model_copy(update={"id": f"r{k}"}) for k in range(3))
    return ONE.with_requests(requests)


@pytest.mark.parametrize("made", [ONE, three()], ids=["one", "three"])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_places_it_and_its_placement_can_be_improved(policy, made):
    placed = policies.place(made, policy, 0)
    assert (placed.objective_s, placed.gap) == (0.0, 0.0)
    improved = improve_solution(made, placed, 0.1, seed=0)
    assert improved.objective_s == 0.0
    assert improved.notes[-1] == "improvement: 0.0000 % less than 0.000000 ms"


@pytest.mark.parametrize("made", [ONE, three()], ids=["one", "three"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_proves_that_it_takes_none(method, made):
    solution = solve(made, method)
    assert (solution.solution_status, solution.objective_s) == (SolutionStatus.OPTIMAL, 0.0)
