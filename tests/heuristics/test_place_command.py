"""`python -m heuristics`: prints a checked placement, names rejections, refuses bad input."""

import json
from pathlib import Path

import pytest
from commands import output_of, refusal_of
from places import CASES, SMALL

from heuristics.__main__ import place
from heuristics.policies import CheckedPlan, decide
from heuristics.scheduler.scheduler import OnlineScheduler
from optmodel.ground.json_files import read_model
from optmodel.placement.solution import Solution, Termination
from optmodel.problem.instance import read_instance


def test_a_placement_is_printed_and_written(tmp_path):
    out = tmp_path / "placed.json"
    told = output_of("heuristics", SMALL / "lenet-0.8-4-mixed.json", "--out", out)
    assert "latency      1.217059 ms" in told
    assert "rpi3-1" in told
    written = json.loads(out.read_text())
    assert written["method"] == "lookahead"
    assert written["solution_status"] == "feasible"
    output_of("optmodel.check", SMALL / "lenet-0.8-4-mixed.json", out)


def test_latency_bound_and_gap_of_another_policy_are_printed():
    told = output_of("heuristics", SMALL / "lenet-0.8-4-mixed.json", "--policy", "algorithm1")
    lines = told.splitlines()
    printed = dict(line.split(maxsplit=1) for line in [*lines[:6], *lines[-3:]])
    assert lines[4].split() == ["bound", "-"]  # The placement comes first.
    assert printed["latency"] == "1.629390 ms"
    assert float(printed["bound"].split()[0]) == pytest.approx(1.217059, rel=2e-4)
    assert float(printed["gap"].split()[0]) == pytest.approx(33.88, abs=0.02)


def test_rejections_are_printed_with_layer_and_condition():
    told = output_of("heuristics", SMALL / "infeasible-privacy.json")
    assert "at layer 'relu11', segment 49: cond4 (privacy) on 6 of 6 node(s)" in told


def test_an_unknown_policy_exits_2_and_writes_nothing(tmp_path):
    out = tmp_path / "placed.json"
    instance = SMALL / "lenet-0.8-4-mixed.json"
    told = refusal_of("heuristics", instance, "--policy", "best", "--out", out)
    assert "--policy: expected one of lookahead, algorithm1" in told
    assert not out.exists()


# The placement comes first, the bound when it is there.


def placed(out: Path, **options: float | bool) -> None:
    """Run the command in this process, on a policy that does not know the bound."""
    chosen: dict = {"bound_time_limit": None, "no_bound": False, "improve": None} | options
    place(CASES / "porch.json", policy="algorithm1", seed=0, out=out, **chosen)


def test_ctrl_c_while_bounding_keeps_what_was_shown_and_written(tmp_path, monkeypatch, capsys):
    out = tmp_path / "placed.json"

    def interrupted(*_: object) -> Solution:
        assert json.loads(out.read_text())["solution_status"] == "feasible"
        assert "jetson-1" in capsys.readouterr().out
        raise KeyboardInterrupt

    monkeypatch.setattr(CheckedPlan, "bounded", interrupted)
    with pytest.raises(SystemExit) as ended:
        placed(out)
    assert ended.value.code == 130
    written = read_model(out, Solution)
    assert written.termination is Termination.INTERRUPTED
    assert len(written.placement.requests) == 3
    assert written.bound_s is None


def test_without_a_bound_none_is_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(CheckedPlan, "bounded", None)
    placed(tmp_path / "placed.json", no_bound=True)
    assert capsys.readouterr().out.count("status ") == 1
    assert read_model(tmp_path / "placed.json", Solution).gap is None


def test_an_improvement_without_a_bound_tells_nothing_of_one(tmp_path, capsys):
    placed(tmp_path / "placed.json", improve=2.0, no_bound=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = [words for words in lines if words[:1] in (["bound"], ["gap"])]
    assert shown == 2 * [["bound", "-"], ["gap", "-"]]
    found = read_model(tmp_path / "placed.json", Solution)
    assert (found.bound_s, found.gap) == (None, None)
    assert found.trace
    assert all(point.bound_s is None for point in found.trace)
    incumbents = [point.incumbent_s for point in found.trace]
    assert incumbents == sorted(set(incumbents), reverse=True)


def test_the_bound_gets_the_time_that_it_is_given(tmp_path, monkeypatch):
    given = []

    def bounded(plan: CheckedPlan, time_limit_s: float | None) -> Solution:
        given.append(time_limit_s)
        return plan.solution

    monkeypatch.setattr(CheckedPlan, "bounded", bounded)
    placed(tmp_path / "placed.json", bound_time_limit=7.0)
    assert given == [7.0]


def test_a_limit_that_is_over_leaves_the_placement_and_a_bound_from_counting():
    plan = decide(read_instance(CASES / "porch.json"), "algorithm1")
    found = plan.bounded(0.0)
    assert found.objective_s == plan.solution.objective_s
    assert 0 < found.bound_s <= found.objective_s


def test_serving_decides_in_counted_steps(monkeypatch):
    monkeypatch.setattr("optmodel.online.known_paths.STEPS_PER_S", 100)
    porch = read_instance(CASES / "porch.json")
    for policy in ("algorithm1", "lookahead"):
        decision = OnlineScheduler(porch, policy).submit(porch.requests[0])
        assert 0 < decision.bound_s <= decision.latency_s
