"""Finished work of other code is made anew, and said; two writers of one file are refused."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import figures, policies, sensitivity, traffic
from benchmarks.common import provenance
from benchmarks.common.records import Record, RecordBook, json_path, record_book
from benchmarks.gap import __main__ as gap
from benchmarks.report import __main__ as report
from benchmarks.runtime import __main__ as runtime
from benchmarks.tradeoffs import __main__ as tradeoffs
from benchmarks.tradeoffs.tradeoff_record import CurveBook, CurveRecord
from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import digest, read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

FILE = Path(__file__).parents[2] / "instances" / "small" / "lenet-0.4-3-mixed.json"
INSTANCE = read_instance(FILE)
OPTIONS = asdict(SolverOptions())


@pytest.fixture(scope="module")
def made() -> Record:
    return Record.of(solve(INSTANCE, "auto"), requests=1)


@pytest.fixture
def out(tmp_path: Path, made: Record) -> Path:
    """A CSV file of an earlier run, with its records."""
    RecordBook(tmp_path / "gap.csv", Record).add(made)
    return tmp_path / "gap.csv"


def found(out: Path) -> Record | None:
    with record_book(out, Record) as book:
        return book.find(INSTANCE.name, digest(INSTANCE), "auto", OPTIONS)


def rewrite(out: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change the one record of a file."""
    kept = json.loads(json_path(out).read_text())
    change(kept["records"][0])
    json_path(out).write_text(json.dumps(kept))


def test_a_record_of_this_code_serves_again(out, made, capsys):
    assert found(out) == made
    assert f"{out}: 1 of 1 records are of this code" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("source_sha256"),
        lambda record: record.update(source_sha256="0" * 64),
        lambda record: record.pop("versions"),
        lambda record: record["versions"].update(highspy="1.0"),
    ],
    ids=["no digest", "other code", "no versions", "other packages"],
)
def test_a_record_of_other_code_does_not_and_that_is_said(out, capsys, change):
    rewrite(out, change)
    assert found(out) is None
    assert f"{out}: 0 of 1 records are of this code" in capsys.readouterr().err


def test_nothing_is_said_of_a_new_file(tmp_path, capsys):
    assert found(tmp_path / "new.csv") is None
    assert capsys.readouterr().err == ""


def test_gap_solves_again_what_other_code_solved(out, made):
    rewrite(out, lambda record: record.update(source_sha256="0" * 64, objective_s=9.0))
    gap.main(instances=FILE, policies="algorithm1", time_limit=None, out=out)
    again = {record.method: record for record in RecordBook(out, Record).records}
    assert again["auto"].objective_s == made.objective_s
    assert {record.source_sha256 for record in again.values()} == {provenance.source()}


def test_a_curve_that_tells_of_no_code_is_not_current(tmp_path):
    curve = CurveRecord(instance_sha256="0", options={}, finished=True)
    CurveBook(tmp_path / "records.json").add(curve)
    assert not curve.is_current
    assert CurveBook(tmp_path / "records.json").find("0", {}) is None
    told = {"source_sha256": provenance.source(), "versions": provenance.versions()}
    CurveBook(tmp_path / "records.json").add(curve.model_copy(update=told))
    assert CurveBook(tmp_path / "records.json").find("0", {}) is not None


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


def test_a_link_to_the_file_of_a_running_command_is_refused(out, tmp_path):
    (tmp_path / "link.csv").symlink_to(out)
    refused = pytest.raises(InputError, match=r"link\.csv: expected one that no other")
    with record_book(out, Record), refused:
        found(tmp_path / "link.csv")
    assert found(out).solution_status is SolutionStatus.OPTIMAL
