"""`python -m heuristics serve`: one line in, one line out, and a kill loses nothing."""

import json
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ended, refusal_of, run
from scheduling import request, tight_fleet
from states import snapshot_in
from strategies import node

from heuristics.scheduler.journal import journal_path
from optmodel.ground.json_files import write_model

COMMAND = [sys.executable, "-m", "heuristics", "serve"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "fleet.json"
    write_model(path, tight_fleet((400.0, 120.0, 120.0)))
    return path


def submit(name: str, tolerance: float = 0.6) -> dict:
    return {"event": "submit", "request": request(name, tolerance).model_dump()}


FAST = json.loads(node("fast", 1e6, 1e6).model_dump_json())
DEVICE_D = json.loads(node("d", 1500.0, 3000.0, memory_bytes=100.0).model_dump_json())
STREAM = [
    submit("r1"),
    submit("r2", 0.9),
    submit("r3"),
    submit("r4", 0.25),
    {"event": "die", "device": "c"},
    submit("r5", 0.9),
    {"event": "finish", "request": "r1"},
    {"event": "join", "device": DEVICE_D},
    submit("r6"),
    {"event": "leave", "device": "nobody"},
    {"event": "reoptimise", "most_moves": 5},
    {"event": "finish", "request": "r3"},
    {"event": "die", "device": "a"},
    submit("r7"),
]


def serve(fleet: Path, lines: list, *options: object) -> list[dict]:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    done = run("heuristics", "serve", fleet, *options, given=text)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_gets_one_line(fleet):
    answers = serve(fleet, STREAM)
    assert len(answers) == len(STREAM)
    numbers = [answer["number"] for answer in answers if "number" in answer]
    assert numbers == list(range(1, len(STREAM)))
    assert answers[9]["error"]["field"] == "device"
    assert answers[0]["decisions"][0]["gap"] <= 1e-4


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_instant_and_restarted_nothing_is_lost_or_booked_twice(fleet, tmp_path, seed):
    """The client sends the first event without an answer again; the end is that of one run."""
    whole, state = tmp_path / "whole.json", tmp_path / "state.json"
    expected = serve(fleet, STREAM, "--state", whole)
    draw = random.Random(seed)
    answers: list[dict] = []
    kills = 0
    while len(answers) < len(STREAM):
        pending = STREAM[len(answers) :]
        patience = draw.randint(0, 5) if kills < 6 else len(pending)
        answers += until_killed(fleet, state, pending, patience)
        kills += 1
    assert kills > 2
    assert [without_line(answer) for answer in answers] == [without_line(a) for a in expected]
    assert journal_path(state).exists()
    assert serve(fleet, [], "--state", state) == []
    assert snapshot_in(state) == snapshot_in(whole)
    assert names(tmp_path) == ["state.json", "whole.json"]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def streaming(fleet: Path, state: Path, events: list[dict], **more: object) -> subprocess.Popen:
    """Start a process that serves, and send it some events without waiting."""
    process = subprocess.Popen(
        [*COMMAND, str(fleet), "--state", str(state)],
        **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | more,
        text=True,
    )
    process.stdin.writelines(json.dumps(event) + "\n" for event in events)
    process.stdin.flush()
    return process


def until_killed(fleet: Path, state: Path, pending: list[dict], patience: int) -> list[dict]:
    """Stream events without waiting; kill after some answers; return those that came."""
    process = streaming(fleet, state, pending)
    came = [process.stdout.readline() for _ in range(min(patience, len(pending)))]
    process.send_signal(signal.SIGKILL)
    came += process.stdout.read().splitlines(keepends=True)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return [json.loads(line) for line in came if line.endswith("\n")]


def without_line(answer: dict) -> dict:
    """Line numbers start again with each run."""
    error = answer.get("error")
    return answer if error is None else {**answer, "error": {**error, "line": 0}}


def test_the_last_event_sent_again_gets_the_same_answer_and_changes_nothing(fleet, state):
    (first,) = serve(fleet, [submit("r1")], "--state", state)
    before = snapshot_in(state)
    assert serve(fleet, [submit("r1")], "--state", state) == [first]
    assert snapshot_in(state) == before
    (done,) = serve(fleet, [{"event": "finish", "request": "r1"}], "--state", state)
    assert serve(fleet, [{"event": "finish", "request": "r1"}], "--state", state) == [done]


BAD_LINES = {
    "no json": ("", "JSON in UTF-8"),
    '{"event": "finish", "request": "\\ud800"}': ("", "JSON"),
    "[]": ("", "an object"),
    '{"request": {}}': ("event", "a value"),
    '{"event": "jump"}': (
        "event",
        "one of 'submit', 'finish', 'join', 'leave', 'die', 'reoptimise'",
    ),
    '{"event": "die"}': ("device", "a value"),
    '{"event": "die", "device": "a", "why": "heat"}': ("why", "no such field"),
    '{"event": "die", "device": "a", "device": "b"}': ("device", "each key once in an object"),
    '{"event": "reoptimise", "most_moves": -1}': ("most_moves", "greater than or equal to 0"),
    '{"event": "submit", "request": {"id": "x", "source": "camera", "network": "net", '
    '"tolerated_ssim": "high"}}': ("request.tolerated_ssim", "a valid number"),
    '{"event": "submit", "request": {"id": "x", "source": "c", "network": "net", '
    '"tolerated_ssim": 0.5}}': ("request.source", "the id of a source (camera)"),
    '{"event": "finish", "request": "r9"}': ("request", "the id of a request that runs or waits"),
    '{"event": "die", "device": "a", "time_s": 1e300}': ("time_s", "seconds, at most 1e+11"),
    '{"event": "die", "device": "a", "time_s": 1e999}': ("time_s", "a finite number"),
    "[" * 5000: ("", "JSON nested a few levels deep"),
    "[" * 100_001: ("", "at most 100,000 bytes"),
    '"' + "x" * 5_000_000 + '"': ("", "at most 100,000 bytes"),
}


def test_a_bad_line_gives_one_error_line_and_serving_goes_on(fleet, tmp_path):
    lines = [submit("r1"), *BAD_LINES, {"event": "finish", "request": "r1"}]
    first, *errors, last = serve(fleet, lines, "--state", tmp_path / "state.json")
    for number, (answer, (field, expected)) in enumerate(
        zip(errors, BAD_LINES.values(), strict=True), start=2
    ):
        error = answer["error"]
        assert (error["line"], error["field"], error["expected"]) == (number, field, expected)
        assert error["got"]
        assert "file" not in error["repair"]
        assert field or error["repair"].startswith("send one JSON object in one line, such as {")
    assert (first["number"], last["number"]) == (1, 2)
    assert last["standing"]["counts"]["finished"] == 1


def test_a_line_as_long_as_may_be_is_read_and_blank_ones_get_no_answer(fleet):
    event = json.dumps(submit("r1"))
    longest = event + " " * (100_000 - len(event))
    answers = serve(fleet, ["", longest, "   ", "\t\r", longest + " ", submit("r2")])
    assert [answer.get("number") for answer in answers] == [1, None, 2]
    assert answers[1]["error"]["line"] == 5


def test_what_json_says_of_a_line_counts_its_columns_only(fleet):
    (answer,) = serve(fleet, ['{"event": }'])
    assert answer["error"]["got"] == (
        """'{"event": }', of which JSON says 'Expecting value: column 11 (char 10)'"""
    )


def test_what_was_sent_instead_of_json_is_told(fleet):
    plain, long = serve(fleet, ["nonsense", "x" * 100])
    assert plain["error"]["got"].startswith("'nonsense', of which JSON says 'Expecting value")
    assert long["error"]["got"].startswith(f"'{'x' * 56}..., of which JSON says ")


def test_all_that_is_wrong_with_an_event_is_told_up_to_ten(fleet):
    several = {"event": "submit", "request": {"id": "a", "id2": 3}}
    many = {"event": "leave", "device": "a"} | {f"field{n}": n for n in range(12)}
    first, second, good = serve(fleet, [several, many, submit("r1")])
    told = [
        (one["line"], one["field"], one["expected"]) for one in (first["error"], *first["more"])
    ]
    assert told == [
        (1, "request.source", "a value"),
        (1, "request.network", "a value"),
        (1, "request.tolerated_ssim", "a value"),
        (1, "request.id2", "no such field"),
    ]
    assert [one["field"] for one in second["more"]] == [f"field{n}" for n in range(1, 10)]
    assert "error" not in good
    assert "more" not in good


def test_running_requests_are_looked_at_after_every_so_many_events(fleet):
    lines = [submit("r1", 0.9), {"event": "join", "device": FAST}]
    answers = serve(fleet, lines, "--reoptimise-every", 2, "--most-moves", 50)
    (moved,) = answers[1]["decisions"]
    assert moved["cause"] == "reoptimised"
    assert 0 < moved["moved"] <= 50
    (unmoved,) = serve(fleet, lines, "--reoptimise-every", 2, "--most-moves", 0)[1:]
    assert unmoved["decisions"] == []


def test_running_requests_are_looked_at_when_so_many_seconds_of_their_clock_have_passed(fleet):
    timed = [
        {**submit("r1", 0.9), "time_s": 59.0},
        {"event": "join", "device": FAST, "time_s": 59.9},
        {**submit("r2", 0.9), "time_s": 60.1},
        {"event": "finish", "request": "r2", "time_s": 119.0},
        {"event": "finish", "request": "r1", "time_s": 3.0},
        {"event": "finish", "request": "r1"},
    ]
    back = {"event": "reoptimise", "most_moves": 0, "time_s": 2.0}
    timed += [back, {"event": "finish", "request": "r1", "time_s": 3.0}]
    *answers, set_back, last = serve(fleet, timed, "--reoptimise-every", "60s", "--most-moves", 50)
    assert (set_back["number"], last["number"]) == (5, 6)
    causes = [[d["cause"] for d in answer["decisions"]] for answer in answers[:4]]
    assert causes == [["submitted"], [], ["submitted", "reoptimised"], []]
    for answer, got in zip(answers[4:], ("3", "nothing"), strict=True):
        assert (answer["error"]["field"], answer["error"]["got"]) == ("time_s", got)
        assert answer["error"]["expected"].startswith("seconds, at least 119")


@pytest.mark.parametrize("period", ["0", "0s", "-1", "1m", "s", ""])
def test_a_period_is_a_number_of_events_or_of_seconds(fleet, period):
    told = refusal_of("heuristics", "serve", fleet, "--reoptimise-every", period)
    assert "expected a number of events such as 100, or seconds" in told


def test_a_reader_that_goes_ends_serving_quietly_and_loses_nothing(fleet, state):
    process = streaming(fleet, state, [submit("r1")])
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(json.dumps(submit("r2")) + "\n")
    process.stdin.flush()
    process.wait(timeout=60)
    assert (process.returncode, process.stderr.read()) == (141, "")
    process.stdin.close()
    process.stderr.close()
    (again,) = serve(fleet, [submit("r2")], "--state", state)
    assert again["number"] == 2


def refused(fleet: Path, state: Path, events: list[dict], **more: object) -> tuple[str, str]:
    """Serve events in a process, and return what it answered and its one line of refusal."""
    process = streaming(fleet, state, events, **more)
    answered, said = process.communicate(timeout=120)
    assert process.returncode == 2
    (line,) = said.splitlines()
    return answered, line


def test_an_output_without_room_ends_with_a_message_and_loses_nothing(fleet, state):
    with open("/dev/full", "wb") as full:
        _, line = refused(fleet, state, [submit("r1")], stdout=full)
    assert line.startswith("Error: standard output: expected room for an answer, got 'No space")
    (again,) = serve(fleet, [submit("r1")], "--state", state)
    assert again["number"] == 1


def test_a_disk_without_room_for_the_journal_ends_with_a_message(fleet, state):
    serve(fleet, [], "--state", state)
    limit = state.stat().st_size
    small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))}
    events = [submit(f"r{n}", 0.25) for n in range(50)]
    answered, line = refused(fleet, state, events, **small)
    assert line.startswith(f"Error: {journal_path(state)}: expected a journal that can be read")
    told = [json.loads(answer)["number"] for answer in answered.splitlines()]
    assert told == list(range(1, len(told) + 1))
    (last,) = serve(fleet, [submit("another")], "--state", state)
    assert last["number"] - 1 == len(told) > 0


@pytest.mark.parametrize("name", ["input", "output"])
def test_a_standard_stream_that_is_closed_is_told(fleet, name, monkeypatch, capfd):
    """Python has none in the place of one that whoever starts a process has closed."""
    monkeypatch.setattr(sys, f"std{name.removesuffix('put')}", None)
    assert ended("heuristics", "serve", fleet) == 2
    told = f"Error: standard {name}: expected a stream, got none; do not close it\n"
    assert capfd.readouterr().err == told


def test_what_a_killed_writer_left_beside_the_state_is_removed(fleet, state):
    for suffix in ("0123abcd", "mine"):
        state.with_name(f".state.json.{suffix}").touch()
    serve(fleet, [submit("r1")], "--state", state)
    assert names(state.parent) == [".state.json.mine", "state.json"]


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_order_to_stop_ends_without_a_traceback_and_saves_the_state(fleet, state, order):
    # A job in the background ignores Ctrl-C, and so would its children.
    heard = {"preexec_fn": lambda: signal.signal(order, signal.SIG_DFL)}
    process = streaming(fleet, state, [submit("r1")], **heard)
    process.stdout.readline()
    process.send_signal(order)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + order
    (line,) = said.splitlines()
    assert line.startswith("Interrupted")
    assert names(state.parent) == [state.name]
    assert [one["request"]["id"] for one in snapshot_in(state)["running"]] == ["r1"]


@pytest.mark.parametrize(
    ("what", "change"),
    [("policy", ["--policy", "algorithm1"]), ("seed", ["--seed", "1"]), ("fleet", [])],
)
def test_a_state_of_another_fleet_or_other_options_is_refused(fleet, tmp_path, what, change):
    state, other = tmp_path / "state.json", tmp_path / "other.json"
    serve(fleet, [submit("r1")], "--state", state)
    write_model(other, tight_fleet())
    before = state.read_bytes()
    options = ("--state", state, *change)
    told = refusal_of("heuristics", "serve", fleet if change else other, *options)
    assert f"{what}: expected the {what} that this snapshot was made with" in told
    assert state.read_bytes() == before


def test_help_shows_both_commands_and_their_examples_and_that_a_file_alone_is_enough():
    shown = run("heuristics", "--help").stdout
    assert {"place", "serve"} <= set(shown.split())
    assert "Arguments without a command are those of place." in shown
    for command in ("place", "serve"):
        assert "Example:" in run("heuristics", command, "--help").stdout
