"""The rooms work without torch, and the packages offer what their faces name."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_no_room_imports_torch():
    """A finder that refuses torch stands before all others; every front end still imports."""
    code = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError(name)
sys.meta_path.insert(0, NoTorch())
import benchmarks.gap.__main__, benchmarks.gap.gap_plot, heuristics.policies, instances.sets
import instances.generate, instances.measured, instances.ssim
import attack.curves, attack.data, attack.shipped, attack.splits
import benchmarks.best_known.__main__, optmodel.solving, optmodel.check
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_slow_files_are_there():
    """A file that was renamed would run in `make quick`."""
    here = Path(__file__).parent
    listed = (here / "slow_files.txt").read_text(encoding="utf-8").split()
    assert len(listed) == len(set(listed))
    assert [name for name in listed if not (here / name).is_file()] == []


@pytest.mark.parametrize("package", ["optmodel", "heuristics", "attack"])
def test_a_package_offers_what_its_face_names(package):
    """Also after modules were loaded, one of which has a name of the face."""
    code = f"""
import {package} as face
import optmodel.check, optmodel.explain, optmodel.pareto, heuristics.policies
for name in face.__all__:
    assert getattr(face, name).__name__ == name, name
try:
    face.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error)
else:
    raise SystemExit("no error")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
