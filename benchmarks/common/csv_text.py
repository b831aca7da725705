"""Tables as CSV text that spreadsheets take for text and numbers, whatever names stand in it."""

import json
from unicodedata import normalize

import pandas as pd
from pandas.api.types import is_numeric_dtype

COMMANDS = ("=", "+", "-", "@")
"""What a spreadsheet calculates begins with one of these, narrow or wide, after any spaces."""


def csv_text(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a table as CSV, its index left out, objects as JSON, no text in it a formula."""
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
    if isinstance(value, str) and _is_command(value):
        return f"'{value}"  # A spreadsheet takes the rest for text.
    return value


def _is_command(text: str) -> bool:
    """Return whether a spreadsheet may calculate a text; Unicode's NFKC makes wide signs narrow."""
    seen = (one for one in text if one.isprintable() and not one.isspace())
    return normalize("NFKC", next(seen, "")).startswith(COMMANDS)
