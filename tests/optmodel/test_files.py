"""Files are written whole or not at all, and unusable places are refused beforehand."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, IOBase, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pytest
from full_disk import files_of_at_most
from pydantic import Field

from optmodel.ground.json_files import MOST_ERRORS, SchemaVersion, StrictModel, parse_model
from optmodel.ground.rule_errors import InputError, field_path
from optmodel.ground.whole_files import (
    STANDARD,
    read_bytes,
    read_lines,
    require_writable,
    write_text,
    written_at_the_end,
)

NOBODY = 65534
"""A user without rights; root, who may do everything, becomes this one for a while."""


@contextmanager
def permissions(path: Path, mode: int) -> Iterator[None]:
    """Give a path other permissions for a while, and be bound by them."""
    before = stat.S_IMODE(path.stat().st_mode)
    root = os.geteuid() == 0
    path.chmod(mode)
    if root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
        path.chmod(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_in_utf8_without_a_temporary_file_left(tmp_path):
    write_text(tmp_path / "out.json", "2 µs\n")
    assert (tmp_path / "out.json").read_bytes() == "2 µs\n".encode()
    assert names(tmp_path) == ["out.json"]


def test_a_relative_path_is_written_where_the_process_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(Path("out.json"), "new")
    assert (tmp_path / "out.json").read_text() == "new"


def test_an_existing_file_is_replaced_whole_and_who_reads_it_meanwhile_sees_all_of_it(tmp_path):
    out = tmp_path / "out.json"
    out.write_text("a long old text")
    with out.open() as reader:
        write_text(out, "new")
        assert reader.read() == "a long old text"
    assert out.read_text() == "new"
    assert names(tmp_path) == ["out.json"]


@pytest.mark.parametrize("before", [["old"], []], ids=["an old file", "no file"])
def test_a_failing_write_leaves_what_was_there_and_no_temporary_file(tmp_path, before):
    out = tmp_path / "out.json"
    for text in before:
        out.write_text(text)
    with (
        files_of_at_most(1_000),
        pytest.raises(InputError, match="expected a place for 100,000 bytes, got 'File too large'"),
    ):
        write_text(out, "n" * 100_000)
    assert [file.read_text() for file in tmp_path.iterdir()] == before


def test_text_that_cannot_be_encoded_leaves_the_old_file(tmp_path):
    out = tmp_path / "out.json"
    out.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(out, "\ud800")
    assert out.read_text() == "old"
    assert names(tmp_path) == ["out.json"]


def test_a_failing_rename_leaves_no_temporary_file(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="got 'Is a directory'"):
        write_text(tmp_path / "folder", "new")
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.open", "pathlib.Path.replace"])
@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
def test_ctrl_c_at_any_moment_is_ctrl_c_and_leaves_no_temporary_file(
    tmp_path, monkeypatch, moment, done
):
    module, _, name = moment.rpartition(".")
    owner = os if module == "os" else Path
    real = getattr(owner, name)

    def interrupted(*arguments):
        made = real(*arguments) if done else None
        if isinstance(made, IOBase):
            made.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "out.json", "new")
    written = done and name == "replace"
    assert names(tmp_path) == (["out.json"] if written else [])


def test_a_folder_that_takes_no_file_is_refused_before_the_work():
    """The permissions of /proc say that root may write there."""
    with pytest.raises(InputError, match="expected a file name in a writable folder, got"):
        require_writable(Path("/proc/out.json"))


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "out.json", "new")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == mode


@pytest.mark.parametrize("name", ["new.json", "old.json"])
def test_a_new_or_an_old_file_in_a_writable_folder_may_be_written(tmp_path, name):
    (tmp_path / "old.json").write_text("old")
    require_writable(tmp_path / name)
    assert names(tmp_path) == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "old"


@pytest.mark.parametrize(
    "place",
    [".", "missing/out.json", "file/out.json", "x" * 300],
    ids=["folder", "missing", "file", "long"],
)
def test_a_folder_or_a_name_in_no_folder_may_not_be_written(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a file name in a writable folder, got") as error:
        require_writable(tmp_path / place)
    assert str(error.value).startswith(f"{tmp_path / place}: ")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "closed"])
def test_a_name_in_a_folder_without_permission_may_not_be_written(mode):
    with (
        TemporaryDirectory() as folder,
        permissions(Path(folder), mode),
        pytest.raises(InputError, match="expected a file name in a writable folder, got"),
    ):
        require_writable(Path(folder) / "out.json")


def test_an_unreadable_file_is_refused(tmp_path):
    file = tmp_path / "secret.json"
    file.write_text("{}")
    with (
        permissions(file, 0o000),
        pytest.raises(InputError, match="expected a readable file, got 'Permission denied'"),
    ):
        read_bytes(file)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("word_bits",), "word_bits"),
        (("devices", 2, "rate_bits_per_s"), "devices[2].rate_bits_per_s"),
        (("networks", 0, "layers", 10), "networks[0].layers[10]"),
    ],
)
def test_a_location_is_written_as_one_would_type_it(location, path):
    assert field_path(location) == path


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    require_writable(link)
    write_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.json").read_text() == "new"


def test_a_link_to_nowhere_may_not_be_written(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "missing" / "real.json")
    with pytest.raises(InputError, match="expected a file name in a writable folder"):
        require_writable(link)


def test_a_device_may_not_be_replaced():
    with pytest.raises(InputError, match="got a device or pipe"):
        require_writable(Path("/dev/null"))


def test_an_output_may_not_replace_another_file_of_the_command(tmp_path):
    out = tmp_path / "out.json"
    with pytest.raises(InputError, match="got the name of another file of this command"):
        require_writable(out, None, tmp_path / "." / "out.json")


def test_a_stream_becomes_the_file_at_the_end_or_not_at_all(tmp_path):
    path = tmp_path / "log.jsonl"
    with written_at_the_end(path) as stream:
        stream.write("one\n")
        assert not path.exists()
    assert path.read_text() == "one\n"
    with pytest.raises(TypeError), written_at_the_end(path) as stream:
        stream.writelines(["two\n", None])
    assert path.read_text() == "one\n"
    assert [*tmp_path.iterdir()] == [path]


def test_a_stream_to_a_folder_that_is_missing_is_refused(tmp_path):
    path = tmp_path / "nowhere" / "log.jsonl"
    with pytest.raises(InputError, match="expected a place for the file"), written_at_the_end(path):
        pass


def test_lines_are_read_one_by_one_and_a_missing_file_is_told(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo")
    assert [*read_lines(path)] == [b"one\n", b"two"]
    with pytest.raises(InputError, match="expected a readable file"):
        next(read_lines(tmp_path / "missing"))


class Item(StrictModel):
    number: Annotated[int, Field(ge=0)]


class Items(StrictModel):
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


def refusal(numbers: list[object]) -> list[str]:
    text = json.dumps({"items": [{"number": number} for number in numbers]})
    with pytest.raises(InputError) as error:
        parse_model(text.encode(), Items, "list.json")
    assert error.value.rule.field == "items[0].number"
    return str(error.value).splitlines()


def test_one_wrong_field_in_a_list_is_one_message():
    assert refusal([-1]) == [
        "list.json: items[0].number: expected greater than or equal to 0, got -1; correct the field"
    ]


def test_all_errors_are_told_one_per_line_up_to_ten():
    assert [line.split(":")[1] for line in refusal([-1, 1, "one"])] == [
        " items[0].number",
        " items[2].number",
    ]
    assert len(refusal([-1] * MOST_ERRORS)) == MOST_ERRORS
    many = refusal([-1] * 60)
    assert len(many) == MOST_ERRORS + 1
    assert many[-1] == "list.json: 50 more like these"


class Versioned(Items):
    schema_version: SchemaVersion


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ({"schema_version": 2}, ["schema_version"]),
        ({"schema_version": 1}, ["items[0].number"]),
        ({}, ["items[0].number", "schema_version"]),
    ],
)
def test_of_a_file_of_another_version_the_version_alone_is_told(version, named):
    """Its other fields are as that version has them; a version that is missing is one more."""
    written = {"items": [{"number": -1}]} | version
    with pytest.raises(InputError) as error:
        parse_model(json.dumps(written).encode(), Versioned, "list.json")
    assert [rule.field for rule in error.value.rules] == named


def test_standard_output_takes_a_text_or_a_stream_as_it_is(capfdbinary):
    require_writable(STANDARD)
    write_text(STANDARD, "2 µs\n")
    with written_at_the_end(STANDARD) as stream:
        stream.write("3 µs\n")
    assert capfdbinary.readouterr().out == "2 µs\n3 µs\n".encode()


def test_standard_input_is_read_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"12345")))
    with pytest.raises(InputError, match="-: expected at most 0 MB, got more"):
        read_bytes(STANDARD, most=4)
