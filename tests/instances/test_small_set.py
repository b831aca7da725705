"""instances/small/: every instance is solved to proven optimality, each for its reason."""

from collections import Counter

import pytest

from instances.listed_sets import SMALL
from optmodel.placement.solution import Solution, SolutionStatus, read_solution
from optmodel.problem.instance import Instance, read_instance

NAMES = [member.name for member in SMALL.members]


def shipped(name: str) -> Instance:
    return read_instance(SMALL.folder / f"{name}.json")


def solution_of(name: str) -> Solution:
    return read_solution(SMALL.folder / f"{name}.solution.json")


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_solution_is_proven(name):
    solution = solution_of(name)
    infeasible = name.startswith("infeasible-")
    expected = SolutionStatus.INFEASIBLE if infeasible else SolutionStatus.OPTIMAL
    assert solution.solution_status is expected


@pytest.mark.parametrize(
    ("binding", "slack_ms"),
    [
        ("lenet-0.8-x2-memory", 3.061329),
        ("lenet-0.4-x4-compute", 6.368315),
        ("lenet-0.6-x2-bandwidth", 5.549709),
        ("lenet-0.6-x2-bandwidth-tight", 5.549709),
        ("lenet-0.6-x2-bandwidth-gateway", 4.409502),
    ],
)
def test_a_binding_budget_costs_latency(binding, slack_ms):
    """The optimum lies above that of the same instance with full budgets (`slack_ms`)."""
    assert solution_of(binding).objective_s * 1e3 > slack_ms * 1.01


def test_the_set_covers_what_it_promises():
    requests = Counter(len(shipped(name).requests) for name in NAMES)
    assert len(NAMES) >= 30
    assert set(requests) == {1, 2, 3, 4}
    for tolerance in (0.8, 0.6, 0.4):
        for devices in (3, 4, 5, 6):
            assert f"lenet-{tolerance}-{devices}-mixed" in NAMES
