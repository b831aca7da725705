"""The ablation leaves out one part at a time, records every run, and goes on where it stopped."""

import re
import shutil
import signal
from io import StringIO

import pandas as pd
import pytest
from commands import output_of, refusal_of, rows_of
from places import DOCS, SMALL
from rich.console import Console
from runs import record

from benchmarks.ablation.__main__ import PARTS, WHOLE, ablated, options_without
from benchmarks.ablation.ablation_table import WORTH, print_ablation
from benchmarks.common.records import Record, RecordBook
from optmodel.batch.engine import BatchEngine
from optmodel.batch.options import BatchOptions
from optmodel.problem.instance import read_instance
from optmodel.search.options import SolverOptions

NAME = "lenet-0.6-x2-bandwidth"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "some"
    made.mkdir()
    shutil.copy(SMALL / f"{NAME}.json", made)
    return made


def test_every_run_is_recorded_and_none_is_made_twice(folder, tmp_path):
    out = tmp_path / "ablation.csv"
    asked = ("--instances", folder, "--without", "recreate,prices", "--time-limit", 0.5)
    output_of("benchmarks.ablation", *asked, "--seeds", 1, "--out", out)
    methods = [WHOLE, "without prices", "without recreate"]
    assert list(rows_of(out)) == [(NAME, method) for method in methods]
    before = RecordBook(out, Record).records
    output_of("benchmarks.ablation", *asked, "--seeds", 2, "--out", out)
    after = RecordBook(out, Record).records
    assert len(after) == 6
    assert [record for record in after if record.options["seed"] == 0] == before


def test_the_table_says_what_is_missed(folder):
    text = output_of(
        *("benchmarks.ablation", "--instances", folder, "--without", "alone,prices"),
        *("--seeds", 1, "--time-limit", 0.5),
    )
    assert NAME in text
    assert "without prices" in text
    assert "lower bound" in text


def test_ctrl_c_ends_the_ablation_and_records_nothing_of_the_run(monkeypatch):
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(BatchEngine, "_rounds", interrupted)
    book = RecordBook(None, Record)
    instance = read_instance(SMALL / f"{NAME}.json")
    with pytest.raises(KeyboardInterrupt):
        ablated(instance, WHOLE, SolverOptions(time_limit_s=5), book)
    assert book.records == []


@pytest.mark.parametrize("part", PARTS)
def test_one_part_is_left_out_and_all_others_stay(part):
    whole, less = BatchOptions(), options_without(part)
    assert {*whole.moves, *whole.bounds} - {*less.moves, *less.bounds} == {part}
    assert options_without(WHOLE) == whole


def test_a_part_without_which_there_is_no_placement_is_missed_most():
    whole = record(method=WHOLE, objective_s=2.0, bound_s=1.0)
    less = record(method="without plans", objective_s=None, bound_s=None)
    shown = StringIO()
    print_ablation(Console(file=shown, width=200), [whole, less], WHOLE)
    assert "no placement" in shown.getvalue()
    last = shown.getvalue().split("without plans")[-1].split()
    assert last[:3] == ["1", "0", "1"]


def test_a_part_that_there_is_not_is_refused(folder):
    message = refusal_of("benchmarks.ablation", "--instances", folder, "--without", "swap")
    assert "--without" in message
    assert "recreate" in message


NAMES = {
    "bounds of each request as if alone": "alone",
    "prices": "prices",
    **{f"`{name}`": name for name in PARTS},
}
"""What the page calls each part."""


def test_the_page_sums_up_the_runs_that_are_kept():
    runs = pd.read_csv(DOCS / "ablation.csv")
    medians = runs.groupby(["method", "instance"])[["objective_s", "bound_s"]].median()
    per_cent = 100 * medians / medians.loc[WHOLE]
    page = (DOCS / "columns.md").read_text(encoding="utf-8").partition("| left out | longer")[2]
    lines = [line.strip("| ").split(" | ") for line in page.splitlines()[2:]]
    told = {NAMES[line[0]]: line[1:] for line in lines[: len(PARTS)]}
    assert list(told) == PARTS
    for part, (longer, shorter, lower, worst) in told.items():
        latency, bound = (per_cent.loc[f"without {part}", name] for name in medians)
        assert int(longer) == (latency > 100 + WORTH).sum()
        assert int(shorter) == (latency < 100 - WORTH).sum()
        assert int(lower) == (bound < 100 - WORTH).sum()
        for kind, number in (("longer", latency.max() - 100), ("lower", 100 - bound.min())):
            if kind in worst:
                [shown] = re.findall(rf"([\d.]+) % {kind}", worst)
                assert float(shown) == pytest.approx(number, abs=0.5 if number > 20 else 0.06)
