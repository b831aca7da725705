"""The panels of Figure 3: which runs they need, their tables and pictures, and stopping halfway."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import output_of, refusal_of, run, run_process
from distributed import LocalCluster
from invented import outcome, share

from benchmarks.evaluation import runs as runs_module
from benchmarks.evaluation.page import page
from benchmarks.evaluation.panels import PANELS, EvaluationPlan
from benchmarks.evaluation.runs import SimulatedRun, SimulatedRuns, key_of, simulate_all
from benchmarks.evaluation.table import (
    KEYS,
    compared,
    lines_of,
    mean_and_half,
    measures,
    over_seeds,
)
from benchmarks.simulate import Setting
from optmodel.ground import provenance
from optmodel.ground.rule_errors import InputError

EXPECTED = Path(__file__).parent / "figures"
"""Written by COMMAND with `--out tests/benchmarks/figures`, pictures and runs left out."""
COMMAND = ("--networks", "lenet,cifar_cnn", "--requests", 6, "--seeds", 2)
TINY = Setting(networks=("lenet",), devices=4, cameras=2, requests=5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """What the command writes at small size."""
    out = tmp_path_factory.mktemp("figures") / "new"
    output_of("benchmarks.figures", *COMMAND, "--out", out, "--workers", 2)
    return out


@pytest.mark.parametrize("name", [*(f"{panel}.csv" for panel in PANELS), "utilisation.csv"])
def test_the_tables_are_the_committed_ones(drawn, name):
    made, expected = pd.read_csv(drawn / name), pd.read_csv(EXPECTED / name)
    pd.testing.assert_frame_equal(made, expected, rtol=1e-9)


def test_tables_are_tidy_and_say_their_units(drawn):
    table = pd.read_csv(drawn / "3c.csv")
    assert len(table) == 4 * 3 * 3  # Mixes, tolerances, policies.
    assert not table.duplicated(KEYS).any()
    units = ("_s", "_percent", "_gbit", "_mbit", "_percent_of_service", "_ci95")
    assert all(name.endswith(units) for name in table.columns[len(KEYS) + 1 :])
    assert (table["bound_total_s"] <= table["latency_total_s"]).all()


def test_pictures_and_the_page_are_there(drawn):
    for name in (*PANELS, "all"):
        assert (drawn / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (drawn / f"{name}.svg").read_text()
    html = (drawn / "index.html").read_text()
    assert "src='all.png'" in html
    assert f"python -m benchmarks.figures --out {drawn} --networks lenet,cifar_cnn" in html


def test_panels_of_data_share_the_runs_of_latency(drawn):
    assert len([*(drawn / "runs").iterdir()]) == (6 + 4 + 2) * 3 * 3 * 2


def test_panels_share_runs_and_seeds_come_one_after_the_other():
    plan = EvaluationPlan(seeds=2)
    settings = plan.settings()
    assert len(settings) == 2 * 3 * 3 * (6 + 4 + 4)
    assert len([*plan.cases()]) == 2 * len(settings)
    assert [one.seed for one in settings] == sorted(one.seed for one in settings)
    assert {one.devices for one in settings} == {20, 30, 40, 50, 60, 70}


def test_any_number_of_workers_and_a_scheduler_of_ones_own_give_the_same(tmp_path):
    settings = [TINY.model_copy(update={"seed": seed}) for seed in range(4)]
    expected = {one: SimulatedRun.of(one).outcome for one in settings}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        for at, told in enumerate(({"workers": 1}, {"scheduler": address})):
            found = simulate_all(settings, tmp_path / str(at), **told)
            assert {one: run.outcome for one, run in found.items()} == expected


def test_a_killed_sweep_keeps_what_was_finished(tmp_path, monkeypatch):
    settings = [TINY.model_copy(update={"seed": seed}) for seed in range(4)]
    folder = SimulatedRuns(tmp_path / "runs")
    for setting in settings[:2]:
        folder.add(SimulatedRun.of(setting))
    left = []

    def killed(client, missing):
        left.extend(missing)
        yield SimulatedRun.of(missing[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(runs_module, "_simulated", killed)
    with pytest.raises(KeyboardInterrupt, match="3 of 4 runs are kept, the same command goes on"):
        simulate_all(settings, tmp_path / "runs", workers=1)
    assert left == settings[2:]
    assert [*SimulatedRuns(tmp_path / "runs").find(settings)] == settings[:3]


def test_a_worker_with_other_code_is_refused(tmp_path, monkeypatch):
    other = SimulatedRun.of(TINY).model_copy(update={"source_sha256": "other"})
    monkeypatch.setattr(runs_module, "_simulated", lambda client, missing: iter([other]))
    with pytest.raises(InputError, match="--scheduler: expected workers with the code"):
        simulate_all([TINY], tmp_path / "runs", workers=1)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "fewer",
    [
        {"seeds": 1},
        {"panels": ("3a",)},
        {"policies": ("algorithm1",)},
        {"base": TINY},
        {"ends": True},
    ],
)
def test_a_plan_covers_no_more_than_it_compares(fewer):
    plan = EvaluationPlan(seeds=2)
    assert plan.covers(plan)
    changed = plan.model_copy(update=fewer)
    assert not changed.covers(plan)
    assert plan.covers(changed) is not bool({"base", "ends"} & set(fewer))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("served", 6, "served: expected at most the 5 submitted, got 6"),
        ("rejected_first", 6, "rejected_first: expected at most the 5 submitted, got 6"),
        ("served", -1, "outcome.networks.lenet.served: "),
        ("submitted", 7, "expected 5 requests for lenet, got 7 for lenet"),
    ],
)
def test_a_run_that_contradicts_itself_is_refused(field, value, says, tmp_path):
    folder = SimulatedRuns(tmp_path)
    folder.add(SimulatedRun.of(TINY))
    content = json.loads(folder.file(key_of(TINY)).read_text())
    content["outcome"]["networks"]["lenet"][field] = value
    folder.file(key_of(TINY)).write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"{says}.*delete it"):
        SimulatedRuns(tmp_path).find([TINY])


def test_a_policy_that_fails_ends_the_command_with_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my_failing.py").write_text(
        "class Fails:\n    def __init__(self, *, seed): pass\n"
        "    def place(self, problem, task, left): raise TypeError('no')\n"
        "class Unmade:\n    def __init__(self, *, seed): raise ValueError('no seed')\n"
        "    def place(self, problem, task, left): pass\n"
    )
    options = ("--panel", "3e", "--networks", "lenet", "--requests", 2, "--seeds", 1)
    for name, says in (
        ("Fails", "Error: Fails fails on request 'r1': TypeError: no"),
        ("Unmade", "Error: my_failing.Unmade fails when it is made: ValueError: no seed"),
    ):
        named = ("--policies", f"my_failing.{name}", "--out", tmp_path / name)
        done = run("benchmarks.figures", *options, *named)
        assert done.returncode == 1
        assert done.stderr.strip() == says
        assert not (tmp_path / name / "3e.csv").exists()


def test_all_runs_that_were_edited_are_told_at_once(tmp_path):
    folder = SimulatedRuns(tmp_path)
    settings = [TINY, TINY.model_copy(update={"seed": 1})]
    for setting in settings:
        folder.add(SimulatedRun.of(setting))
        folder.file(key_of(setting)).write_text("{")
    with pytest.raises(InputError) as told:
        SimulatedRuns(tmp_path).find(settings)
    assert all(str(folder.file(key_of(setting))) in str(told.value) for setting in settings)


OWN_POLICY = """
from heuristics.policies import {base} as Base

class Mine(Base):
    pass
"""


def test_a_run_by_a_policy_of_ones_own_counts_until_its_file_changes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_changing_policy.py").write_text(OWN_POLICY.format(base="LayerWise"))
    folder = SimulatedRuns(tmp_path / "runs")
    setting = TINY.model_copy(update={"policy": "my_changing_policy.Mine"})
    run = SimulatedRun.of(setting)
    folder.add(run)
    assert folder.find([setting, TINY]) == {setting: run}
    (tmp_path / "my_changing_policy.py").write_text(OWN_POLICY.format(base="OnSource"))
    provenance.digest_of.cache_clear()  # A new process would not have it either.
    assert folder.find([setting]) == {}


def test_a_folder_grows_but_loses_nothing_and_finished_runs_stay(tmp_path):
    out = tmp_path / "out"
    tiny = ("--networks", "lenet", "--requests", 2, "--out", out)
    assert run("benchmarks.figures", "--panel", "3e", "--seeds", 1, *tiny).returncode == 0
    kept = (out / "plan.json").read_bytes()
    message = refusal_of("benchmarks.figures", "--panel", "3f", "--seeds", 1, *tiny)
    assert "--panel 3e --networks lenet --requests 2 --seeds 1" in message
    assert (out / "plan.json").read_bytes() == kept
    assert not (out / "3f.csv").exists()
    finished = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    assert run("benchmarks.figures", "--panel", "3e,3f", "--seeds", 2, *tiny).returncode == 0
    assert (out / "3e.csv").exists()
    assert (out / "3f.csv").exists()
    assert finished
    assert finished.items() <= {p: p.stat().st_mtime_ns for p in (out / "runs").iterdir()}.items()


def test_without_a_folder_it_is_called_figures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output_of("benchmarks.figures", "--panel", "3e", "--networks", "lenet", "--requests", 1)
    assert (tmp_path / "figures" / "3e.csv").exists()


def test_a_policy_named_twice_counts_once(tmp_path):
    options = ("--panel", "3e", "--networks", "lenet", "--requests", 2, "--seeds", 1)
    named = ("--policies", "source, source", "--out", tmp_path / "out")
    # In a process of its own: matplotlib warns of axes without a number, which is an error here.
    assert run_process("benchmarks.figures", *options, *named).returncode == 0
    table = pd.read_csv(tmp_path / "out" / "3e.csv")
    assert set(table["policy"]) == {"source"}
    assert set(table["seeds"]) == {1}


def test_measures_worked_out_by_hand():
    told = share(served=8, rejected_first=5, waiting_s=2.0)
    assert measures(told) == pytest.approx(
        {
            "latency_total_s": 10.0,
            "latency_mean_s": 1.25,
            "waiting_total_s": 2.0,
            "bound_total_s": 9.0,
            "above_bound_percent": 100 / 9,
            "sending_percent_of_service": 50.0,
            "shared_total_gbit": 1.0,
            "shared_mean_mbit": 125.0,
            "rejected_first_percent": 50.0,
            "unserved_percent": 20.0,
        }
    )
    nobody = measures(share(served=0, latency_s=0.0, bound_s=0.0, computing_s=0.0))
    assert math.isnan(nobody["latency_mean_s"])
    assert nobody["unserved_percent"] == 100.0


def test_intervals_are_those_of_student():
    """Of 1, 2, 3: standard deviation 1, and 4.303 = t(0.975, 2)."""
    assert mean_and_half(np.array([1.0, 2.0, 3.0])) == pytest.approx((2.0, 4.3027 / 3**0.5), 1e-4)
    mean, half = mean_and_half(np.array([5.0]))
    assert mean == 5.0
    assert math.isnan(half)


def test_what_comes_from_outside_is_escaped_on_the_page():
    plan = EvaluationPlan(
        base=Setting(networks=("lenet",), requests=10),
        panels=("3e",),
        seeds=1,
        policies=("source",),
    )
    frame = over_seeds(lines_of(plan.cases(), _never(plan), compared), KEYS)
    frame["x"] = "<script>"
    html = page(frame, plan, "<b>")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


def _never(plan: EvaluationPlan) -> dict[Setting, SimulatedRun]:
    timing = {"events": 0, "total_s": 0.0, "slowest_s": 0.0}
    return {
        one: SimulatedRun.model_validate(
            {"setting": one, "outcome": outcome(one), "timing": timing}
        )
        for one in plan.settings()
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--panel", "3g"], "--panel: expected one of 3a, 3b"),
        (["--networks", "alexnet"], "--networks: expected one of"),
        (["--policies", "best"], "--policies: expected one of"),
        (["--seeds", "0"], "--seeds: expected a number from 1 to 10000, got 0; correct it"),
        (["--workers", "0"], "--workers: expected a number from 1 to 256"),
        (["--scheduler", "nowhere"], "--scheduler: expected the address of a dask scheduler"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(options, says, tmp_path):
    out = tmp_path / "out"
    assert says in refusal_of("benchmarks.figures", "--out", out, *options)
    assert not out.exists()


def test_an_output_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    message = refusal_of("benchmarks.figures", "--out", tmp_path / "file")
    assert "--out: expected a folder to write to" in message
