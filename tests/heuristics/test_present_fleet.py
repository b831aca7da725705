"""A request's task is the same whether worked out for its camera or taken over from another."""

import pytest

from heuristics.scheduler.present_fleet import PresentFleet
from instances.generate import Recipe, generate
from optmodel.problem.arrays import Problem


@pytest.mark.parametrize("unattainable", ["reject", "source"])
@pytest.mark.parametrize("tolerance", [0.8, 0.4, 0.1])
def test_tasks_of_all_cameras_are_those_of_the_problem(unattainable, tolerance):
    recipe = Recipe(("lenet=4",), "mixed", 5, tolerance, cameras=3, unattainable=unattainable)
    instance = generate(recipe, "cameras")
    present = PresentFleet(instance)
    for task in Problem.of(instance).tasks:
        assert present.task(task.request) == task
