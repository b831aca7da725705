"""Where the files lie that tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
DOCS = ROOT / "docs"
INSTANCES = ROOT / "instances"
SMALL = INSTANCES / "small"
