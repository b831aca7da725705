"""A policy of one's own runs by its dotted name, behind the checker; mistakes are named."""

import json
from pathlib import Path

import pytest
from commands import refusal_of, run
from places import SMALL

from heuristics.policies import make_policy, policy_type
from optmodel.ground.rule_errors import InputError

HERE = Path(__file__).parent
LENET = SMALL / "lenet-0.8-4-mixed.json"
BATCH = SMALL / "lenet-0.4-x4-compute.json"


def place(instance: Path, name: str, *arguments: object):
    policy = ("--policy", f"own_policies.{name}")
    return run("heuristics", instance, *policy, *arguments, importing=HERE)


def test_a_policy_of_a_module_of_one_s_own_is_run_and_checked(tmp_path):
    out = tmp_path / "placed.json"
    done = place(LENET, "Cautious", "--out", out, "--seed", 3)
    assert done.returncode == 0, done.stderr
    assert "checked exactly" in done.stdout
    written = json.loads(out.read_text())
    assert written["method"] == "own_policies.Cautious"
    assert written["options"] == {"seed": 3}
    assert written["bound_s"] <= written["objective_s"]
    assert run("optmodel.check", LENET, out).returncode == 0


def test_its_own_rejections_are_printed():
    done = place(BATCH, "Choosy")
    assert done.returncode == 0
    assert "rejected     request 'r2': every second one is turned away" in done.stdout
    assert "served       2 of 4 requests" in done.stdout


def test_a_policy_that_overbooks_is_refused_with_node_and_budget(tmp_path):
    out = tmp_path / "placed.json"
    done = place(BATCH, "Forgetful", "--out", out)
    assert done.returncode == 1
    assert "Forgetful places request 'r" in done.stderr
    assert "multiplications (8c), the placement takes" in done.stderr
    assert "' has " in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.Policy", "No module named 'nowhere'"),
        ("own_policies.Missing", "has no attribute 'Missing'"),
        ("..Policy", "that is no dotted name"),
        ("own_policies.", "that is no dotted name"),
    ],
)
def test_an_unknown_dotted_name_exits_2_and_writes_nothing(tmp_path, name, why):
    out = tmp_path / "placed.json"
    told = refusal_of("heuristics", LENET, "--policy", name, "--out", out, importing=HERE)
    assert f"--policy: expected package.module.Class, got '{name}'" in told
    assert why in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("NoPolicy", 2, "expected a class with a method place(problem, task, left)"),
        ("Seedless", 2, "expected a class that is made with a seed, got 'own_policies.Seedless'"),
        ("Seedless", 2, "give it __init__(self, *, seed)"),
        ("Sloppy", 1, "Sloppy places request 'r1' against 8e: layer 'fc3' has 0 of 1 segments"),
        (
            "Undecided",
            1,
            "Error: Undecided answers request 'r1' with None: expected a RequestPlacement or a "
            "Rejection\n",
        ),
    ],
)
def test_what_is_wrong_with_a_policy_is_told(name, code, told):
    done = place(LENET, name)
    assert done.returncode == code
    assert told in done.stderr


def test_policies_are_found_by_name_or_dotted_name():
    assert policy_type("algorithm1") is policy_type("optmodel.online.algorithm1.Algorithm1")
    assert make_policy("random", 1) is not make_policy("random", 1)
    with pytest.raises(InputError, match=r"^policies: expected one of lookahead, algorithm1"):
        policy_type("best", "policies")
