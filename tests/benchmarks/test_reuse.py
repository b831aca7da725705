"""Finished work of other code is made anew; two writers of one file are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from places import SMALL
from runs import record

from benchmarks import figures, policies, sensitivity, traffic
from benchmarks.common.origins import SOLVING
from benchmarks.common.records import Record, RecordBook, json_path, record_book
from benchmarks.gap import __main__ as gap
from benchmarks.report import __main__ as report
from benchmarks.runtime import __main__ as runtime
from benchmarks.runtime.runtime_record import RunRecord
from benchmarks.tradeoffs import __main__ as tradeoffs
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.problem.instance import Instance, digest, read_instance
from optmodel.solving import solve

FILE = SMALL / "lenet-0.4-3-mixed.json"
INSTANCE = read_instance(FILE)


def test_gap_solves_again_what_other_code_solved(tmp_path):
    made, out = Record.of(solve(INSTANCE, "auto"), requests=1), tmp_path / "gap.csv"
    RecordBook(out, Record).add(made)
    kept = json.loads(json_path(out).read_text())
    kept["records"][0] |= {"source_sha256": "0" * 64, "objective_s": 9.0}
    json_path(out).write_text(json.dumps(kept))
    gap.main(instances=FILE, policies="algorithm1", time_limit=None, out=out)
    again = {record.method: record for record in RecordBook(out, Record).records}
    assert again["auto"].objective_s == made.objective_s
    assert {record.source_sha256 for record in again.values()} == {SOLVING.source_sha256}


MADE = {"solver": "highs", "seed": 0, "time_limit_s": 60.0}


def asked(book: RecordBook[RunRecord], instance: Instance = INSTANCE, **options: object) -> bool:
    """Ask a book for the record of a run, and tell whether it was made anew."""
    told, made = MADE | options, []

    def make() -> RunRecord:
        made.append(told)
        names = {"instance": instance.name, "instance_sha256": digest(instance)}
        return record(**names, options=told)

    assert book.recorded(instance, "count", told, make).options == told
    return bool(made)


def test_a_run_is_made_once_for_its_content_and_options(tmp_path):
    out = tmp_path / "runs.csv"
    assert asked(RecordBook(out, RunRecord))
    assert not asked(RecordBook(out, RunRecord))
    for change in ({"seed": 1}, {"solver": "scip"}):
        assert asked(RecordBook(out, RunRecord), **change)
        assert not asked(RecordBook(out, RunRecord))  # They stand side by side.
    assert len(RecordBook(out, RunRecord).records) == 3
    assert asked(RecordBook(out, RunRecord), time_limit_s=9.0)
    assert asked(RecordBook(out, RunRecord))  # The other limit has replaced it.
    other = INSTANCE.model_copy(update={"unattainable": "source"})
    assert asked(RecordBook(out, RunRecord), other)


def test_a_run_is_made_again_if_forced_and_where_times_count_on_another_machine(tmp_path):
    book = RecordBook(tmp_path / "runs.csv", RunRecord, timed=True)
    assert asked(book)
    assert not asked(book)
    assert asked(RecordBook(tmp_path / "runs.csv", RunRecord, force=True))
    book.add(book.records[0].model_copy(update={"host": "another machine"}))
    assert asked(book)
    book.add(book.records[0].model_copy(update={"host": "another machine"}))
    assert not asked(RecordBook(tmp_path / "runs.csv", RunRecord))


def test_a_csv_file_without_records_is_not_overwritten(tmp_path):
    out = tmp_path / "mine.csv"
    out.write_text("my,own,table\n")
    with pytest.raises(InputError, match=r"got one without mine\.records\.json beside it"):
        gap.main(instances=FILE, out=out)
    assert out.read_text() == "my,own,table\n"


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
