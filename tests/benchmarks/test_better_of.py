"""Which of two solutions is better, and what follows when one contradicts the other."""

import pytest
from runs import solution

from benchmarks.best_known.better_of import better_of, is_proven
from optmodel.ground.rule_errors import ResultError
from optmodel.placement.solution import Solution, SolutionStatus, Termination, relative_gap

FEASIBLE, INFEASIBLE = SolutionStatus.FEASIBLE, SolutionStatus.INFEASIBLE
NONE, OPTIMAL = SolutionStatus.NONE, SolutionStatus.OPTIMAL


def known(objective: float | None, bound: float | None, **changes: object) -> Solution:
    """A solution with what is known of the latency; without any, it has no placement."""
    values = {"objective_s": objective, "bound_s": bound, "gap": relative_gap(objective, bound)}
    if objective is None:
        values |= {"solution_status": NONE, "placement": None}
    return solution(**values | changes)


def partial(served: int, objective: float) -> Solution:
    """Serve some of three requests."""
    rejections = [
        {"request": f"x{k}", "layer": "l", "segment": 1, "condition": "full"}
        for k in range(3 - served)
    ]
    placement = {
        "requests": tuple({"request": f"r{k}", "layers": ()} for k in range(served)),
        "rejected": tuple(rejections),
    }
    status = SolutionStatus.PARTIAL
    return known(objective, None, placement=placement, solution_status=status)


def three(objective: float) -> Solution:
    placement = {"requests": tuple({"request": f"r{k}", "layers": ()} for k in range(3))}
    return known(objective, None, placement=placement)


PROOF = known(None, None, solution_status=INFEASIBLE, termination=Termination.CONVERGED)


@pytest.mark.parametrize(
    ("one", "other", "objective", "bound", "status"),
    [
        (known(3.0, 1.0), known(2.0, 1.0), 2.0, 1.0, FEASIBLE),
        (known(2.0, 1.0), known(3.0, 1.5), 2.0, 1.5, FEASIBLE),
        (known(2.0, None), known(3.0, 1.5), 2.0, 1.5, FEASIBLE),
        (known(2.0, 1.0), known(None, 1.5), 2.0, 1.5, FEASIBLE),
        (known(None, 1.0), known(None, 1.5), None, 1.5, NONE),
        (known(2.0, 1.0), known(3.0, 2.0), 2.0, 2.0, OPTIMAL),
        (known(2.0, 1.0), known(None, 2.0 * (1 + 5e-7)), 2.0, 2.0, OPTIMAL),
        (known(2.0, None), known(3.0, None), 2.0, None, FEASIBLE),
        (known(2.0, 2.0, solution_status=OPTIMAL), known(2.0, 1.0), 2.0, 2.0, OPTIMAL),
    ],
)
def test_the_better_placement_goes_with_the_better_bound(one, other, objective, bound, status):
    for first, second in ((one, other), (other, one)):
        best = better_of(first, second, 1e-6)
        assert (best.objective_s, best.bound_s, best.solution_status) == (objective, bound, status)
        assert best.gap == relative_gap(objective, bound)


def test_of_equal_solutions_the_new_one_is_kept():
    old, new = known(2.0, 1.0), known(2.0, 1.0, wall_time_s=9.0)
    assert better_of(old, new, 1e-6) == new


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (partial(2, 9.0), partial(1, 1.0)),
        (partial(2, 1.0), partial(2, 9.0)),
        (three(9.0), partial(2, 1.0)),
        (partial(1, 1.0), PROOF),
        (PROOF, known(None, 1.0)),
    ],
)
def test_more_requests_served_come_first_then_latency(better, worse):
    assert better_of(better, worse, 1e-6) == better
    assert better_of(worse, better, 1e-6) == better


def test_the_bound_of_some_requests_is_no_bound_on_all():
    some = partial(2, 1.0).model_copy(update={"bound_s": 1.0, "gap": 0.0})
    assert better_of(some, three(9.0), 1e-6).bound_s is None


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (PROOF, known(2.0, 1.0), "serves all requests, count claims to have proven"),
        (known(2.0, 1.9), known(1.8, 1.0), "takes 1.8 s, count claims the bound 1.9 s"),
    ],
)
def test_a_contradiction_is_a_wrong_result(one, other, message):
    for first, second in ((one, other), (other, one)):
        with pytest.raises(ResultError, match=message):
            better_of(first, second, 1e-6)


def test_proven_depends_on_the_gap_that_is_asked():
    solution = known(2.0, 1.999)
    assert is_proven(solution, 1e-3)
    assert not is_proven(solution, 1e-4)
    assert not is_proven(known(2.0, None), 1.0)
    assert is_proven(PROOF, 0.0)
