"""Run the project's commands as a user does, and read what they write."""

import csv
import os
import subprocess
import sys
from pathlib import Path


def run(
    module: str, *arguments: object, importing: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` and return what it printed.

    Modules in the folder `importing` can be imported too.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    found = [str(importing or ""), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of a benchmark's CSV file by instance and method."""
    with path.open(newline="") as stream:
        return {(row["instance"], row["method"]): row for row in csv.DictReader(stream)}
