"""One process at a time on a file, whatever it is called and whatever is removed."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optmodel.ground.file_lock import FileLock
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import write_text

HOLD = (
    "import sys; from pathlib import Path; from optmodel.ground.file_lock import FileLock\n"
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


def test_a_folder_that_anybody_else_has_locked_as_a_whole_does_not_keep_waiting(
    tmp_path: Path,
) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with FileLock(tmp_path / "gap.csv"):
            assert refused(tmp_path / "gap.csv")
    finally:
        os.close(folder)


def test_of_those_that_come_at_once_exactly_one_gets_the_file(tmp_path: Path) -> None:
    together = threading.Barrier(6)

    def attempt(number: int) -> FileLock | None:
        together.wait(timeout=60)
        try:
            return FileLock(tmp_path / f"{number}.csv")
        except InputError:
            return None

    with ThreadPoolExecutor(6) as pool:
        for number in range(20):
            locks = [lock for lock in pool.map(attempt, [number] * 6) if lock is not None]
            assert len(locks) == 1
            locks[0].release()


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
