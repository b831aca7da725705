"""Run the project's commands as a user does, and read what they write."""

import csv
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from optmodel.ground.app import run_app


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


def run_here(module: str, *arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `python -m MODULE ARGUMENTS` in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
    loaded = import_module(module)
    with pytest.raises(SystemExit) as end:
        run_app(*getattr(loaded, "COMMANDS", None) or (loaded.main,), program=module)
    return end.value.code or 0


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of a benchmark's CSV file by instance and method."""
    with path.open(newline="") as stream:
        return {(row["instance"], row["method"]): row for row in csv.DictReader(stream)}
