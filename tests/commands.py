"""Run the project's commands as a user does, and read what they write."""

import csv
import subprocess
import sys
from pathlib import Path


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` and return what it printed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of a benchmark's CSV file by instance and method."""
    with path.open(newline="") as stream:
        return {(row["instance"], row["method"]): row for row in csv.DictReader(stream)}
