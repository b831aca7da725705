"""Every proof of the small set is confirmed by engines that share nothing with the first one."""

from pathlib import Path

import pytest
from assigned import counted

from instances.listed_sets import SMALL
from optmodel.placement.evaluate import evaluate
from optmodel.placement.named_placement import from_document
from optmodel.placement.solution import Solution, SolutionStatus, read_solution
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, read_instance
from optmodel.solving import solve

FILES = sorted(SMALL.folder / f"{member.name}.json" for member in SMALL.members)
on_every_instance = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

RELATIVE = 3e-6
"""The asked gap of two runs, and a millionth for the arithmetic of a solver in floats."""


def shipped(path: Path) -> tuple[Instance, Solution]:
    return read_instance(path), read_solution(path.with_name(f"{path.stem}.solution.json"))


def assert_confirmed(solution: Solution, proof: Solution) -> None:
    """Both prove the same optimum, or both that there is none."""
    assert solution.solution_status is proof.solution_status
    if proof.objective_s is not None:
        assert solution.objective_s == pytest.approx(proof.objective_s, rel=RELATIVE)
        assert solution.bound_s <= proof.objective_s * (1 + RELATIVE)
        assert proof.bound_s <= solution.objective_s * (1 + RELATIVE)


@on_every_instance
def test_the_default_method_proves_the_shipped_optimum(path: Path):
    made, proof = shipped(path)
    assert_confirmed(solve(made), proof)


@on_every_instance
def test_the_count_model_proves_it(path: Path):
    """And its placement can be labelled segment by segment at equal cost."""
    made, proof = shipped(path)
    assert proof.method == "segment"
    solution = solve(made, "count")
    assert_confirmed(solution, proof)
    if solution.placement is None:
        return
    problem = Problem.of(made)
    found = from_document(problem, solution.placement)
    labelled = counted(problem, {name: one.labels() for name, one in found.requests.items()})
    assert evaluate(problem, labelled).latency_s == evaluate(problem, found).latency_s


@on_every_instance
def test_stages_and_counting_stay_below_it(path: Path):
    made, proof = shipped(path)
    if proof.objective_s is None:
        return
    stages = solve(made, "stages")
    assert stages.bound_s <= proof.objective_s * (1 + 1e-9)
    if stages.solution_status is SolutionStatus.OPTIMAL:
        assert stages.objective_s == pytest.approx(proof.objective_s, rel=RELATIVE)
