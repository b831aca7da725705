"""One process at a time on a file, whatever it is called and whatever is removed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optmodel.file_lock import FileLock
from optmodel.files import InputError, write_text

HOLD = (
    "import sys; from pathlib import Path; from optmodel.file_lock import FileLock\n"
    "lock = FileLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def refused(path: Path) -> bool:
    try:
        FileLock(path).release()
    except InputError:
        return True
    return False


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "gap.csv"),
        pytest.raises(InputError, match=r"gap\.csv: expected one that no other process writes"),
    ):
        FileLock(tmp_path / "gap.csv")
    assert not refused(tmp_path / "gap.csv")
    assert list(tmp_path.iterdir()) == []


def test_other_files_of_the_folder_are_free(tmp_path: Path) -> None:
    with FileLock(tmp_path / "gap.csv"):
        assert not refused(tmp_path / "runtime.csv")
        assert not refused(tmp_path)


def test_another_path_to_the_same_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, folder = tmp_path / "state.json", tmp_path / "folder"
    folder.symlink_to(tmp_path)
    (tmp_path / "link.json").symlink_to(state)
    monkeypatch.chdir(tmp_path)
    with FileLock(tmp_path / "link.json"):  # Of a file that does not exist yet.
        state.touch()
        for path in (state, folder / "state.json", Path("state.json"), folder / "link.json"):
            assert refused(path)


def test_removing_or_replacing_the_file_frees_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.touch()
    with FileLock(state):
        state.unlink()
        assert refused(state)
        write_text(state, "another")
        assert refused(state)
        assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_a_folder_is_held_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    with FileLock(folder):
        assert refused(folder / ".." / "figures")


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert refused(state)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert not refused(state)


@pytest.mark.parametrize(
    ("name", "why"), [("nowhere/f", "No such file or directory"), ("loop/f", "loop of symbolic")]
)
def test_a_folder_that_cannot_be_opened_is_told(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match=why):
        FileLock(tmp_path / name)
