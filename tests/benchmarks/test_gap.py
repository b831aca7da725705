"""The gap benchmark validates the heuristic against the optimum, resumes, and reports honestly."""

import json
import shutil
import signal
from io import StringIO
from pathlib import Path

import pytest
import runs
from commands import output_of, refusal_of, rows_of, run
from places import SMALL, copied
from rich.console import Console

from benchmarks.common.command import instance_files
from benchmarks.common.records import Record, RecordBook
from benchmarks.gap.comparison import Comparer, Comparison, Contender, most_served
from benchmarks.gap.gap_table import print_gaps, summary
from benchmarks.runtime.runtime_record import RunRecord
from optmodel.batch.engine import BatchEngine
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions

SUBSET = (
    "lenet-0.4-3-mixed",
    "lenet-0.6-5-mixed",
    "lenet-0.8-4-mixed",
    "lenet-0.6-x2-bandwidth-tight",
    "synthetic2-0.6-seed1",
    "infeasible-camera",
)
DEFAULT = ("lookahead", "algorithm1", "layerwise", "random", "source")
OWN = Path(__file__).parents[1] / "heuristics"
"""Where `own_policies` is."""


QUICK = ("lenet-0.4-3-mixed", "infeasible-camera")


@pytest.fixture
def subset(tmp_path):
    return copied(tmp_path / "subset", *SUBSET)


@pytest.fixture
def quick(tmp_path):
    """Two instances that take no time."""
    return copied(tmp_path / "quick", *QUICK)


def test_a_subset_is_solved_compared_recorded_and_drawn(subset, tmp_path):
    out, plot = tmp_path / "gap.csv", tmp_path / "gap.png"
    shown = output_of("benchmarks.gap", "--instances", subset, "--out", out, "--plot", plot)
    assert "6 instances: 5 optimal, 1 proven infeasible, 0 open" in shown
    assert "7 requests, of which 6 can be served at most" in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = rows_of(out)
    assert set(rows) == {(name, method) for name in SUBSET for method in ("auto", *DEFAULT)}
    exact, greedy = rows["lenet-0.8-4-mixed", "auto"], rows["lenet-0.8-4-mixed", "algorithm1"]
    assert float(exact["objective_s"]) * 1e3 == pytest.approx(1.217059, abs=1e-6)
    assert float(greedy["gap"]) == pytest.approx(1.629390 / 1.217059 - 1, rel=1e-5)
    rejecting = rows["lenet-0.6-x2-bandwidth-tight", "algorithm1"]
    assert (rejecting["served"], rejecting["rejected"], rejecting["gap"]) == ("1", "1", "")
    assert float(rows["lenet-0.8-4-mixed", "lookahead"]["gap"]) <= 1e-4
    records = json.loads(out.with_suffix(".records.json").read_text())["records"]
    assert {"versions", "options", "commit", "host", "recorded_at"} <= set(records[0])


def test_what_is_recorded_is_skipped_unless_forced(subset, tmp_path):
    out = tmp_path / "gap.csv"
    arguments = ("--instances", subset / "lenet-0.4-3-mixed.json", "--out", out)
    assert run("benchmarks.gap", *arguments).returncode == 0
    first = out.read_text()
    assert run("benchmarks.gap", *arguments).returncode == 0
    assert out.read_text() == first
    assert run("benchmarks.gap", *arguments, "--force").returncode == 0
    assert out.read_text() != first  # run times differ in their last digits


def test_one_bad_instance_is_reported_and_the_rest_is_done(quick, tmp_path):
    (quick / "broken.json").write_text('{"schema_version": 1}')
    out = tmp_path / "gap.csv"
    told = refusal_of("benchmarks.gap", "--instances", quick, "--out", out)
    assert "broken.json: name: expected a value, got nothing" in told
    assert len(rows_of(out)) == (1 + len(DEFAULT)) * len(QUICK)


def test_a_folder_without_instances_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder with instance files"):
        instance_files("--instances", tmp_path)


def test_policies_of_one_s_own_stand_beside_the_shipped_ones(subset, tmp_path):
    out = tmp_path / "gap.csv"
    named = ("--policies", "algorithm1,own_policies.Cautious,algorithm1")
    arguments = ("--instances", subset / "lenet-0.8-4-mixed.json", *named, "--out", out)
    assert "best ms algorithm1 Cautious" in output_of("benchmarks.gap", *arguments, importing=OWN)
    methods = [method for _, method in rows_of(out)]
    assert methods == ["algorithm1", "auto", "own_policies.Cautious"]


def test_a_policy_of_one_s_own_is_asked_again_as_its_code_may_have_changed(subset, tmp_path):
    out = tmp_path / "gap.csv"
    arguments = ("--instances", subset / "lenet-0.4-3-mixed.json", "--out", out)
    arguments += ("--policies", "algorithm1,own_policies.Cautious")
    times = []
    for _ in range(2):
        assert run("benchmarks.gap", *arguments, importing=OWN).returncode == 0
        times.append({method: row["wall_time_s"] for (_, method), row in rows_of(out).items()})
    changed = {method for method in times[0] if times[0][method] != times[1][method]}
    assert changed == {"own_policies.Cautious"}


@pytest.mark.parametrize(
    ("policies", "why"),
    [
        ("algorithm1,best", "--policies: expected one of lookahead, algorithm1"),
        ("nowhere.Policy", "--policies: expected package.module.Class, got 'nowhere.Policy'"),
        ("", "--policies: expected one of lookahead, algorithm1"),
    ],
)
def test_an_unknown_policy_exits_2_and_nothing_is_solved(subset, tmp_path, policies, why):
    out = tmp_path / "gap.csv"
    told = refusal_of("benchmarks.gap", "--instances", subset, "--policies", policies, "--out", out)
    assert why in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("Sloppy", "Sloppy places request 'r1' against 8e"),
        ("Forgetful", "Forgetful places request"),
    ],
)
def test_a_policy_that_breaks_a_limit_exits_1_and_the_rest_is_done(tmp_path, policy, why):
    for name in ("lenet-0.4-x4-compute", "infeasible-camera"):
        shutil.copy(SMALL / f"{name}.json", tmp_path)
    arguments = ("--instances", tmp_path, "--policies", f"own_policies.{policy}")
    done = run("benchmarks.gap", *arguments, importing=OWN)
    assert done.returncode == 1
    assert why in done.stderr
    assert "infeasible-camera" in done.stdout


def test_where_not_all_can_be_served_policies_are_held_against_the_most_that_can():
    """Three of four fit, whichever order they come in; a policy that serves two has no gap."""
    book = RecordBook(None, Record)
    contenders = tuple(map(Contender, ("algorithm1", "lookahead", "source")))
    comparer = Comparer("auto", SolverOptions(), contenders, book)
    comparison = comparer.compare(read_instance(SMALL / "infeasible-compute.json"))
    assert comparison.exact.solution_status is SolutionStatus.INFEASIBLE
    assert comparison.reference.options["admission"] == "most"
    assert most_served(comparison.reference) == 3
    greedy, ahead, source = comparison.policies
    assert (greedy.served, greedy.rejected) == (3, 1)
    assert greedy.gap == pytest.approx(0, abs=1e-6)
    assert ahead.gap == pytest.approx(0, abs=1e-4)
    assert (source.served, source.gap) == (0, None)
    assert not list(comparison.contradictions())
    admissions = [record.options.get("admission") for record in book.records]
    assert admissions.count("all") == admissions.count("most") == 1


def test_what_improvement_makes_of_each_placement_stands_beside_it(subset, tmp_path):
    """The greedy is a third above one optimum, and of the other batch rejects a request."""
    out, plot = tmp_path / "gap.csv", tmp_path / "gap.png"
    for name in SUBSET:
        if name not in ("lenet-0.8-4-mixed", "lenet-0.6-x2-bandwidth-tight"):
            (subset / f"{name}.json").unlink()
    arguments = ("--instances", subset, "--policies", "algorithm1,own_policies.Cautious")
    arguments += ("--improve", "2", "--out", out, "--plot", plot)
    shown = output_of("benchmarks.gap", *arguments, importing=OWN)
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "instance proven best ms algorithm1 +2 s Cautious +2 s" in lines
    assert "lenet-0.8-4-mixed optimal 1.217059 33.88 0.00 33.88 0.00" in lines
    assert "+N s: what the placement to its left became" in shown
    row = rows_of(out)["lenet-0.6-x2-bandwidth-tight", "algorithm1 +2 s"]
    assert (row["served"], row["rejected"]) == ("2", "0")
    assert json.loads(row["options"])["improve_s"] == 2.0
    assert plot.read_bytes().startswith(b"\x89PNG")
    before = rows_of(out)
    assert run("benchmarks.gap", *arguments, importing=OWN).returncode == 0
    changed = {method for (_, method), row in rows_of(out).items() if row not in before.values()}
    assert changed == {"own_policies.Cautious", "own_policies.Cautious +2 s"}


def test_other_seconds_of_improvement_are_another_run(tmp_path):
    instance = read_instance(SMALL / "lenet-0.8-4-mixed.json")
    for improve_s in (None, 10.0, 20.0):
        book = RecordBook(tmp_path / "gap.csv", Record)
        contenders = (Contender("algorithm1", improve_s),)
        Comparer("auto", SolverOptions(), contenders, book).compare(instance)
    methods = [record.method for record in book.records]
    assert methods == ["algorithm1", "algorithm1 +10 s", "algorithm1 +20 s", "auto"]
    first, *improved, optimum = [record.objective_s for record in book.records]
    assert all(latency == optimum < first for latency in improved)


def test_ctrl_c_during_improvement_records_the_rest_and_not_this(monkeypatch):
    """What was improved for less than was asked would be compared under a false name."""
    instance = read_instance(SMALL / "lenet-0.8-4-mixed.json")
    book = RecordBook(None, Record)

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(BatchEngine, "_rounds", interrupted)
    contenders = (Contender("algorithm1"), Contender("algorithm1", 10.0))
    with pytest.raises(KeyboardInterrupt):
        Comparer("auto", SolverOptions(), contenders, book).compare(instance)
    assert [record.method for record in book.records] == ["algorithm1", "auto"]


def record(**changes) -> RunRecord:
    return runs.record(**{"objective_s": 2.0, "bound_s": 2.0, "wall_time_s": 0.1, **changes})


def policy_record(**changes) -> RunRecord:
    return record(**{"method": "greedy", "solution_status": SolutionStatus.FEASIBLE, **changes})


def test_a_policy_below_a_proven_optimum_is_a_contradiction():
    comparison = Comparison(record(), (policy_record(objective_s=1.9),))
    assert list(comparison.contradictions()) == [
        "i: greedy takes 1.9 s, below the proven bound 2.0 s"
    ]


def test_a_policy_that_serves_more_than_can_be_is_a_contradiction():
    infeasible = {"solution_status": SolutionStatus.INFEASIBLE, "bound_s": None}
    exact = record(**infeasible, objective_s=None, served=0, rejected=2)
    most = record(served=1, rejected=1, most_served=1)
    policies = (policy_record(served=2), policy_record(served=1, rejected=1))
    (text,) = Comparison(exact, policies, most).contradictions()
    assert text == "i: greedy serves 2 requests, of which 1 are proven the most"


def test_a_partial_service_below_the_optimum_is_no_contradiction():
    partial = record(
        method="greedy", solution_status=SolutionStatus.PARTIAL, objective_s=1.0, rejected=1
    )
    assert not list(Comparison(record(served=2), (partial,)).contradictions())


def printed(comparisons: list[Comparison]) -> list[str]:
    paper = StringIO()
    print_gaps(Console(file=paper, width=100), comparisons)
    return [" ".join(line.split()) for line in paper.getvalue().splitlines()]


def test_the_tables_show_gaps_counts_and_times_side_by_side():
    comparisons = [
        Comparison(record(), (policy_record(gap=0.5), policy_record(method="own.Quick", gap=0.25))),
        Comparison(
            record(instance="j", served=2, gap=0.03, solution_status=SolutionStatus.FEASIBLE),
            (
                policy_record(instance="j", served=2, gap=0.1),
                policy_record(method="own.Quick", instance="j", gap=None, rejected=1),
            ),
        ),
    ]
    lines = printed(comparisons)
    assert lines[0] == "instance proven best ms greedy Quick"
    assert "i optimal 2000.000000 50.00 25.00" in lines
    assert "j 3.00 % 2000.000000 10.00 1/2" in lines
    assert "greedy 3 0 2 30.00 30.00 50.00 66.7 0.20" in lines
    assert "own.Quick 2 1 1 25.00 25.00 25.00 66.7 0.20" in lines


def test_an_oversubscribed_instance_shows_the_most_that_can_be_served():
    exact = record(solution_status=SolutionStatus.INFEASIBLE, bound_s=None, objective_s=None)
    proven = record(served=3, rejected=1, most_served=3)
    unproven = proven.model_copy(
        update={"solution_status": SolutionStatus.FEASIBLE, "bound_s": None, "gap": None}
    )
    policies = (policy_record(served=3, rejected=1, gap=0.2), policy_record(served=2, rejected=2))
    lines = printed([Comparison(exact, policies, most) for most in (proven, unproven)])
    assert "i 3/4 2000.000000 20.00 2/4" in lines
    assert "i 3/4 open 2000.000000 20.00 2/4" in lines


def test_the_summary_counts_what_is_proven():
    infeasible = record(
        instance="k", solution_status=SolutionStatus.INFEASIBLE, served=0, rejected=2
    )
    most = record(instance="k", served=1, rejected=1, most_served=1)
    comparisons = [Comparison(record(), ()), Comparison(infeasible, (), most)]
    assert summary(comparisons) == (
        "2 instances: 1 optimal, 1 proven infeasible, 0 open; 0.3 s\n"
        "3 requests, of which 2 can be served at most"
    )


def test_nothing_is_printed_as_a_table_where_nothing_could_be_read():
    assert printed([]) == [
        "0 instances: 0 optimal, 0 proven infeasible, 0 open; 0.0 s",
        "0 requests, of which 0 can be served at most",
    ]


def test_two_instances_of_one_name_are_reported(quick):
    shutil.copy(quick / "lenet-0.4-3-mixed.json", quick / "copy.json")
    told = refusal_of("benchmarks.gap", "--instances", quick)
    assert "name: expected one that no other instance has, got 'lenet-0.4-3-mixed'" in told


def test_records_inside_the_folder_are_no_instances(quick):
    arguments = ("--instances", quick, "--out", quick / "gap.csv")
    assert run("benchmarks.gap", *arguments).returncode == 0
    assert run("benchmarks.gap", *arguments).returncode == 0


def test_a_folder_of_infeasible_instances_has_nothing_to_draw(tmp_path):
    shutil.copy(SMALL / "infeasible-camera.json", tmp_path)
    plot = tmp_path / "gap.png"
    done = run("benchmarks.gap", "--instances", tmp_path, "--plot", plot)
    assert done.returncode == 0
    assert "there is no gap to show" in done.stderr
    assert not plot.exists()
