"""A finished run serves again while it is what is asked for, made by this code and packages."""

import json
import sys
from pathlib import Path

import pytest

from optmodel.ground import provenance
from optmodel.ground.finished_runs import FinishedRun, RunFolder, RunStore, tell_reused
from optmodel.ground.provenance import Origin
from optmodel.ground.rule_errors import InputError

ORIGIN = Origin(code=("optmodel.ground.provenance",), installed=("pydantic", "not-installed"))


class Squared(FinishedRun):
    """The square of a number."""

    number: int
    square: int

    @property
    def key(self) -> str:
        return f"square-{self.number}"

    @property
    def origin(self) -> Origin:
        return ORIGIN


def squared(number: int, **changes: object) -> Squared:
    return Squared(**{"number": number, "square": number**2, **ORIGIN.stamp(), **changes})


@pytest.fixture(params=["file", "folder"])
def path(request, tmp_path) -> Path:
    return tmp_path / ("runs.json" if request.param == "file" else "runs")


def store_at(path: Path) -> RunStore[Squared]:
    return (RunStore if path.suffix else RunFolder)(path, Squared)


def test_runs_are_there_after_each_addition_and_replace_those_before(path):
    store = store_at(path)
    assert store.get("square-2") is None
    for run in (squared(2), squared(3), squared(2, square=5)):
        store.add(run)
        assert store_at(path).get(run.key) == run
    again = store_at(path)
    assert [again.get(f"square-{number}").square for number in (2, 3)] == [5, 9]
    assert sorted(run.number for run in again.records) == [2, 3]


def test_a_file_that_was_renamed_is_that_of_no_run(tmp_path):
    folder = RunFolder(tmp_path, Squared)
    folder.add(squared(2))
    folder.file("square-2").rename(folder.file("square-3"))
    assert RunFolder(tmp_path, Squared).get("square-3") is None


def test_without_a_file_runs_are_in_memory():
    store = RunStore(None, Squared)
    store.add(squared(2))
    assert store.records == [store.get("square-2")]


def test_what_cannot_be_read_is_refused_with_a_way_out(path):
    store = store_at(path)
    store.add(squared(2))
    file = path if path.suffix else store.file("square-2")
    file.write_text(file.read_text().replace('"square": 4', '"square": "four"'))
    says = r"square: expected a valid integer, got 'four'.*keeps finished runs: delete it"
    with pytest.raises(InputError, match=says):
        store_at(path).get("square-2")


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.pop("source_sha256"),
        lambda run: run.update(source_sha256="0" * 64),
        lambda run: run.pop("versions"),
        lambda run: run["versions"].update(pydantic="1.0"),
    ],
    ids=["no digest", "other code", "no versions", "other packages"],
)
def test_a_run_of_other_code_does_not_serve_and_that_is_said(tmp_path, change, capsys):
    file = tmp_path / "runs.json"
    store_at(file).add(squared(2))
    kept = json.loads(file.read_text())
    change(kept["records"][0])
    file.write_text(json.dumps(kept))
    (run,) = store_at(file).records
    assert not run.serves(number=2)
    tell_reused(file, [run, squared(3)])
    assert f"{file}: 1 of 2 records are of this code" in capsys.readouterr().err


def test_nothing_is_said_of_no_runs(capsys):
    tell_reused(Path("new"), [])
    assert capsys.readouterr().err == ""


def test_a_run_serves_what_it_was_made_for():
    run = squared(2)
    assert run.serves(number=2, host=provenance.host())
    assert not run.serves(number=3)
    assert not run.serves(number=2, host="another machine")


def test_any_change_of_what_decides_makes_another_digest(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package, module, table = tmp_path / "my_package", tmp_path / "my_module.py", tmp_path / "table"
    package.mkdir()
    files = (package / "__init__.py", package / "one.py", module, table)
    for file in files:
        file.write_text("")
    origin = Origin(code=("my_package", "my_module"), files=(table,))
    found = {origin.source_sha256}
    for file in files:
        file.write_text("changed = 1")
        provenance.digest_of.cache_clear()  # A new process would not have it either.
        found |= {origin.source_sha256}
    assert len(found) == 1 + len(files)


def test_versions_are_those_of_installed_packages():
    assert ORIGIN.versions.keys() == {"python", "pydantic"}
    assert ORIGIN.versions["python"] == sys.version.partition(" ")[0]
    assert ORIGIN.sha256 != Origin(code=ORIGIN.code).sha256
