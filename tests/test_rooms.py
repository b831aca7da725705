"""The rooms work without torch."""

import subprocess
import sys


def test_no_room_imports_torch():
    """A finder that refuses torch stands before all others; every front end still imports."""
    code = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError(name)
sys.meta_path.insert(0, NoTorch())
import benchmarks.gap, benchmarks.gap_plot, heuristics.policies, instances.sets
import attack.curves, attack.data, attack.shipped, attack.splits
import benchmarks.best_known, optmodel.solve, optmodel.check
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
