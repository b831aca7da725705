"""`python -m optmodel` and `python -m optmodel.check`: what they print, write and refuse."""

import json
import re
import subprocess
import sys

import highspy
import pytest
from commands import output_of, refusal_of, run
from places import SMALL

from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import export_lp, solve

LENET = SMALL / "lenet-0.4-3-mixed.json"


def test_the_optimum_is_printed_with_bound_latencies_and_holders():
    shown = output_of("optmodel", SMALL / "lenet-0.8-4-mixed.json")
    for text in ("optimal (converged)", "optimum      1.217059 ms", "bound        1.217059 ms"):
        assert text in shown
    assert "gap          0.0000 %" in shown
    assert "fc1     0.040474 ms   nexus-1: 8" in shown


def test_the_solution_file_holds_what_others_script_against(tmp_path):
    out = tmp_path / "solution.json"
    options = ("--time-limit", 60, "--mip-gap", 1e-4, "--threads", 1, "--seed", 3)
    assert run("optmodel", LENET, "--out", out, *options).returncode == 0
    written = json.loads(out.read_text())
    assert written["termination"] == "converged"
    assert written["solution_status"] == "optimal"
    assert written["objective_s"] * 1e3 == pytest.approx(1.592079, abs=1e-6)
    assert written["bound_s"] <= written["objective_s"]
    assert 0 <= written["gap"] <= 1e-4
    assert set(written["phases_s"]) == {"build", "start", "solve", "check"}
    assert 0 < sum(written["phases_s"].values()) <= written["wall_time_s"]
    assert written["placement"]["requests"][0]["request"] == "r1"
    assert written["options"]["seed"] == 3
    assert run("optmodel.check", LENET, out).returncode == 0


@pytest.mark.parametrize("method", ["count", "cpsat"])
def test_most_requests_are_served_and_the_others_listed(method, tmp_path):
    out = tmp_path / "solution.json"
    file = SMALL / "infeasible-memory.json"
    shown = output_of("optmodel", file, "--method", method, "--admission", "most", "--out", out)
    assert "optimal (converged)" in shown
    assert "latency      -" in shown
    assert "served       0 of 1 requests" in shown
    assert "rejected     request 'r1': the optimum leaves it out" in shown
    assert "optimal, no placement to check" in output_of("optmodel.check", file, out)


def test_a_changed_placement_is_refused_with_every_violation(tmp_path):
    out = tmp_path / "solution.json"
    assert run("optmodel", LENET, "--out", out).returncode == 0
    solution = json.loads(out.read_text())
    relu1 = solution["placement"]["requests"][0]["layers"][1]
    relu1["segments"] = {"rpi3-1": 8}
    out.write_text(json.dumps(solution))
    done = run("optmodel.check", LENET, out)
    assert done.returncode == 1
    assert "(8f) request 'r1', layer 'relu1', node 'rpi3-1': holds 8 maps" in done.stdout
    assert "(8e)" in done.stdout
    assert "violation(s)" in done.stdout


def test_a_solution_for_another_instance_is_refused(tmp_path):
    done = run("optmodel.check", LENET, SMALL / "cifar_block1-0.8-3-mixed.solution.json")
    assert done.returncode == 1
    assert "expected the layers conv1, relu1" in done.stdout


def test_a_file_that_is_no_solution_exits_2():
    told = refusal_of("optmodel.check", LENET, LENET)
    assert f"{LENET}: instance: expected a value, got nothing" in told


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("infeasible-privacy", "needs 8 helpers (64 maps, at most 8 on each), the fleet has 6"),
        ("infeasible-memory", "'fc1' needs 61,440 bytes of memory on one device, the largest"),
        ("infeasible-unattainable", "no admissible share at 0.4, lowest measured SSIM 0.45"),
        ("infeasible-camera", "must carry 147,456 bits to send, its budget is 129,960"),
    ],
)
def test_an_infeasible_instance_says_so_and_why(name, because):
    shown = output_of("optmodel", SMALL / f"{name}.json")
    assert "infeasible (converged)" in shown
    assert because in shown


def test_the_model_is_exported_with_the_names_of_its_formulation(tmp_path):
    model = tmp_path / "model.lp"
    shown = output_of("optmodel", LENET, "--method", "segment", "--lp", model)
    assert f"model        segment, written to {model}" in shown
    text = model.read_text()
    assert "assign_every_segment_once" in text
    assert "respect_memory" in text


def test_an_exported_model_tells_its_time_unit_and_what_its_indices_mean(tmp_path):
    instance = read_instance(LENET).model_copy(update={"name": "x *\\ min: evil \u202e"})
    model = tmp_path / "model.lp"
    export_lp(instance, "count", model)
    text = model.read_text()
    assert text.startswith("\\ Instance 'x *\\ min: evil \\u202e'.\n")
    assert "\n\\ node 0: 'rpi3-1'\n" in text
    assert "\n\\ layer 1 of network 'lenet': 'relu1'\n" in text
    (unit,) = re.findall(r"count in units of (\S+) s\.", text)
    highs = highspy.Highs()
    highs.silent()
    assert highs.readModel(str(model)) == highspy.HighsStatus.kOk
    highs.run()
    least_s = highs.getInfo().objective_function_value * float(unit)
    assert least_s * 1e3 == pytest.approx(1.592079, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--method", "magic"),
            "--method: expected one of segment, count, cpsat, stages, columns, auto, got 'magic'",
        ),
        (("--solver", "abacus"), "--solver: expected a MILP solver that Pyomo can drive"),
        (("--admission", "some"), "--admission: expected one of all, most, got 'some'"),
        (("--out", "no/such/folder/x.json"), "expected a file name in a writable folder"),
        (("--out", "/proc/x.json"), "/proc/x.json: expected a file name in a writable folder"),
        (("--lp", "/proc/x.lp"), "/proc/x.lp: expected a file name in a writable folder"),
        (("--time-limit", "nan"), "--time-limit"),
        (("--mip-gap", "nan"), "--mip-gap"),
        (("--time-limit", "-1"), "--time-limit"),
        (("--threads", "0"), "--threads"),
    ],
)
def test_bad_options_exit_2_with_one_message(options, message, tmp_path):
    assert message in refusal_of("optmodel", LENET, *options)


def test_an_export_without_a_model_is_refused_and_writes_nothing(tmp_path):
    model = tmp_path / "model.lp"
    told = refusal_of("optmodel", SMALL / "infeasible-unattainable.json", "--lp", model)
    assert "--lp: expected an instance whose layers all have a host" in told
    assert not model.exists()


def test_a_name_with_markup_is_printed_as_it_is(tmp_path):
    file = tmp_path / "marked.json"
    text = LENET.read_text()
    file.write_text(text.replace('"rpi3-1"', '"[/foo]"').replace("lenet-0.4-3-mixed", "[red]x"))
    shown = output_of("optmodel", file)
    assert "instance     [red]x" in shown
    assert "[/foo]: 4" in shown


def test_an_infeasible_instance_without_a_single_cause_says_so():
    shown = output_of("optmodel", SMALL / "infeasible-compute.json")
    assert "because      budgets clash between layers" in shown


def test_only_a_proven_latency_is_called_the_optimum():
    shown = output_of("optmodel", SMALL / "lenet-0.8-4-mixed.json", "--mip-gap", 0.9)
    assert "optimum " not in shown
    assert "latency " in shown


@pytest.mark.parametrize("method", ["auto", "cpsat", "columns", "stages", "count"])
def test_a_method_without_a_model_of_its_own_says_which_one_is_exported(method, tmp_path):
    model = tmp_path / "model.lp"
    done = run("optmodel", LENET, "--method", method, "--lp", model)
    assert f"model        count, written to {model}" in done.stdout
    assert "place_every_segment" in model.read_text()


@pytest.mark.parametrize(
    ("method", "used"), [("stages", False), ("cpsat", False), ("auto", False), ("count", True)]
)
def test_a_solver_that_was_asked_for_but_not_used_is_named(method, used):
    instance = read_instance(LENET)
    found = solve(instance, method, SolverOptions("scip"))
    note = f"{method}: came to its result without the solver scip that was asked for"
    assert (note in found.notes) != used
    assert not any("asked for" in note for note in solve(instance, method).notes)


INTERRUPTED_WHILE_BUILDING = """
import pyomo.environ as pyo
from optmodel.ground.app import run_app

def interrupted(model):
    raise KeyboardInterrupt

def main() -> None:
    model = pyo.ConcreteModel()
    model.broken = pyo.Constraint(rule=interrupted)

run_app(main)
"""


def test_ctrl_c_while_a_model_is_built_is_no_error_of_pyomo():
    script = INTERRUPTED_WHILE_BUILDING
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "Interrupted.\n"
