"""JSON that is compact and still shows its changes line by line: one device or layer per line."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from optmodel.ground.whole_files import write_text

WIDTH = 240
"""Characters of a part that stands on one line, at most; a single text is never split."""


def laid_out(value: Any, indent: int = 0) -> str:
    """Return JSON text: a short part stands on one line, a long one is split into its parts.

    Those lines begin with one space more than `indent`.
    """
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {laid_out(part, indent + 1)}"
            for key, part in value.items()
        ]
    else:
        parts = [laid_out(part, indent + 1) for part in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    inner = ",\n".join(" " * (indent + 1) + part for part in parts)
    return f"{begin}\n{inner}\n{' ' * indent}{end}"


def write_laid_out(path: Path, model: BaseModel) -> None:
    """Write a pydantic model in this layout, atomically."""
    write_text(path, laid_out(model.model_dump(mode="json")) + "\n")
