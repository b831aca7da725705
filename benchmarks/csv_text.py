"""Tables as CSV text that spreadsheets take for text and numbers, whatever names stand in it."""

import json

import pandas as pd
from pandas.api.types import is_numeric_dtype

COMMANDS = ("=", "+", "-", "@", "\t")
"""What a spreadsheet calculates begins with one of these."""


def csv_text(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a table as CSV: objects as JSON, and no text that a spreadsheet would calculate.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table; its index is left out.
    float_format : str, optional
        How numbers are written, such as %.10g.
    """
    safe = pd.DataFrame(
        {
            name: column if is_numeric_dtype(column) else column.map(_cell)
            for name, column in frame.items()
        }
    )
    return safe.to_csv(index=False, float_format=float_format)


def _cell(value: object) -> object:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(COMMANDS):
        return f"'{value}"  # A spreadsheet takes the rest for text.
    return value
