"""What holds for every command: help, version, outputs that fail, files that cannot be read."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from inspect import signature

import pytest
from commands import ended, output_of, refusal_of, run_process
from places import CASES, SMALL

from distprivacy.__main__ import COMMANDS, OF_SEVERAL, usage
from optmodel.ground.entry import EXTRAS, lacking

LENET = SMALL / "lenet-0.4-3-mixed.json"
LONG = CASES / "long.json"
MODULES = sorted({module for module, _ in COMMANDS.values()} | {"attack.shipped"})


def full_device() -> io.TextIOBase:
    return open("/dev/full", "w", encoding="utf-8")


def unbuffered_full_device() -> io.TextIOBase:
    return io.TextIOWrapper(open("/dev/full", "wb", buffering=0), "utf-8", write_through=True)


def closed_pipe() -> io.TextIOBase:
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", encoding="utf-8")


FAILING = {
    "full": (full_device, 2),
    "unbuffered": (unbuffered_full_device, 2),
    "closed": (closed_pipe, 141),
}
"""Standard outputs that take nothing, and the exit codes that this leads to."""
NO_ROOM = (
    "Error: standard output: expected room to write, got 'No space left on device'; free some or "
    "write elsewhere\n"
)


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("module", MODULES)
def test_help_is_shown_with_an_example(capsys, module, option):
    names = [one.__name__ for one in getattr(import_module(module), "COMMANDS", ())]
    if names:
        assert ended(module, option) == 0
        assert {"Commands:", *names} <= set(capsys.readouterr().out.split())
    for called in names or [""]:
        assert ended(module, *filter(None, [called]), option) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert ("Example:" if called else f"Example: python -m {_called(module)}") in shown


@pytest.mark.parametrize("module", MODULES)
def test_the_version_is_shown(capsys, module):
    assert ended(module, "--version") == 0
    assert capsys.readouterr().out == f"distprivacy {version('distprivacy')}\n"


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("module", MODULES)
def test_an_output_that_takes_no_help_is_no_traceback(monkeypatch, capsys, module, kind):
    make, code = FAILING[kind]
    with make() as failing:
        monkeypatch.setattr(sys, "stdout", failing)
        assert ended(module, "--help") == code
    assert capsys.readouterr().err == ("" if kind == "closed" else NO_ROOM)


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("kind", FAILING)
def test_an_output_that_takes_no_usage_or_version_is_no_traceback(
    monkeypatch, capsys, kind, option
):
    make, code = FAILING[kind]
    with make() as failing:
        monkeypatch.setattr(sys, "stdout", failing)
        assert ended("distprivacy", option) == code
    assert capsys.readouterr().err == ("" if kind == "closed" else NO_ROOM)


WORKING = {
    "optmodel.__main__": ((LENET, "--out", "o.json", "--report", "o.html", "--lp", "o.lp"), 3),
    "optmodel.explain.__main__": ((SMALL / "infeasible-privacy.json", "--out", "o.json"), 1),
    "heuristics.__main__": ((LENET, "--out", "o.json"), 1),
    "instances.generate": (("--network", "lenet", "--devices", 4, "--out", "o.json"), 1),
    "instances.sets": (("small", "--out", "."), 44),
    "benchmarks.gap": (
        ("--instances", LENET, "--policies", "algorithm1", "--out", "o.csv", "--plot", "o.png"),
        3,
    ),
}
"""Commands that write files in a second or two, and how many."""


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("module", WORKING)
def test_files_are_written_though_standard_output_fails(
    monkeypatch, capsys, tmp_path, module, kind
):
    monkeypatch.chdir(tmp_path)
    arguments, files = WORKING[module]
    make, code = FAILING[kind]
    with make() as failing:
        monkeypatch.setattr(sys, "stdout", failing)
        assert ended(module, *arguments) == code
    assert len([*tmp_path.iterdir()]) == files
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error")]
    assert len(told) == (kind != "closed")


UNREADABLE = {
    "optmodel.__main__": ("missing.json",),
    "optmodel.check": (LENET, "missing.json"),
    "optmodel.explain.__main__": ("missing.json",),
    "heuristics.__main__": ("missing.json",),
    "instances.generate": (
        *("--network", "lenet", "--devices", 4, "--ssim", "missing.json", "--out", "o.json"),
    ),
    "attack.__main__": ("curves", "missing.json", "--out", "o.png"),
    "attack.shipped": ("missing", "--out", "o.npz"),
    "benchmarks.gap": ("--instances", "missing"),
    "benchmarks.best_known": ("--instances", "missing"),
    "benchmarks.runtime": ("--set", "missing"),
    "benchmarks.tradeoffs": ("--ssim", "missing.json", "--out", "o"),
    "benchmarks.claims": ("missing",),
    "benchmarks.report": ("--instances", "missing", "--out", "o.html"),
}


@pytest.mark.parametrize("module", UNREADABLE)
def test_a_missing_file_is_one_message_and_nothing_is_written(
    monkeypatch, capsys, tmp_path, module
):
    monkeypatch.chdir(tmp_path)
    assert ended(module, *UNREADABLE[module]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "missing" in told.err
    assert told.err.startswith("Error: ")
    assert told.err.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("module", ["benchmarks.best_known", "benchmarks.gap"])
def test_a_folder_without_any_usable_instance_gives_the_error_alone(capsys, tmp_path, module):
    (tmp_path / "broken.json").write_text('{"schema_version": 1}')
    assert ended(module, "--instances", tmp_path) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "broken.json: name: expected a value" in told.err


@pytest.mark.parametrize(
    "module", ["optmodel.__main__", "optmodel.explain.__main__", "heuristics.__main__"]
)
def test_the_instance_is_not_overwritten(tmp_path, module):
    file = tmp_path / "own.json"
    file.write_bytes(LENET.read_bytes())
    assert ended(module, file, "--out", file) == 2
    assert file.read_bytes() == LENET.read_bytes()


def test_an_unknown_option_is_one_line(capsys):
    assert ended("optmodel.__main__", LENET, "--colour", "red") == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: No such option: --colour")
    assert told.endswith("; -h shows what there is\n")


def test_a_solution_goes_to_standard_output_and_what_is_said_to_the_other(capsys):
    assert ended("heuristics.__main__", LENET, "--out", "-") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["instance"] == LENET.stem
    assert "served       1 of 1 requests" in told.err


def test_an_instance_comes_from_standard_input(monkeypatch, capsys):
    text = io.TextIOWrapper(io.BytesIO(LENET.read_bytes()))
    monkeypatch.setattr(sys, "stdin", text)
    assert ended("heuristics.__main__", "-") == 0
    assert "served       1 of 1 requests" in capsys.readouterr().out
    assert ended("heuristics.__main__", "-") == 2
    assert "expected a file on standard input, read once, got nothing" in capsys.readouterr().err


def test_two_files_do_not_share_standard_output(capsys):
    assert ended("optmodel.__main__", LENET, "--out", "-", "--lp", "-") == 2
    assert "--out and --lp: expected one on standard output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("benchmarks.gap", ("--instances", LENET, "--out", "-")),
        ("benchmarks.figures", ("--out", "-")),
        ("instances.sets", ("small", "--out", "-")),
        ("heuristics.__main__", ("serve", LENET, "--state", "-")),
    ],
)
def test_what_is_taken_up_again_is_not_standard_output(
    monkeypatch, capsys, tmp_path, module, arguments
):
    monkeypatch.chdir(tmp_path)
    assert ended(module, *arguments) == 2
    assert (
        "-: expected the name of a file or folder, got standard output" in capsys.readouterr().err
    )
    assert [*tmp_path.iterdir()] == []


def test_a_fleet_does_not_come_where_the_events_come(capsys):
    assert ended("heuristics.__main__", "serve", "-") == 2
    assert "FILE: expected the name of a fleet file, got standard input" in capsys.readouterr().err


def test_results_beside_instances_are_told_by_their_content(capsys, tmp_path):
    (tmp_path / "lenet.json").write_bytes(LENET.read_bytes())
    solved = LENET.with_suffix(".solution.json").read_bytes()
    (tmp_path / "mine.json").write_bytes(solved)
    (tmp_path / "old.json").write_text('{"records": []}')
    assert ended("benchmarks.gap", "--instances", tmp_path, "--policies", "source") == 0
    told = capsys.readouterr()
    for name in ("mine", "old"):
        assert f"{tmp_path / name}.json: left out, it holds results and no instance" in told.err
    assert "1 instances: 1 optimal" in told.out


def test_names_that_a_terminal_would_obey_are_escaped(capsys, tmp_path):
    evil = "a\x9b31m\u202eb"
    written = json.loads(LENET.read_text())
    written["name"] = evil
    file = tmp_path / f"{evil}.json"
    file.write_text(json.dumps(written).replace("rpi3-1", evil))
    assert ended("optmodel.__main__", file, "--report", tmp_path / f"{evil}.html") == 0
    assert ended("heuristics.__main__", tmp_path / f"{evil}2.json") == 2
    told = capsys.readouterr()
    assert "a\\x9b31m\\u202eb: 4" in told.out
    assert told.err.startswith(f"Error: {tmp_path}/a\\x9b31m\\u202eb2.json: expected a readable")
    for text in (told.out, told.err):
        assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("columns", ["0", "1"])
def test_a_terminal_of_no_columns_is_printed_on(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    done_ = output_of("heuristics", LENET)
    assert "served       1 of 1 requests" in done_
    assert "rpi3-1: 4" in done_


def test_an_output_in_ascii_shows_what_it_cannot_encode_as_json_would(tmp_path):
    file = tmp_path / "names.json"
    file.write_text(LONG.read_text().replace("camera-1", "caméra-😀"), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "heuristics", str(file)],
        capture_output=True,
        env=os.environ | plain,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii")
    assert "served       1 of 1 requests" in text
    assert r"cam\u00e9ra-\ud83d\ude00: 1" in text


def test_a_long_name_is_shown_whole(capsys):
    assert ended("heuristics.__main__", LONG) == 0
    told = "".join(line.split("|")[-1].strip() for line in capsys.readouterr().out.splitlines())
    device = json.loads(LONG.read_text())["devices"][0]["id"]
    assert len(device) > 80
    assert device in "".join(told.split())


# One command for all, options by all their names, and extras that are missing.


def test_one_command_holds_all_others(capsys):
    assert ended("distprivacy", "-h") == 0
    assert capsys.readouterr().out == f"{usage()}\n"
    for name, (module, _) in COMMANDS.items():
        names = [one.__name__ for one in getattr(import_module(module), "COMMANDS", ())]
        assert name not in OF_SEVERAL or name in names


def test_the_command_solves_and_refuses_what_it_does_not_know():
    done = run_process("distprivacy", "place", LENET)
    assert done.returncode == 0
    assert "served       1 of 1 requests" in done.stdout
    assert refusal_of("distprivacy", "dance").startswith("Error: expected one of solve, check")


def test_options_are_known_by_the_names_that_other_commands_give_them(capsys):
    told = ("--networks", "lenet,cifar_cnn", "--fleets", "power", "--tolerances", "0.8,0.6")
    assert ended("instances.generate", *told, "--devices", 4, "--out", "-") == 0
    made = json.loads(capsys.readouterr().out)
    assert {one["network"] for one in made["requests"]} == {"lenet", "cifar_cnn"}
    assert [one["tolerated_ssim"] for one in made["requests"]] == [0.8, 0.6]
    assert ended("benchmarks.gap", "--instances", LENET, "--policy", "source") == 0
    assert "source" in capsys.readouterr().out
    repeated = ("--network", "lenet", "--network", "resnet")
    assert ended("benchmarks.tradeoffs", *repeated, "--out", "unused") == 2
    assert "--networks: expected one of lenet" in capsys.readouterr().err


def time_limits() -> Iterator[tuple[str, str, float | None]]:
    """Yield each command that has a time limit, with the help and the default of that."""
    for module in MODULES:
        loaded = import_module(module)
        for command in getattr(loaded, "COMMANDS", None) or (loaded.main,):
            if "time_limit" in (parameters := signature(command, eval_str=True).parameters):
                told = parameters["time_limit"]
                yield module, told.annotation.__metadata__[0].help, told.default


def test_a_time_limit_is_that_of_one_search_everywhere():
    """Without end on one instance; 60 s in benchmarks, or what the help says."""
    found = [*time_limits()]
    assert {"optmodel.__main__", "optmodel.explain.__main__", "benchmarks.gap.__main__"} < {
        m for m, *_ in found
    }
    for module, told, default in found:
        assert re.match("Seconds for (the|each) search", told), module
        minute = default == 60 or "default: 60" in told
        assert minute if module.startswith("benchmarks.") else default is None, module


@pytest.mark.parametrize("room", EXTRAS)
def test_a_missing_package_of_an_extra_is_named_with_what_to_install(room):
    for package in EXTRAS[room]:
        error = ModuleNotFoundError(name=f"{package}.part")
        told = lacking(f"{room}.__main__", error)
        assert told.startswith(f"{room}: expected the extra '")
        assert f"without {package}; pip install 'distprivacy[" in told
    assert lacking(f"{room}.__main__", ModuleNotFoundError(name="numpy")) is None


OF_MATPLOTLIB = "PIL"
"""No installation is without, though `attack` has more to do with it."""


@pytest.fixture
def without_extras(tmp_path):
    """A folder to import from that makes what only extras bring along missing."""
    for package in {name for names in EXTRAS.values() for name in names} - {OF_MATPLOTLIB}:
        missing = f"raise ModuleNotFoundError('no', name='{package}')"
        (tmp_path / f"{package}.py").write_text(missing)
    return tmp_path


@pytest.mark.parametrize("command", ["table", "victim", "sheet"])
def test_a_command_without_its_extra_says_so(command, without_extras):
    done = run_process("attack", command, "--out", "out.json", importing=without_extras)
    assert done.returncode == 2
    assert "attack: expected the extra 'attack', got an installation without " in done.stderr
    assert done.stderr.count("\n") == 1


HELPED = (
    *(("attack", command) for command in ("", "table", "victim", "curves", "sheet")),
    *((f"benchmarks.{name}",) for name in ("simulate", "figures", "claims", "sensitivity")),
)


@pytest.mark.parametrize("command", HELPED, ids=" ".join)
def test_help_does_without_the_extra(command, without_extras):
    done = run_process(*filter(None, command), "--help", importing=without_extras)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: python -m" in done.stdout
    assert "Commands:" in done.stdout or "Example:" in done.stdout


def _called(module: str) -> str:
    return module.removesuffix(".__main__")
