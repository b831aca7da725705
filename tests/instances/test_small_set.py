"""instances/small/: what is shipped is what the recipes generate, and its solutions hold."""

import shlex
from collections import Counter

import pytest
from commands import run

from heuristics.policies import place
from instances.generate import command_line, generate
from instances.small_set import FOLDER, SMALL, Member, readme
from optmodel.checker import check_solution
from optmodel.infeasible import reasons_infeasible
from optmodel.instance import read_instance
from optmodel.problem import Problem
from optmodel.solution import SolutionStatus, read_solution
from optmodel.verified import digest

by_name = {member.name: member for member in SMALL}
members = pytest.mark.parametrize("member", SMALL, ids=by_name)


def solution_of(name: str):
    return read_solution(FOLDER / f"{name}.solution.json")


@members
def test_the_shipped_file_is_what_the_recipe_generates(member: Member):
    expected = generate(member.recipe, member.name, member.purpose)
    assert read_instance(FOLDER / f"{member.name}.json") == expected


@members
def test_the_shipped_solution_is_verified_and_proven(member: Member):
    instance = read_instance(FOLDER / f"{member.name}.json")
    solution = solution_of(member.name)
    assert solution.instance_sha256 == digest(instance)
    assert check_solution(instance, solution).violations == ()
    if solution.placement is None:
        assert solution.solution_status is SolutionStatus.INFEASIBLE
        assert member.name.startswith("infeasible-")
        return
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.objective_s * (1 - 2e-6) <= solution.bound_s <= solution.objective_s


@members
def test_the_greedy_never_beats_the_shipped_optimum(member: Member):
    greedy = place(read_instance(FOLDER / f"{member.name}.json"), "algorithm1")
    if greedy.solution_status is SolutionStatus.FEASIBLE:
        assert greedy.objective_s >= solution_of(member.name).bound_s


def test_the_folder_holds_the_set_and_nothing_else():
    expected = {f"{name}{end}" for name in by_name for end in (".json", ".solution.json")}
    assert {path.name for path in FOLDER.iterdir()} == expected | {"README.md"}
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == readme()


def test_the_readme_s_command_writes_the_shipped_file(tmp_path):
    member = by_name["lenet-0.6-x2-bandwidth-gateway"]
    out = tmp_path / f"{member.name}.json"
    line = command_line(member.recipe, str(out), member.purpose)
    assert run("instances.generate", *shlex.split(line)[3:]).returncode == 0
    assert out.read_bytes() == (FOLDER / f"{member.name}.json").read_bytes()


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


def test_the_infeasible_instances_are_infeasible_for_different_reasons():
    reasons = {
        name: reasons_infeasible(Problem.of(read_instance(FOLDER / f"{name}.json")))
        for name in by_name
        if name.startswith("infeasible-")
    }
    assert "needs 8 helpers (64 maps, at most 8 on each), the fleet has 6" in str(
        reasons["infeasible-privacy"]
    )
    assert "'fc1' needs 61,440 bytes of memory on one device" in str(reasons["infeasible-memory"])
    assert "no admissible share at 0.4, lowest measured SSIM 0.45" in str(
        reasons["infeasible-unattainable"]
    )
    assert "source 'camera-1' must carry 147,456 bits to send" in str(reasons["infeasible-camera"])
    assert reasons["infeasible-compute"] == ()  # only the solver sees it


def test_the_set_covers_what_it_promises():
    requests = Counter(len(read_instance(FOLDER / f"{name}.json").requests) for name in by_name)
    assert len(SMALL) >= 30
    assert set(requests) == {1, 2, 3, 4}
    for tolerance in (0.8, 0.6, 0.4):
        for devices in (3, 4, 5, 6):
            assert f"lenet-{tolerance}-{devices}-mixed" in by_name
