"""Finished work of other code is made anew; two writers of one file are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import figures, policies, sensitivity, traffic
from benchmarks.common.origins import SOLVING
from benchmarks.common.records import Record, RecordBook, json_path, record_book
from benchmarks.gap import __main__ as gap
from benchmarks.report import __main__ as report
from benchmarks.runtime import __main__ as runtime
from benchmarks.tradeoffs import __main__ as tradeoffs
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.problem.instance import read_instance
from optmodel.solving import solve

FILE = Path(__file__).parents[2] / "instances" / "small" / "lenet-0.4-3-mixed.json"


def test_gap_solves_again_what_other_code_solved(tmp_path):
    made, out = Record.of(solve(read_instance(FILE), "auto"), requests=1), tmp_path / "gap.csv"
    RecordBook(out, Record).add(made)
    kept = json.loads(json_path(out).read_text())
    kept["records"][0] |= {"source_sha256": "0" * 64, "objective_s": 9.0}
    json_path(out).write_text(json.dumps(kept))
    gap.main(instances=FILE, policies="algorithm1", time_limit=None, out=out)
    again = {record.method: record for record in RecordBook(out, Record).records}
    assert again["auto"].objective_s == made.objective_s
    assert {record.source_sha256 for record in again.values()} == {SOLVING.source_sha256}


WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "gap": ("gap.csv", lambda out: gap.main(instances=FILE, out=out)),
    "runtime": ("runtime.csv", lambda out: runtime.main(sets=[str(FILE)], out=out)),
    "policies": ("policies.csv", lambda out: policies.main(out=out)),
    "traffic": ("traffic.csv", lambda out: traffic.main(requests=20, devices=24, out=out)),
    "report": (
        "gap.csv",
        lambda out: report.main(
            instances=FILE, out=out.with_name("r.html"), figures=None, records=out
        ),
    ),
    "tradeoffs": ("folder", lambda out: tradeoffs.main(out=out, networks="lenet")),
    "figures": ("folder", lambda out: figures.main(panel="3a", requests=2, out=out)),
    "sensitivity": ("folder", lambda out: sensitivity.main(out=out, requests=2)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_second_writer_is_refused_and_writes_nothing(tmp_path, name):
    called, write = WRITERS[name]
    out = tmp_path / called
    if not out.suffix:
        out.mkdir()
    with FileLock(out), pytest.raises(InputError, match="expected one that no other process"):
        write(out)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_link_to_the_file_of_a_running_command_is_refused(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "gap.csv")
    refused = pytest.raises(InputError, match=r"link\.csv: expected one that no other")
    with record_book(tmp_path / "gap.csv", Record), refused:
        gap.main(instances=FILE, out=tmp_path / "link.csv")
