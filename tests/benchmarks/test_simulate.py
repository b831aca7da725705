"""Whole simulated runs: reproducible, conserving, logged, and refused with a reason."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from commands import output_of, refusal_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.simulate import Setting, simulate
from benchmarks.simulate.arrivals import arrivals, changes
from benchmarks.simulate.log import replayed
from benchmarks.simulate.simulation import Simulation
from heuristics.scheduler import OnlineScheduler
from optmodel.ground.rule_errors import InputError

SMALL = Setting(
    networks=("lenet",), devices=4, cameras=2, requests=30, arrivals_per_s=2000.0, period_s=0.005
)
"""Requests come faster than they can be served, and bandwidth is scarce."""
CHANGING = SMALL.model_copy(update={"devices": 6, "changes_per_s": 500.0, "away_s": 0.002})


def test_arrivals_are_poisson_and_the_same_for_every_fleet():
    many = Setting(requests=20_000)
    times = [one.time_us for one in arrivals(many)]
    assert times == sorted(times)
    assert times[-1] / 1e6 == pytest.approx(20_000 / 3, rel=0.03)
    gaps = [b - a for a, b in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.03)  # As of an exponential distribution.
    elsewhere = many.model_copy(update={"networks": ("lenet",), "devices": 7, "fleet": "power"})
    assert [one.time_us for one in arrivals(elsewhere)] == times
    asked = Counter(one.event.request.network for one in arrivals(many))
    assert all(count == pytest.approx(5000, rel=0.05) for count in asked.values())


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again = simulate(SMALL)[0], simulate(SMALL)[0]
    assert first == again
    assert first.all.rejected_first > 0
    assert simulate(SMALL.model_copy(update={"seed": 1}))[0] != first


def test_the_log_is_the_same_and_replays_to_the_same_state(tmp_path: Path):
    logs = [tmp_path / "first.jsonl", tmp_path / "again.jsonl"]
    outcomes = [simulate(CHANGING, log)[0] for log in logs]
    assert outcomes[0] == outcomes[1]
    assert logs[0].read_bytes() == logs[1].read_bytes()
    head, *lines = logs[0].read_text().splitlines()
    assert json.loads(head)["policy"] == "lookahead"
    kinds = Counter(json.loads(line)["event"]["event"] for line in lines)
    assert kinds["submit"] == 30
    assert set(kinds) >= {"die", "join", "leave"}
    after = replayed(logs[0])
    counts = after.standing.counts
    assert counts.finished == outcomes[0].all.served
    assert (after.running, after.waiting) == ((), ())


def test_the_log_replayed_in_part_gives_the_state_of_then(tmp_path: Path):
    """Also while requests run and wait: reservations and order are those of the run itself."""
    log = tmp_path / "run.jsonl"
    states = []

    def heard(exchange):
        stream.write(exchange.model_dump_json() + "\n")
        states.append(scheduler.snapshot())

    fleet = CHANGING.make_fleet()
    scheduler = OnlineScheduler(fleet, "lookahead")
    head = {"fleet": json.loads(fleet.model_dump_json()), "policy": "lookahead", "seed": 0}
    with log.open("w") as stream:
        stream.write(json.dumps(head) + "\n")
        Simulation(scheduler, arrivals(CHANGING), changes(CHANGING, fleet, 20_000), heard).run()
    lines = log.read_text().splitlines(keepends=True)
    busiest = max(range(len(states)), key=lambda k: len(states[k].running))
    assert states[busiest].running
    log.write_text("".join(lines[: busiest + 2]))
    assert replayed(log).snapshot() == states[busiest]


@settings(max_examples=12, deadline=None)
@example(seed=250, policy="random", changing=True)  # A device joins before it could leave.
@example(seed=217, policy="lookahead", changing=True)
@given(
    seed=st.integers(0, 1000),
    policy=st.sampled_from(["lookahead", "algorithm1", "layerwise", "random"]),
    changing=st.booleans(),
)
def test_every_reserved_unit_comes_back(seed, policy, changing):
    setting = (CHANGING if changing else SMALL).model_copy(update={"seed": seed, "policy": policy})
    fleet = setting.make_fleet()
    scheduler = OnlineScheduler(fleet, policy, seed=seed, decider=setting.make_policy())
    due = changes(setting, fleet, 15_000)
    outcome = Simulation(scheduler, arrivals(setting), due).run()
    full = OnlineScheduler(fleet).left()
    here = {device.id for device in scheduler.devices} | {one.id for one in fleet.sources}
    assert scheduler.left() == {name: full[name] for name in here}
    assert outcome.all.served + outcome.all.unserved == outcome.all.submitted == 30
    assert (
        outcome.all.bound_s
        <= outcome.all.service_s * (1 + 1e-9)
        <= outcome.all.latency_s * (1 + 2e-9)
    )
    assert outcome.all.computing_s <= outcome.all.service_s * (1 + 1e-9)


def test_weights_and_unit_reach_algorithm_1():
    told = {"policy": "algorithm1", "alpha": 0.5, "beta": 0.2, "bandwidth_unit_bits": 1e3}
    weights = SMALL.model_copy(update=told).make_policy().weights
    assert (weights.alpha, weights.beta) == (0.5, pytest.approx(2e-4))


FLOODED = SMALL.model_copy(
    update={
        "networks": ("cifar_cnn",),
        "devices": 6,
        "tolerated_ssim": 0.6,
        "policy": "algorithm1",
        "requests": 200,
        "arrivals_per_s": 1e9,
    }
)
"""Two hundred requests come within a microsecond."""


def test_at_a_rate_far_beyond_capacity_all_but_the_one_with_room_are_rejected():
    flooded = FLOODED.model_copy(update={"period_s": 0.1})
    outcome, _ = simulate(flooded)
    assert (outcome.all.rejected_first, outcome.all.served, outcome.all.unserved) == (199, 200, 0)
    each = outcome.all.service_s / 200  # One after another, each waits for those before.
    assert outcome.end_s == pytest.approx(200 * each, rel=1e-5)
    assert outcome.all.waiting_s == pytest.approx(199 * 200 / 2 * each, rel=1e-2)
    assert outcome.slowest_s == pytest.approx(outcome.end_s, abs=2e-6)


def test_at_a_rate_that_no_budget_holds_all_are_rejected_for_good():
    outcome, _ = simulate(FLOODED.model_copy(update={"period_s": 0.04}))
    assert (outcome.all.rejected_first, outcome.all.served, outcome.all.unserved) == (200, 0, 200)
    assert (outcome.all.latency_s, outcome.all.shared_bits, outcome.end_s) == (0.0, 0, 0.0)


def test_zero_arrivals():
    outcome, timing = simulate(SMALL.model_copy(update={"requests": 0}))
    assert (outcome.all.submitted, outcome.end_s, timing.events) == (0, 0.0, 0)


def test_a_log_that_was_edited_is_refused_with_its_line(tmp_path: Path):
    log = tmp_path / "run.jsonl"
    simulate(SMALL, log)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:3], *lines[4:]]))
    with pytest.raises(InputError, match="line "):
        replayed(log)
    log.write_text("".join(lines[1:]))
    with pytest.raises(InputError, match="line 1"):
        replayed(log)


def test_the_command_prints_what_the_function_returns(tmp_path: Path):
    out, log = tmp_path / "out.json", tmp_path / "log.jsonl"
    options = ["--networks", "lenet", "--devices", 4, "--requests", 10, "--out", out, "--log", log]
    options += ["--unattainable", "source"]
    shown = output_of("benchmarks.simulate", *options)
    expected, _ = simulate(Setting(networks=("lenet",), devices=4, requests=10))
    assert json.loads(out.read_text()) == json.loads(expected.model_dump_json())
    assert f"{expected.all.latency_s:.6f} s in all" in shown
    assert len(log.read_text().splitlines()) == 21


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--networks", "lenet,alexnet", "--networks: expected one of"),
        ("--fleet", "90-20", "--fleet: expected"),
        ("--policy", "best", "--policy: expected one of"),
        ("--devices", "0", "--devices: "),
        ("--arrivals-per-s", "0", "--arrivals-per-s: "),
        ("--tolerated-ssim", "nan", "--tolerated-ssim: "),
        ("--period-s", "-1", "--period-s: "),
        ("--unattainable", "ignore", "--unattainable: "),
        ("--changes-per-s", "1e9", "--changes-per-s: expected at most"),
        ("--log", "nowhere/log.jsonl", "nowhere/log.jsonl: expected"),
    ],
)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(option, value, says, tmp_path):
    out = tmp_path / "out.json"
    message = refusal_of("benchmarks.simulate", option, value, "--requests", 5, "--out", out)
    assert says in message
    assert len(message.splitlines()) == 1
    assert not out.exists()
