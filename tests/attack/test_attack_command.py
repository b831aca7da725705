"""`python -m attack table` as a user runs it: killed, interrupted, taken up, turned into caps."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from attack.__main__ import _command
from instances.measured import MeasuredCells, MeasuredTable
from optmodel.checker import check
from optmodel.ground.file_lock import FileLock
from optmodel.ground.json_files import read_model
from optmodel.placement.solution import Solution, SolutionStatus
from optmodel.problem.instance import Instance
from optmodel.problem.privacy import protect
from optmodel.solving import solve

GRID = (
    *("--rows", "conv1", "--rows", "relu1", "--rows", "conv2", "--rows", "relu2"),
    *("--counts", "2,8", "--subsets", "1"),
)
CELLS = 12


QUICKLY = """
import runpy
from attack import blind_guesses
blind_guesses.STEPS = 30
runpy.run_module("attack", run_name="__main__", alter_sys=True)
"""
"""The command, with a blind guess that climbs as briefly as in the other tests of the attack."""


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start the command in a folder, in a process group of its own as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-c", QUICKLY, "table", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished_cells(process: subprocess.Popen[str], file: Path) -> None:
    """Return when the file of finished cells stands; the command must still be running."""
    while not file.exists():
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(process.communicate())


@pytest.fixture(scope="module")
def options(few_images, few_checkpoint):
    named = ("--data", few_images, "--victim", few_checkpoint, "--workers", 1, "--out", "t.json")
    return (*GRID, *named)


@pytest.fixture(scope="module")
def whole(options, tmp_path_factory):
    """The uninterrupted run: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("whole")
    process = start(folder, *options)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert err == ""
    return folder / "t.json", out


def test_the_command_prints_cost_blind_guesses_and_intervals(whole):
    path, out = whole
    assert re.search(r"12 cells, about \d+ (s|min) on 1 worker\(s\)", out)
    assert "blind guess: mean image: SSIM 0." in out
    assert "blind guess: black image: SSIM 0." in out
    assert "blind guess: most similar image: SSIM 0." in out
    assert "smoke attacker, output, 150 images; 60 evaluated" in out
    level = r" +0\.\d{3} \(-?\d\.\d{3} \.\. \d\.\d{3}\)"
    assert re.search(rf"MNIST Conv1 sums +conv1 +2{level}{level}", out)
    assert out.endswith("t.json: 12 cells\n")
    assert [file.name for file in path.parent.iterdir()] == ["t.json"]
    table = MeasuredTable.model_validate_json(path.read_bytes())
    assert len(table.cells) == CELLS
    assert table.command.startswith("python -m attack table --rows conv1 --rows relu1")
    assert set(table.settings.versions) == {"numpy", "python", "scikit-image", "torch"}


def test_ctrl_c_then_a_kill_then_a_resumed_run_give_the_uninterrupted_table(
    whole, options, tmp_path
):
    unfinished = tmp_path / "t.json.unfinished"
    process = start(tmp_path, *options)
    finished_cells(process, unfinished)
    os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate()
    assert process.returncode == 130
    assert err == "Interrupted.\n"
    kept = MeasuredCells.model_validate_json(unfinished.read_bytes()).cells
    assert 0 < len(kept) < CELLS
    assert not (tmp_path / "t.json").exists()

    process = start(tmp_path, *options)
    size = unfinished.stat().st_size
    while unfinished.stat().st_size <= size:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    more = MeasuredCells.model_validate_json(unfinished.read_bytes()).cells
    assert more[: len(kept)] == kept
    assert len(more) > len(kept)

    process = start(tmp_path, *options)
    _out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert (tmp_path / "t.json").read_bytes() == whole[0].read_bytes()
    assert not unfinished.exists()


def refused(expected: str, *arguments: object) -> None:
    done = run("attack", "table", *arguments)
    assert done.returncode == 2, done.stderr
    assert re.search(expected, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_writer_of_a_table_is_refused(tmp_path):
    with FileLock(tmp_path / "t.json"):
        refused(r"t\.json: expected one that no other process writes", "--out", tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_other_settings_is_refused_and_kept(whole, options, tmp_path):
    path, before = tmp_path / "t.json", whole[0].read_bytes()
    path.write_bytes(before)
    refused(
        r"t\.json: settings: expected those of this command, got those of 'python -m attack",
        *options[:-1],
        path,
        "--view",
        "partial",
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--out", "none/t.json"), "a folder that does not exist"),
        (("--out", "t.txt"), r"--out: expected a name ending in \.json"),
        (("--rows", "conv9"), "--rows: expected rows or layers of 'lenet'"),
    ],
)
def test_bad_options_are_refused_and_nothing_is_written(
    few_images, few_checkpoint, tmp_path, arguments, expected
):
    out = () if "--out" in arguments else ("--out", tmp_path / "t.json")
    refused(expected, *out, "--data", few_images, "--victim", few_checkpoint, *arguments)
    assert list(tmp_path.iterdir()) == []


def optimum(instance: Instance) -> Solution:
    """Solve an instance and let the independent checker confirm the answer."""
    solution = solve(instance)
    assert solution.solution_status is SolutionStatus.OPTIMAL
    assert solution.placement is not None
    report = check(instance, solution.placement)
    assert report.violations == ()
    return solution


def holders(solution: Solution, layer: str) -> dict[str, int | float]:
    """Return how many segments of a layer each node computes."""
    assert solution.placement is not None
    [request] = solution.placement.requests
    [placed] = [one for one in request.layers if one.layer == layer]
    return placed.segments


def generated(path: Path, *options: object) -> Instance:
    """Generate an instance of LeNet on eight helpers, as a user does."""
    done = run(
        *("instances.generate", "--network", "lenet", "--devices", 8, "--requests", 1),
        *("--out", path, *options),
    )
    assert done.returncode == 0, done.stderr
    return read_model(path, Instance)


def limits(instance: Instance, tolerance: float) -> dict[str, int | None]:
    """Return the cap on the output maps of each conv; None where they are safe altogether."""
    network = instance.networks[0]
    protection = protect(network, instance.ssim_table, tolerance)
    names = [layer.name for layer in network.layers]
    return {name: protection.cap(names.index(name) + 1) for name in ("conv1", "conv2")}


def test_table_i_becomes_caps_and_an_optimum(tmp_path):
    """At 0.8 Table I lets a helper hold four of conv1's maps, and all of conv2's."""
    instance = generated(tmp_path / "i.json", "--tolerated-ssim", 0.8)
    assert limits(instance, 0.8) == {"conv1": 4, "conv2": None}
    assert optimum(instance).objective_s is not None


def by_hand(table: MeasuredTable, layer: str, tolerance: float) -> int | None:
    """Return the largest count up to which no upper limit of any subset exceeds the tolerance."""
    safe = 0
    for maps in (2, 8):
        cells = [one for one in table.cells if (one.layer, one.maps) == (layer, maps)]
        if max(one.ssim.high for one in cells) > tolerance:
            return safe
        safe = maps
    return None


def test_a_measured_table_becomes_caps_and_an_optimum(whole, tmp_path):
    """The tolerance is what two maps of conv1 give away at worst, so that the cap is two."""
    table = MeasuredTable.model_validate_json(whole[0].read_bytes())
    tolerance = max(one.ssim.high for one in table.cells if one.layer == "conv1" and one.maps <= 2)
    options = ("--ssim", whole[0], "--tolerated-ssim", tolerance)
    instance = generated(tmp_path / "i.json", *options)
    caps = limits(instance, tolerance)
    assert caps["conv1"] == by_hand(table, "conv1", tolerance) == 2
    assert caps["conv2"] == by_hand(table, "conv2", tolerance)
    assert instance.ssim_table.source.startswith("measured: lenet on few")
    held = holders(optimum(instance), "relu1")
    assert all(maps <= 2 for node, maps in held.items() if node != "camera-1")


def test_where_no_share_is_safe_the_camera_keeps_the_layers(whole, tmp_path):
    """At 0.05, below what one map gives away: rejected, or computed at the source."""
    options = ("--ssim", whole[0], "--tolerated-ssim", 0.05)
    refusing = generated(tmp_path / "reject.json", *options)
    assert limits(refusing, 0.05) == {"conv1": 0, "conv2": 0}
    assert solve(refusing).solution_status is SolutionStatus.INFEASIBLE
    keeping = generated(tmp_path / "source.json", *options, "--unattainable", "source")
    solution = optimum(keeping)
    for layer in ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"):
        assert holders(solution, layer).keys() == {"camera-1"}


def test_the_recorded_command_names_no_folder_of_this_machine(monkeypatch):
    words = [
        "table",
        "--data",
        "/elsewhere/images/",
        "--out=/srv/t.json",
        "--victim",
        "v/v.st",
    ]
    monkeypatch.setattr(sys, "argv", ["attack", *words, "--counts", "1,4", "--subsets=2"])
    assert _command() == (
        "python -m attack table --data images --out=t.json --victim v.st --counts 1,4 --subsets=2"
    )


def test_the_recorded_command_keeps_words_that_name_no_file(monkeypatch):
    words = ["table", "--rows", "MNIST/Conv1", "--rows=MNIST/Conv1 sums", "--network", "lenet"]
    words += ["--networks=nets/own.json", "--scheduler", "tcp://10.0.0.1:8786", "--counts=1/2"]
    monkeypatch.setattr(sys, "argv", ["attack", *words])
    assert _command() == (
        "python -m attack table --rows MNIST/Conv1 '--rows=MNIST/Conv1 sums' --network lenet "
        "--networks=own.json --scheduler tcp://10.0.0.1:8786 --counts=1/2"
    )
