"""CSV files: objects as JSON, and nothing in names that a spreadsheet would calculate."""

import csv
import io
import json

import pandas as pd
import pytest
from runs import record

from benchmarks.common.csv_text import csv_text
from benchmarks.common.records import as_frame


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


CALCULATED = [
    *('=HYPERLINK("http://x")', "+1", "-1", "@x"),
    *("\t=1", "\n=1", " =1", "   +1", "\u00a0-1", "\u3000@x", "\u200b=1", "\ufeff=1"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", " \uff1d1", "\ufe661"),
]


@pytest.mark.parametrize("name", CALCULATED, ids=ascii)
def test_a_name_that_a_spreadsheet_would_calculate_is_text(name):
    (row,) = rows(csv_text(as_frame([record(instance=name)])))
    assert row["instance"] == f"'{name}"


def test_other_names_and_numbers_stay_as_they_are():
    frame = pd.DataFrame({"name": [" a=b", None], "number": [-1.5, 2.0], "truth": [True, False]})
    assert csv_text(frame) == "name,number,truth\n a=b,-1.5,True\n,2.0,False\n"
    assert csv_text(frame[["number"]] / 3, "%.3g") == "number\n-0.5\n0.667\n"


def test_options_and_versions_are_json():
    made = record(options={"time_limit_s": None, "solver": "hïghs", "threads": 1})
    (row,) = rows(csv_text(as_frame([made])))
    assert json.loads(row["options"]) == made.options
    assert json.loads(row["versions"]) == made.versions
