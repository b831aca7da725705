"""`python -m optmodel.explain`: what it prints, writes and refuses."""

import json

import pytest
from commands import output_of, refusal_of
from places import SMALL
from strategies import by_hand, clashing, with_fleet

from optmodel.explain import Explanation, FeasibilityVerdict, changed, explain
from optmodel.ground.json_files import read_model, write_model
from optmodel.placement.solution import SolutionStatus, read_solution
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

SOLUTIONS = {file: read_solution(file) for file in sorted(SMALL.glob("*.solution.json"))}
INFEASIBLE = sorted(
    solution.instance
    for solution in SOLUTIONS.values()
    if solution.solution_status is SolutionStatus.INFEASIBLE
)

WORDS = {
    "infeasible-camera": (
        "conflict     bandwidth of 'camera-1': 129,960 bits (8d) cannot be kept",
        "repair       give 'camera-1' 17,496 more bits of bandwidth",
        "no repair    no number of devices helps: a conflict is about sources or unsafe maps alone",
    ),
    "infeasible-compute": (
        "conflict     cannot all be kept; no smaller set of limits clashes",
        "- compute of 'rpi3-1': 181,440 multiplications (8c)",
        "- compute of 'stm32h7-1': 12,960 multiplications (8c)",
        "repair       give 'rpi3-1' 10,560 more multiplications of compute",
        "repair       add 1 more rpi3 (like 'rpi3-1')",
        "no repair    no looser tolerance helps",
    ),
    "infeasible-memory": (
        "because      request 'r1': layer 'fc1' needs 61,440 bytes of memory on one device",
        "- memory of the 2 rpi3: 20,000 bytes each (8b)",
        "- memory of 'nexus-1': 40,000 bytes (8b)",
        "- memory of 'stm32h7-1': 20 bytes (8b)",
        "repair       give 'nexus-1' 61,760 more bytes of memory",
        "no repair    64 more copies of any one device do not help",
    ),
    "infeasible-privacy": (
        "conflict     privacy of 'conv11', 'relu11', 'conv12' and 'relu12' at 0.4, request 'r1': "
        "at most 8 maps on a device (row CIFAR ReLU11; 8f) cannot be kept",
        "repair       add 2 more rpi3 (like 'rpi3-1')",
        "repair       let request 'r1' tolerate an SSIM of 0.55",
        "no repair    no larger budget helps: the conflict holds whatever the budgets are",
    ),
    "infeasible-unattainable": (
        "request 'r1': no device may hold any of the maps (row CELEBA ReLU34; 8f) cannot be kept",
        "another      privacy of 'conv21', 'relu21', 'conv22', 'relu22' and 1 more at 0.4",
        "repair       let request 'r1' tolerate an SSIM of 0.58",
        'no repair    unattainable "source" does not help',
        "no repair    no larger budget helps: it would mend one of 2 conflicts",
    ),
}


def test_the_words_cover_every_infeasible_instance_of_the_small_set():
    assert sorted(WORDS) == INFEASIBLE


@pytest.mark.parametrize("name", INFEASIBLE)
def test_an_infeasible_instance_is_explained(name):
    shown = output_of("optmodel.explain", SMALL / f"{name}.json")
    assert "status       infeasible" in shown
    for words in WORDS[name]:
        assert words in shown


@pytest.mark.parametrize("name", sorted(set(INFEASIBLE) - {"infeasible-unattainable"}))
def test_every_repair_is_confirmed_by_the_full_model(name):
    """It finds a placement too, and its bound is not above the latency of the one found before."""
    instance = read_instance(SMALL / f"{name}.json")
    explanation = explain(instance)
    assert explanation.minimal
    for repair in explanation.repairs:
        solution = solve(changed(instance, repair.change), "count", SolverOptions(mip_gap=0.2))
        assert solution.solution_status is SolutionStatus.OPTIMAL
        assert solution.bound_s <= repair.latency_s


def test_every_feasible_instance_of_the_small_set_is_said_to_be_feasible():
    number = 0
    for file, solution in SOLUTIONS.items():
        if solution.instance not in INFEASIBLE:
            explanation = explain(read_instance(SMALL / file.name.replace(".solution", "")))
            assert explanation.verdict is FeasibilityVerdict.FEASIBLE, file
            assert explanation.latency_s >= solution.bound_s
            number += 1
    assert number >= 30


def test_a_feasible_instance_is_told_in_one_line():
    shown = output_of("optmodel.explain", SMALL / "lenet-0.8-4-mixed.json")
    assert "status       feasible" in shown
    assert "placement    every request has a place; python -m optmodel finds the best" in shown
    for label in ("because", "conflict", "repair"):
        assert label not in shown


def test_the_budgets_of_many_nodes_take_one_line(tmp_path):
    made = with_fleet(by_hand(), "memory_bytes", (20.0, 20.0, 20.0))
    devices = [
        made.devices[0].model_copy(update={"id": f"d{n}", "memory_bytes": 10.0 + n / 10})
        for n in range(6)
    ]
    file = tmp_path / "many.json"
    write_model(file, made.model_copy(update={"devices": tuple(devices)}))
    shown = output_of("optmodel.explain", file)
    assert "- memory of 'd0', 'd1', 'd2', 'd3' and 2 more (8b)" in shown


def test_the_explanation_is_written_as_it_is_printed(tmp_path):
    out = tmp_path / "why.json"
    shown = output_of("optmodel.explain", SMALL / "infeasible-compute.json", "--out", out)
    explanation = read_model(out, Explanation)
    assert explanation.minimal
    for repair in explanation.repairs:
        assert repair.sentence in shown
    for group in explanation.conflicts[0].groups:
        assert group.sentence in shown
    written = json.loads(out.read_text())
    assert written["conflicts"][0]["proof"] == "smallest"
    assert written["repairs"][0]["change"] == {
        "kind": "compute",
        "targets": ["rpi3-1"],
        "amount": 10560.0,
    }


def test_the_time_limit_is_kept_and_what_is_open_is_said(tmp_path):
    file = tmp_path / "clashing.json"
    write_model(file, clashing())
    shown = output_of("optmodel.explain", file, "--time-limit", 0.001)
    assert "status       unknown" in shown
    assert "unproven     the time limit came before a placement or a proof" in shown


def test_what_time_did_not_allow_to_prove_is_said(tmp_path):
    """Arithmetic proves infeasibility at once; the rest needs the solver."""
    shown = output_of("optmodel.explain", SMALL / "infeasible-memory.json", "--time-limit", 0.001)
    assert "status       infeasible" in shown
    assert "conflict     cannot all be kept; the time limit came before all were tested" in shown
    assert "as far as the time limit allowed to look" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-file.json",), "expected a readable file"),
        ((SMALL / "lenet-0.8-4-mixed.solution.json",), "expected"),
        ((SMALL / "infeasible-camera.json", "--time-limit", "-1"), "--time-limit"),
        ((SMALL / "infeasible-camera.json", "--time-limit", "nan"), "--time-limit"),
        ((SMALL / "infeasible-camera.json", "--out", "no/such/x.json"), "writable folder"),
    ],
)
def test_bad_input_exits_2_with_one_message(arguments, message):
    assert message in refusal_of("optmodel.explain", *arguments)
