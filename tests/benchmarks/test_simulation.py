"""Simulations worked out by hand, to the microsecond."""

import pytest
from simulated import LATENCY_US, SHARED_BITS, A, B, comes, fails, fleet, joins, leaves

from benchmarks.simulate.outcome import SimulationOutcome
from benchmarks.simulate.simulation import Simulation
from heuristics.scheduler import OnlineScheduler


def run(
    devices, arrivals, changes=()
) -> tuple[SimulationOutcome, list[tuple[int, str, list[str]]]]:
    """What the run was like, and time in microseconds, event, and what was placed then."""
    heard = []
    scheduler = OnlineScheduler(fleet(*devices), "algorithm1")
    simulation = Simulation(scheduler, arrivals, changes, heard.append)
    outcome = simulation.run()
    full = OnlineScheduler(scheduler.fleet).left()
    here = {one.id for one in (*scheduler.devices, *scheduler.fleet.sources)}
    assert scheduler.left() == {name: full[name] for name in here}
    told = [
        (
            round(one.event.time_s * 1e6),
            one.event.event,
            [decision.request for decision in one.answer.decisions if decision.placement],
        )
        for one in heard
    ]
    return outcome, told


def test_the_second_request_waits_until_the_first_ends():
    outcome, told = run([A], [comes("r1", 100), comes("r2", 1000)])
    assert told == [
        (100, "submit", ["r1"]),
        (1000, "submit", []),
        (2020, "finish", ["r2"]),
        (3940, "finish", []),
    ]
    assert (outcome.all.submitted, outcome.all.served, outcome.all.rejected_first) == (2, 2, 1)
    assert outcome.all.unserved == 0
    assert outcome.all.waiting_s == pytest.approx(1020e-6, abs=1e-12)
    assert outcome.all.latency_s == pytest.approx((1920 + 1020 + 1920) * 1e-6, abs=1e-12)
    assert outcome.all.service_s == pytest.approx(2 * LATENCY_US * 1e-6, abs=1e-12)
    assert outcome.slowest_s == pytest.approx(2940e-6, abs=1e-12)
    assert outcome.all.computing_s == pytest.approx(2 * (288 + 96) * 1e-6, abs=1e-12)
    assert outcome.all.shared_bits == 2 * SHARED_BITS
    assert outcome.end_s == 0.00394


def test_both_run_at_once_where_there_is_room():
    outcome, told = run([A, B], [comes("r1", 100), comes("r2", 1000)])
    assert told[1] == (1000, "submit", ["r2"])
    assert told[2:] == [(2020, "finish", []), (1000 + LATENCY_US + 512, "finish", [])]
    assert outcome.all.rejected_first == 0
    assert outcome.all.waiting_s == 0.0


def test_the_bound_of_a_forced_placement_is_its_latency():
    outcome, _ = run([A], [comes("r1", 0)])
    assert outcome.all.bound_s == pytest.approx(outcome.all.latency_s, rel=2e-4)
    assert outcome.all.bound_s <= outcome.all.latency_s


def test_utilisation_is_what_the_devices_do_over_the_time():
    outcome, _ = run([A], [comes("r1", 80)])
    used = outcome.families["pi"]
    assert outcome.end_s == 0.002
    assert used.sending_share == pytest.approx(1024 / (2e6 * 0.002))
    assert (used.devices, used.compute_share, used.memory_share) == (1, 0.0, 0.0)


def test_no_arrival_nothing_happens():
    outcome, told = run([A], [])
    assert told == []
    assert (outcome.all.submitted, outcome.all.latency_s, outcome.end_s) == (0, 0.0, 0.0)
    assert outcome.families["pi"].sending_share == 0.0


def test_a_request_whose_device_fails_begins_anew_on_another():
    outcome, told = run([A, B], [comes("r1", 0)], [fails("a", 1000)])
    assert told == [
        (0, "submit", ["r1"]),
        (1000, "die", ["r1"]),
        (1000 + LATENCY_US + 512, "finish", []),
    ]
    assert (outcome.restarted, outcome.interrupted) == (1, 0)
    assert outcome.all.waiting_s == pytest.approx(1000e-6, abs=1e-12)
    assert outcome.all.shared_bits == 2 * SHARED_BITS


def test_a_request_whose_only_device_fails_waits_until_it_is_back():
    outcome, told = run([A], [comes("r1", 0)], [fails("a", 1000), joins(A, 5000)])
    assert told == [
        (0, "submit", ["r1"]),
        (1000, "die", []),
        (5000, "join", ["r1"]),
        (5000 + LATENCY_US, "finish", []),
    ]
    assert (outcome.all.served, outcome.interrupted, outcome.restarted) == (1, 1, 0)


def test_a_device_leaves_while_computing_once_its_work_has_another_place():
    _, told = run([A, B], [comes("r1", 0)], [leaves("a", 700)])
    assert told[1:] == [(700, "leave", ["r1"]), (700 + LATENCY_US + 512, "finish", [])]


def test_a_device_that_is_needed_stays_until_the_request_ends():
    outcome, told = run([A], [comes("r1", 0), comes("r2", 3000)], [leaves("a", 700)])
    assert told == [
        (0, "submit", ["r1"]),
        (LATENCY_US, "finish", []),
        (LATENCY_US, "leave", []),
        (3000, "submit", []),
        (3000, "finish", []),  # Nothing runs or comes any more: it stops waiting.
    ]
    assert (outcome.all.served, outcome.all.unserved) == (1, 1)


def test_a_device_that_could_not_leave_yet_and_joins_stays():
    """Nobody could take its work at 700, and at 800 it would have been back."""
    outcome, told = run([A], [comes("r1", 0), comes("r2", 3000)], [leaves("a", 700), joins(A, 800)])
    assert told == [
        (0, "submit", ["r1"]),
        (LATENCY_US, "finish", []),
        (3000, "submit", ["r2"]),
        (3000 + LATENCY_US, "finish", []),
    ]
    assert (outcome.all.served, outcome.all.unserved) == (2, 0)


def test_a_device_that_stayed_after_all_fails_as_any_other():
    changes = [leaves("a", 700), joins(A, 1500), fails("a", 2500)]
    outcome, told = run([A], [comes("r1", 0), comes("r2", 3000)], changes)
    assert [(time, event) for time, event, _ in told[:3]] == [
        (0, "submit"),
        (LATENCY_US, "finish"),
        (2500, "die"),
    ]
    assert (outcome.all.served, outcome.all.unserved) == (1, 1)


def test_requests_that_come_all_at_once_are_rejected_but_one_and_served_in_order():
    many = [comes(f"r{k}", 0) for k in range(1, 51)]
    outcome, told = run([A], many)
    assert (outcome.all.rejected_first, outcome.all.unserved) == (49, 0)
    ends = [one for one in told if one[1] == "finish"]
    assert [time for time, _, _ in ends] == [k * LATENCY_US for k in range(1, 51)]
    assert [placed for _, _, placed in ends[:2]] == [["r2"], ["r3"]]


def test_on_a_device_that_is_too_small_all_are_rejected_for_good():
    tiny = A.model_copy(update={"bandwidth_budget_bits": 1000.0})
    outcome, _ = run([tiny], [comes(f"r{k}", k) for k in range(20)])
    assert (outcome.all.rejected_first, outcome.all.unserved, outcome.all.served) == (20, 20, 0)
    assert (outcome.all.latency_s, outcome.all.shared_bits, outcome.end_s) == (0.0, 0, 0.0)
