"""The benchmark of decisions: times, ratios and gaps, judged against what is to be reached."""

import json
from math import inf
from pathlib import Path

import pytest
from places import SMALL, copied

from benchmarks import policies
from benchmarks.common.records import Record
from benchmarks.decisions.decision_times import CONTENDERS, DecisionCase, decide
from benchmarks.decisions.policy_targets import (
    PolicyTarget,
    mean_gap,
    policy_table,
    seconds,
    single_requests,
    slowest_ms,
    worst_gap,
)
from heuristics.policies import place
from instances.generate import Recipe, generate
from optmodel.ground.rule_errors import ResultError
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import digest, read_instance

LENET = generate(Recipe(("lenet",), "mixed", 4, 0.8), "lenet")
OPTIMUM_S = 1.217059e-3


@pytest.mark.parametrize("contender", CONTENDERS)
def test_a_decision_is_recorded_with_its_time_and_gap(contender):
    record = decide(DecisionCase(LENET, contender, bound_s=0.001, repeat=3))
    assert record.method == contender
    assert record.instance_sha256 == digest(LENET)
    assert record.options == {"seed": 0, "repeat": 3}
    assert record.solution_status is SolutionStatus.FEASIBLE
    assert record.gap == pytest.approx(record.objective_s / 0.001 - 1)
    assert record.wall_time_s > 0


def test_contenders_place_as_the_policies_do():
    placed = {contender: decide(DecisionCase(LENET, contender)) for contender in CONTENDERS}
    greedy, ahead = (place(LENET, policy) for policy in ("algorithm1", "lookahead"))
    assert placed["algorithm1"].objective_s == greedy.objective_s
    assert placed["lookahead"].objective_s == ahead.objective_s
    assert placed["lookahead (warm)"].objective_s == ahead.objective_s


def test_improvement_ends_at_the_optimum_of_what_algorithm_1_may_miss():
    improved = decide(DecisionCase(LENET, "lookahead (improved)"))
    assert improved.objective_s == pytest.approx(OPTIMUM_S, rel=1e-5)


def test_a_known_kind_of_request_is_decided_faster():
    instance = generate(Recipe(("cifar_block1",), "mixed", 3, 0.8), "cold-and-warm")
    cold, warm = (
        decide(DecisionCase(instance, c, repeat=3)) for c in ("lookahead", "lookahead (warm)")
    )
    assert warm.wall_time_s < cold.wall_time_s / 2


def test_a_decision_below_a_proven_bound_is_an_error():
    with pytest.raises(ResultError, match=r"below the proven bound 1\.0 s"):
        decide(DecisionCase(LENET, "algorithm1", bound_s=1.0))


def test_a_rejection_has_no_gap():
    instance = generate(Recipe(("cifar_block1",), "mixed", 6, 0.4), "refused")
    record = decide(DecisionCase(instance, "algorithm1", bound_s=1.0))
    assert (record.served, record.rejected, record.gap) == (0, 1, None)


def test_values_summarise_records():
    fast, slow = (
        decide(DecisionCase(LENET, "algorithm1")).model_copy(update={"wall_time_s": s, "gap": gap})
        for s, gap in ((0.1, 0.0), (0.4, 0.5))
    )
    assert slowest_ms([fast, slow]) == pytest.approx(400)
    assert seconds([fast, slow]) == pytest.approx(0.5)
    assert mean_gap([fast, slow]) == pytest.approx(25)
    assert worst_gap([fast, slow]) == pytest.approx(50)
    assert worst_gap([fast, slow.model_copy(update={"gap": None})]) == inf


def test_a_goal_is_the_most_that_may_be(capsys):
    cases = (DecisionCase(LENET, "algorithm1"),)
    target = PolicyTarget("work", cases, seconds, at_least=2, aim=1)
    for taken, reached in ((0.9, "yes"), (1.0, "yes"), (1.1, "no")):
        record = decide(cases[0]).model_copy(update={"wall_time_s": taken})
        policies.print_targets((target,), {cases[0]: record})
        assert f"2 yes 1 {reached}" in " ".join(capsys.readouterr().out.split())


def test_single_requests_with_a_placement_come_with_their_shipped_bounds(tmp_path):
    copied(tmp_path, "lenet-0.8-4-mixed", "infeasible-camera", "lenet-0.8-x2")
    (case,) = single_requests([tmp_path])
    assert case.instance == read_instance(SMALL / "lenet-0.8-4-mixed.json")
    assert case.bound_s == pytest.approx(OPTIMUM_S, rel=1e-5)


def test_the_table_asks_for_what_is_to_be_reached():
    table = policy_table(repeat=3)
    assert [len(target.cases) for target in table] == [6, 6, 6, 210, 210, 210, 1]
    assert [(target.at_least, target.aim) for target in table] == [
        *((50, 5), (200, 20), (200, 20)),
        *((3, 0.5), (15, 3), (1, 0.1), (60, 5)),
    ]
    assert {len(case.instance.devices) for case in table[0].cases} == {70}
    assert {case.repeat for target in table[:3] for case in target.cases} == {3}
    assert all(case.bound_s is not None for case in table[3].cases)
    (batch,) = table[-1].cases
    assert len(batch.instance.requests) == 320


def small_table(repeat: int) -> tuple[PolicyTarget, ...]:
    cases = tuple(DecisionCase(LENET, contender, 0.001, repeat) for contender in CONTENDERS)
    return (
        PolicyTarget("all", cases, seconds, at_least=60, aim=0),
        PolicyTarget("gap", cases[:1], worst_gap, at_least=1, aim=70),
    )


def test_rows_are_printed_with_verdicts_and_records_are_resumed(
    tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setattr(policies, "policy_table", small_table)
    out = tmp_path / "policies.csv"
    policies.main(repeat=2, out=out)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    (timed,) = (line for line in lines if line.startswith("all "))
    assert timed.startswith("all 4/4 ")
    assert timed.endswith("60 yes 0 no")
    assert "gap 1/1 62.939 1 no 70 yes" in lines
    first = out.read_text()
    policies.main(repeat=2, out=out)
    assert out.read_text() == first
    policies.main(repeat=1, out=out)
    records = json.loads(out.with_suffix(".records.json").read_text())["records"]
    assert {record["options"]["repeat"] for record in records} == {1}
    again = out.read_text()
    policies.main(repeat=1, out=out, force=True)
    assert out.read_text() != again


def test_a_run_that_was_interrupted_keeps_what_it_had(tmp_path: Path, monkeypatch):
    decided: list[Record] = []

    def interrupted(case: DecisionCase) -> Record:
        if len(decided) == 2:
            raise KeyboardInterrupt
        decided.append(decide(case))
        return decided[-1]

    monkeypatch.setattr(policies, "policy_table", small_table)
    monkeypatch.setattr(policies, "decide", interrupted)
    out = tmp_path / "policies.csv"
    with pytest.raises(KeyboardInterrupt):
        policies.main(repeat=1, out=out)
    records = json.loads(out.with_suffix(".records.json").read_text())["records"]
    assert {record["method"] for record in records} == {record.method for record in decided}
