"""Run the project's commands as a user does."""

import subprocess
import sys


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` and return what it printed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
