"""Cases of the trade-off benchmark, and where they are run."""

import csv
import json
from pathlib import Path

from benchmarks.tradeoffs.tradeoff_cases import TradeoffCase
from benchmarks.tradeoffs.tradeoff_record import CurveRecord
from benchmarks.tradeoffs.tradeoff_run import Runner
from instances.ssim import TABLE_I
from optmodel.ground.finished_runs import RunStore
from optmodel.search.options import SolverOptions

OPTIONS = SolverOptions(threads=1, time_limit_s=600.0)


def case(kind: str, **changes: object) -> TradeoffCase:
    values = {"network": "lenet", "fleet": "mixed", "devices": 2, "tolerated_ssim": 0.8}
    if kind == "tolerance":
        values["tolerated_ssim"] = None
    return TradeoffCase(kind, **{**values, "ssim": TABLE_I, "policy": "reject", **changes})


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
