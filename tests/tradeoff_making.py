"""Cases of the trade-off benchmark, and where they are run."""

import csv
import json
from dataclasses import replace
from pathlib import Path

from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from benchmarks.tradeoffs.tradeoff_record import CurveRecord
from benchmarks.tradeoffs.tradeoff_run import Runner
from instances.generate import Recipe
from optmodel.ground.finished_runs import RunStore
from optmodel.search.options import SolverOptions

OPTIONS = SolverOptions(threads=1, time_limit_s=600.0)


def case(kind: str, network: str = "lenet", **changes: object) -> TradeoffCase:
    recipe = Recipe((network,), "mixed", 2, requests=1)
    return TradeoffCase(kind, replace(recipe, **changes))


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def runner(tmp_path: Path, **changes: object) -> Runner:
    tmp_path.mkdir(exist_ok=True)
    store = RunStore(tmp_path / "tradeoffs.records.json", CurveRecord)
    return Runner(**{"store": store, "options": OPTIONS, "points": 3, **changes})


def measured_table(path: Path, conv2: float) -> Path:
    """Every share of conv1 is unsafe at 0.8, of conv2 those above this similarity."""
    rows = [
        {
            "row": "MNIST Conv1",
            "measurements": [{"maps": 1, "ssim": 0.9}, {"maps": 8, "ssim": 0.99}],
        },
        {
            "row": "MNIST Conv2",
            "measurements": [{"maps": 4, "ssim": conv2}, {"maps": 8, "ssim": 0.95}],
        },
    ]
    path.write_text(json.dumps({"source": "measured", "slack": 0.0, "rows": rows}))
    return path
