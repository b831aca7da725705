"""The runtime benchmark measures what is asked for, once, and reports what it took."""

import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from math import inf
from pathlib import Path

import pytest
from commands import output_of, refusal_of, rows_of, run
from runs import AS_WORKER, record, use_worker

from benchmarks.common.records import RecordBook
from benchmarks.runtime import __main__ as runtime
from benchmarks.runtime.__main__ import Configuration, configurations, labels, pending, recorded
from benchmarks.runtime.runtime_cases import RuntimePlan, SolveCase, cases_of
from benchmarks.runtime.runtime_record import RunRecord
from benchmarks.runtime.scaling import DEVICES, MAPS, REQUESTS, series
from benchmarks.runtime.speed_targets import BINDING, Goal, RuntimeTarget, speed_table
from heuristics.policies import place
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import read_instance

SMALL = Path(__file__).parents[2] / "instances" / "small"
NAMES = ("lenet-0.4-3-mixed", "lenet-0.6-3-mixed", "infeasible-memory")
LENET = read_instance(SMALL / "lenet-0.4-3-mixed.json")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "some"
    made.mkdir()
    for name in NAMES:
        shutil.copy(SMALL / f"{name}.json", made)
    return made


METHODS = ("segment", "count", "auto")
"""What is measured unless told otherwise."""


def test_a_folder_is_measured_with_phases_apart_and_compared_with_segment(folder, tmp_path):
    out, plot = tmp_path / "runtime.csv", tmp_path / "runtime.png"
    shown = output_of("benchmarks.runtime", "--set", folder, "--out", out, "--plot", plot)
    assert "3 instances that every method was measured on" in shown
    assert "segment / count: geometric mean" in shown
    assert "over 2 instances that both finished" in shown  # the third needs no solver
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = rows_of(out)
    assert set(rows) == {(name, method) for name in NAMES for method in METHODS}
    for row in rows.values():
        assert row["outcome"] == "finished"
        assert 0 < float(row["read_s"]) < 1
        assert float(row["build_s"]) > 0
    solved = rows["lenet-0.4-3-mixed", "count"]
    assert float(solved["objective_s"]) * 1e3 == pytest.approx(1.592079, abs=1e-6)
    assert float(solved["solve_s"]) > 0
    assert float(solved["check_s"]) > 0
    assert rows["infeasible-memory", "count"]["solution_status"] == "infeasible"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--methods", "simplex"), "--methods: expected one of"),
        (("--solvers", "nosuch"), "expected a MILP solver that Pyomo can drive"),
        (("--set", "nowhere"), "--set: expected a folder with instance files, got 'nowhere'"),
        (("--scaling-plot", "s.png"), "--scaling-plot: expected --set scaling with it"),
        (("--plot", "p.pdf"), "--plot: expected a name ending in .png"),
        (("--repeat", "0"), "Invalid value for '--repeat'"),
    ],
)
def test_bad_input_exits_2_and_writes_nothing(arguments, message, tmp_path):
    out = tmp_path / "runtime.csv"
    assert message in " ".join(refusal_of("benchmarks.runtime", *arguments, "--out", out).split())
    assert not list(tmp_path.iterdir())


def test_a_broken_instance_is_refused_before_anything_is_measured(folder, tmp_path):
    (folder / "zbroken.json").write_text('{"schema_version": 1}')
    out = tmp_path / "runtime.csv"
    told = refusal_of("benchmarks.runtime", "--set", folder, "--out", out)
    assert "zbroken.json: name: expected a value, got nothing" in told
    assert not out.exists()


WRONG = """def placement(self):
        import numpy
        from optmodel.placement import Flows, Placement, RequestPlacement
        [task] = self.problem.tasks
        nowhere = numpy.zeros((len(task.layers), len(self.problem.node_ids)), dtype=int)
        return Placement({task.request.id: RequestPlacement(nowhere, Flows.from_entries([]))})"""


def test_a_result_that_the_checker_refuses_exits_1(monkeypatch, capsys, tmp_path):
    use_worker(monkeypatch, AS_WORKER.format(body=WRONG))
    out = tmp_path / "runtime.csv"
    with pytest.raises(SystemExit) as stopped:
        runtime.main(sets=[str(SMALL / f"{NAMES[0]}.json")], methods="count", out=out)
    assert stopped.value.code == 1
    assert "count returned a placement that is not one" in capsys.readouterr().err
    assert rows_of(out)[NAMES[0], "count"]["outcome"] == "wrong"


COUNT = Configuration("count", "highs")


def test_what_the_command_line_asks_for_goes_before_what_the_case_says(monkeypatch):
    monkeypatch.setattr(
        runtime,
        "measure",
        lambda instance, method, options, repeat: record(options=asdict(options)),
    )
    book, case = RecordBook(None, RunRecord), SolveCase(LENET, mip_gap=0.5, time_limit_s=9.0)
    made = recorded(case, Configuration("count", "scip"), {"time_limit_s": 3.0}, 1, book)
    found = [made.options[name] for name in ("solver", "mip_gap", "time_limit_s")]
    assert found == ["scip", 0.5, 3.0]


BLOCKING = AS_WORKER.format(
    body="""@classmethod
    def build(cls, problem, admission="all"):
        import signal
        held = open({fifo!r}, "w")
        held.write("building")
        held.flush()
        signal.pause()"""
)


def test_a_killed_benchmark_leaves_no_worker_and_resumes_where_it_stopped(tmp_path):
    """The count worker holds a pipe open, which tells when it has started and when it ends."""
    fifo, out = tmp_path / "fifo", tmp_path / "runtime.csv"
    os.mkfifo(fifo)
    worker = BLOCKING.format(fifo=str(fifo))
    arguments = ["--set", str(SMALL / f"{NAMES[0]}.json"), "--out", str(out)]
    arguments += ["--methods", "segment,count"]
    script = (
        "import sys; from benchmarks.runtime import __main__ as runtime, measure\n"
        "from optmodel.ground.app import run_app\n"
        f"measure.WORKER = ('-c', {worker!r})\nrun_app(runtime.main)"
    )
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command) as benchmark, fifo.open() as stream:
        assert stream.read(8) == "building"
        benchmark.kill()
        benchmark.wait()
        assert stream.read() == ""  # The end of the file: nobody holds the pipe any more.
    before = rows_of(out)
    assert set(before) == {(NAMES[0], "segment")}
    assert run("benchmarks.runtime", *arguments).returncode == 0
    after = rows_of(out)
    assert set(after) == {(NAMES[0], "segment"), (NAMES[0], "count")}
    assert after[NAMES[0], "segment"] == before[NAMES[0], "segment"]


def test_formulations_run_with_every_solver_and_other_methods_once():
    chosen = configurations(["count", "stages"], ["highs", "scip"])
    assert chosen == [COUNT, Configuration("count", "scip"), Configuration("stages", "highs")]
    assert list(labels(chosen).values()) == ["count/highs", "count/scip", "stages"]


def test_segment_is_added_only_where_a_row_asks_for_it():
    work = RuntimePlan()
    other = LENET.model_copy(update={"name": "other"})
    work.add([SolveCase(LENET, with_baseline=True), SolveCase(other)])
    baseline = Configuration("segment", "highs")
    asked = [(case.instance.name, one) for case, one in pending(work, [COUNT], baseline)]
    assert asked == [(LENET.name, COUNT), (LENET.name, baseline), ("other", COUNT)]


def test_two_instances_of_one_name_are_refused():
    work = RuntimePlan()
    work.add([SolveCase(LENET), SolveCase(LENET)])
    with pytest.raises(InputError, match="expected instances whose names differ"):
        work.add([SolveCase(LENET.model_copy(update={"period_s": 1.0}))])


def test_the_small_set_is_that_of_the_folder():
    files = sorted(file for file in SMALL.glob("*.json") if ".solution" not in file.name)
    assert set(cases_of(["small"]).cases) == {read_instance(file).name for file in files}
    assert len(cases_of(["small", str(SMALL)]).cases) == len(files)


def test_the_scaling_series_grow_in_one_thing_only():
    maps, devices, requests = series()
    for size, instance in maps.instances.items():
        layers = Problem.of(instance).tasks[0].layers
        assert [layer.segments for layer in layers[1:4]] == [size] * 3
        assert layers[1].cap == size // 2
    assert [len(i.devices) for i in devices.instances.values()] == list(DEVICES)
    assert [len(i.requests) for i in requests.instances.values()] == list(REQUESTS)
    assert list(maps.instances) == list(MAPS)
    assert len({len(i.devices) for i in requests.instances.values()}) == 1


def test_the_speed_table_has_all_rows_and_only_attainable_instances():
    table = speed_table()
    assert [len(target.instances) for target in table] == [43, 1, 3, 6, 10, 1, 1]
    assert [str(target.at_least) for target in table[1:]] == [
        "0.0001 % in 2 s",
        "0.01 % in 30 s",
        "0.01 % in 60 s",
        "0.1 % in 300 s",
        "2 % in 300 s",
        "any gap",
    ]
    assert len(table[-1].instances[0].requests) == 320
    for target in table[1:]:
        for instance in target.instances:
            assert not any(task.unattainable for task in Problem.of(instance).tasks)


def test_the_batch_of_twenty_can_be_served_within_its_budgets():
    (instance,) = speed_table()[5].instances
    assert BINDING.memory < 1 > BINDING.compute
    assert (
        place(instance, "algorithm1", with_bound=False).solution_status is SolutionStatus.FEASIBLE
    )


def test_a_row_asks_for_the_smaller_gap_and_the_longer_time():
    target = RuntimeTarget("w", (LENET,), Goal(0.02, 300), Goal(0.005, 60))
    assert target.time_limit_s == 300
    assert target.mip_gap == pytest.approx(0.005 / 1.005)
    quick = RuntimeTarget("w", (LENET,), Goal(inf), Goal(1e-6, 0.1))
    assert quick.time_limit_s == 60
