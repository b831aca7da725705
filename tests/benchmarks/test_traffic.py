"""The benchmark of traffic: requests come and finish, a device dies and joins again."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import traffic
from benchmarks.traffic import NETWORKS, Traffic, measure
from optmodel.placement.solution import SolutionStatus


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(traffic, "NETWORKS", ("lenet",) * 3 + ("cifar_block1",))
    monkeypatch.setattr(traffic, "RUNNING", 10)
    monkeypatch.setattr(traffic, "CHANGE_EVERY", 8)


def test_requests_come_in_the_stated_mix_and_always_the_same():
    many = Traffic(4000, 12)
    first, again = [*many.arrivals()], [*many.arrivals()]
    assert first == again
    assert [one.id for one in first[:2]] == ["r1", "r2"]
    shares = Counter(one.network for one in first)
    assert shares["lenet"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert Counter(NETWORKS) == {"lenet": 10, "cifar_cnn": 9, "vgg16": 1}
    assert len({one.source for one in first}) == traffic.CAMERAS


def test_a_run_is_recorded_with_its_time_and_memory():
    record = measure(Traffic(40, 24))
    assert record.requests == 40
    assert record.served > 30
    assert record.solution_status in (SolutionStatus.FEASIBLE, SolutionStatus.PARTIAL)
    assert 0 < record.slowest_s <= record.wall_time_s
    assert 0 < record.peak_at_tenth_bytes <= record.peak_bytes
    assert record.objective_s >= record.bound_s > 0


def test_it_keeps_so_many_running_and_changes_devices():
    under = traffic._Run(Traffic(30, 24).fleet())
    for number, request in enumerate(Traffic(30, 24).arrivals(), start=1):
        under.come(number, request)
        counts = under.scheduler.standing
        assert counts.running + counts.waiting <= 10
        assert len(under.scheduler.devices) == 24 - (number >= 8)
    assert under.scheduler.standing.counts.submitted == 30


def test_a_recorded_run_is_printed_again_and_not_measured(tmp_path: Path, monkeypatch, capsys):
    out = tmp_path / "traffic.csv"
    traffic.main(requests=20, devices=24, out=out)
    first = capsys.readouterr().out
    assert "20 requests, 24 devices" in first
    (record,) = json.loads(out.with_suffix(".records.json").read_text())["records"]
    assert record["options"] == {"seed": 0, "requests": 20, "devices": 24}
    monkeypatch.setattr(traffic, "measure", pytest.fail)
    traffic.main(requests=20, devices=24, out=out)
    assert capsys.readouterr().out == first


def test_the_full_traffic_is_held_against_its_goals(capsys):
    record = measure(Traffic(10, 24)).model_copy(update={"wall_time_s": 400.0})
    traffic.print_record(Traffic(100_000, 1000), record)
    assert "at least 1800 s: yes; aim 300 s: no" in capsys.readouterr().out
    traffic.print_record(Traffic(10, 24), record)
    assert "aim" not in capsys.readouterr().out
