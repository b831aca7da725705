"""`python -m heuristics`: prints a checked placement, names rejections, refuses bad input."""

import json
from pathlib import Path

import pytest
from commands import run

SMALL = Path(__file__).parents[2] / "instances" / "small"


def test_a_placement_is_printed_and_written(tmp_path):
    out = tmp_path / "placed.json"
    done = run("heuristics", SMALL / "lenet-0.8-4-mixed.json", "--out", out)
    assert done.returncode == 0
    assert "latency      1.217059 ms" in done.stdout
    assert "rpi3-1" in done.stdout
    written = json.loads(out.read_text())
    assert written["method"] == "lookahead"
    assert written["solution_status"] == "feasible"
    checked = run("optmodel.check", SMALL / "lenet-0.8-4-mixed.json", out)
    assert checked.returncode == 0


def test_latency_bound_and_gap_of_another_policy_are_printed():
    done = run("heuristics", SMALL / "lenet-0.8-4-mixed.json", "--policy", "algorithm1")
    assert done.returncode == 0
    printed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[:6])
    assert printed["latency"] == "1.629390 ms"
    assert float(printed["bound"].split()[0]) == pytest.approx(1.217059, rel=2e-4)
    assert float(printed["gap"].split()[0]) == pytest.approx(33.88, abs=0.02)


def test_rejections_are_printed_with_layer_and_condition():
    done = run("heuristics", SMALL / "infeasible-privacy.json")
    assert done.returncode == 0
    assert "at layer 'relu11', segment 49: cond4 (privacy) on 6 of 6 node(s)" in done.stdout


def test_an_unknown_policy_exits_2_and_writes_nothing(tmp_path):
    out = tmp_path / "placed.json"
    instance = SMALL / "lenet-0.8-4-mixed.json"
    done = run("heuristics", instance, "--policy", "best", "--out", out)
    assert done.returncode == 2
    assert "--policy: expected one of lookahead, algorithm1" in done.stderr
    assert not out.exists()


def test_the_help_says_that_a_file_alone_is_enough():
    done = run("heuristics", "--help")
    assert done.returncode == 0
    assert "Arguments without a command are those of place." in done.stdout
    assert "serve" in done.stdout
