"""Where the files lie that tests read."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
DOCS = ROOT / "docs"
INSTANCES = ROOT / "instances"
SMALL = INSTANCES / "small"


def copied(folder: Path, *names: str) -> Path:
    """Copy instances of the small set, and their solutions, into a folder."""
    folder.mkdir(exist_ok=True)
    for name in names:
        for ending in (".json", ".solution.json"):
            shutil.copy(SMALL / f"{name}{ending}", folder)
    return folder
