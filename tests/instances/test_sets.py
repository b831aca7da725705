"""The named sets: what is shipped is what the recipes generate, and its solutions hold."""

import shlex

import pytest
from commands import output_of, refusal_of
from runs import solution

from heuristics.policies import place
from instances.generate import command_line, generate
from instances.json_layout import laid_out
from instances.set_members import InstanceSet, Member, solution_file
from instances.set_page import page, standing
from instances.sets import SETS
from optmodel.checker import check_solution
from optmodel.placement.solution import SolutionStatus, read_solution
from optmodel.problem.instance import digest, read_instance
from optmodel.stages.stages_method import SLACK

sets = pytest.mark.parametrize("named", SETS.values(), ids=SETS)
MEMBERS = [(named, member) for named in SETS.values() for member in named.members]


def over(pairs: list[tuple[InstanceSet, Member]]) -> pytest.MarkDecorator:
    ids = [f"{named.name}/{member.name}" for named, member in pairs]
    return pytest.mark.parametrize(("named", "member"), pairs, ids=ids)


@over(MEMBERS)
def test_the_shipped_file_is_what_the_recipe_generates(named: InstanceSet, member: Member):
    expected = generate(member.recipe, member.name, member.purpose)
    shipped = (named.folder / f"{member.name}.json").read_text(encoding="utf-8")
    assert shipped == laid_out(expected.model_dump(mode="json")) + "\n"


@over(MEMBERS)
def test_the_shipped_solution_is_verified_and_marked(named: InstanceSet, member: Member):
    """As proven, or with its gap."""
    file = named.folder / f"{member.name}.json"
    instance, solution = read_instance(file), read_solution(solution_file(file))
    assert solution.instance_sha256 == digest(instance)
    assert check_solution(instance, solution).violations == ()
    if SLACK in solution.notes:
        assert solution.solution_status is SolutionStatus.OPTIMAL
        assert "proven" in standing(solution)
    if solution.solution_status is SolutionStatus.INFEASIBLE:
        assert standing(solution) == "proven infeasible"
        return
    assert solution.placement is not None
    if not solution.placement.rejected:
        assert solution.gap is not None
        assert solution.bound_s <= solution.objective_s
    proven = solution.gap is not None and solution.gap <= 2e-6
    assert ("proven" in standing(solution)) == proven


@over([(named, member) for named, member in MEMBERS if named.name != "paper"])
def test_the_greedy_is_no_better_than_the_shipped_solution(named: InstanceSet, member: Member):
    """Of the paper's set this would take minutes."""
    file = named.folder / f"{member.name}.json"
    greedy = place(read_instance(file), "algorithm1", with_bound=False)
    solution = read_solution(solution_file(file))
    if greedy.solution_status is SolutionStatus.FEASIBLE:
        assert solution.bound_s <= solution.objective_s <= greedy.objective_s * (1 + 1e-9)


@sets
def test_the_folder_holds_the_set_and_nothing_else(named: InstanceSet):
    ends = (".json", ".solution.json")
    expected = {f"{member.name}{end}" for member in named.members for end in ends}
    table = {"recipes.csv"} if named.name in ("small", "medium") else set()
    assert {path.name for path in named.folder.iterdir()} == expected | {"README.md"} | table


@sets
def test_the_page_says_what_the_solution_files_say(named: InstanceSet):
    shipped = (named.folder / "README.md").read_text(encoding="utf-8")
    assert shipped == page(named, named.folder)


@sets
def test_names_are_used_once(named: InstanceSet):
    names = [member.name for member in named.members]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("set_name", "name"),
    [
        ("small", "lenet-0.6-x2-bandwidth-gateway"),
        ("medium", "lenet6-cifar4-14-varied"),
        ("paper", "vgg19-0.4-70-30-70-source"),
    ],
)
def test_the_page_s_command_writes_the_shipped_file(tmp_path, set_name, name):
    named = SETS[set_name]
    (member,) = (member for member in named.members if member.name == name)
    out = tmp_path / f"{name}.json"
    line = command_line(member.recipe, str(out), member.purpose)
    output_of("instances.generate", *shlex.split(line)[3:])
    assert out.read_bytes() == (named.folder / f"{name}.json").read_bytes()


def test_the_command_writes_a_whole_set(tmp_path):
    """Without solutions in the folder, the page says so."""
    named = SETS["small"]
    output_of("instances.sets", "small", "--out", tmp_path / "new")
    for member in named.members:
        file = f"{member.name}.json"
        assert (tmp_path / "new" / file).read_bytes() == (named.folder / file).read_bytes()
    table = (tmp_path / "new" / "README.md").read_text(encoding="utf-8").splitlines()
    assert sum(row.endswith("| not solved | - | - |") for row in table) == len(named.members)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("large",), "SET: expected one of small"),
        (("small", "--out", __file__), "expected a folder or the name of a new one"),
    ],
)
def test_a_set_that_cannot_be_written_is_refused(arguments, message):
    assert message in refusal_of("instances.sets", *arguments)


REJECTED = {"request": "r2", "layer": "l", "segment": 1, "condition": "full"}
PARTIAL = {"requests": ({"request": "r1", "layers": ()},), "rejected": (REJECTED,)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "gap 25.0000 %"),
        ({"bound_s": 2.0, "gap": 2e-6}, "proven"),
        ({"solution_status": SolutionStatus.OPTIMAL, "gap": 1e-4}, "gap 0.0100 %"),
        ({"solution_status": SolutionStatus.INFEASIBLE, "placement": None}, "proven infeasible"),
        ({"solution_status": SolutionStatus.NONE, "placement": None}, "no placement known"),
        ({"bound_s": None, "gap": None}, "no bound known"),
        ({"placement": PARTIAL, "gap": None}, "1 of 2 served"),
        ({"placement": PARTIAL}, "1 of 2 served, gap 25.0000 %"),
    ],
)
def test_the_page_tells_proven_from_open(changes, words):
    assert standing(solution(**changes)) == words


def test_an_instance_without_solution_is_not_solved():
    assert standing(None) == "not solved"
