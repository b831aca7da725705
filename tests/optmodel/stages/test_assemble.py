"""Shares are dealt by what a placement takes of the budgets, as Eq. 8b-8d count it."""

import numpy as np
import pytest
import strategies
from hypothesis import given

from optmodel.placement.evaluate import evaluate_request
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import Allowance
from optmodel.stages.path_assembler import PathAssembler
from optmodel.stages.stages_method import shortest_paths


def dealt_and_taken(made: Instance) -> tuple[np.ndarray, np.ndarray]:
    """Return the loads that dealing every request leaves, and those of the placements."""
    problem = Problem.of(made)
    result = shortest_paths(problem, 1e-6, Allowance())
    deal = PathAssembler(result.fleet)
    taken = np.zeros_like(problem.budgets)
    for task in problem.tasks:
        path = result.paths[task.request.id]
        if path.value is not None:
            taken += evaluate_request(problem, task, deal.place(task, path)).load
    return deal.load * problem.budgets, taken


def test_what_stays_is_not_sent_and_what_moves_is_charged_at_its_own_size():
    """One helper alone does all between camera and camera: conv1's sums come, conv2's leave."""
    made = strategies.by_hand()
    made = made.model_copy(update={"devices": made.devices[2:], "requests": made.requests})
    made = made.model_copy(
        update={
            "requests": tuple(r.model_copy(update={"tolerated_ssim": 1.0}) for r in made.requests)
        }
    )
    dealt, taken = dealt_and_taken(made)
    # The camera sends conv1's 3 maps of 2 x 2 words; the helper fc1's 5 words, and nothing before.
    assert taken[2].tolist() == [5 * 32, 3 * 4 * 32]
    assert dealt == pytest.approx(taken)


@strategies.examples(60)
@given(strategies.instances())
def test_loads_are_those_of_the_placement(made):
    dealt, taken = dealt_and_taken(strategies.unlimited(made))
    assert dealt == pytest.approx(taken)
