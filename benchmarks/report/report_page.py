"""The page of `benchmarks.report`: its tables, figures as data URIs, compressed placements."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.common.command import Faults
from benchmarks.common.records import Record
from benchmarks.gap.comparison import Comparison, most_served
from benchmarks.gap.gap_table import (
    POLICY_COLUMNS,
    gap_cell,
    policy_rows,
    policy_title,
    proven,
    summary,
)
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import read_bytes
from optmodel.page import SolutionView, environment, render, static_text
from optmodel.placement import milliseconds

HERE = "benchmarks"
KINDS = {".png": ("image/png", b"\x89PNG\r\n\x1a\n"), ".svg": ("image/svg+xml", b"<svg")}
"""Figures by their ending: what browsers call them, and what stands in every one."""


@dataclass(frozen=True)
class Figure:
    """A picture of the page: its name, and the whole of it as a data URI."""

    name: str
    uri: str


@dataclass(frozen=True)
class Stored:
    """A stored solution: what the drop-down says of it, and its part of the page, compressed."""

    label: str
    packed: str

    @classmethod
    def of(cls, view: SolutionView) -> Self:
        """Write a solution in HTML; gzip leaves a tenth of it, and base64 adds a third."""
        html = environment(HERE).get_template("stored_solution.html").render(view=view)
        packed = gzip.compress(html.encode(), mtime=0)
        facts = dict(view.facts)
        label = f"{view.name}: {facts['status'].partition(' ')[0]}"
        return cls(label, base64.b64encode(packed).decode())


@dataclass(frozen=True)
class TableCell:
    """A cell of the gap table: its text, and the number to sort by, None for text."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class TableRow:
    """A line of the gap table: name of the instance, number of its stored solution, cells."""

    name: str
    stored: int | None
    cells: tuple[TableCell, ...]


def read_figures(option: str, folder: Path) -> tuple[Figure, ...]:
    """Return the PNG and SVG files of a folder, by name.

    Raises
    ------
    InputError
        If it is no folder, holds none, or one of them is something else.
    """
    files = sorted(file for file in folder.glob("*") if file.suffix in KINDS)
    if not files:
        raise InputError(
            f"{option}: expected a folder with PNG or SVG files, got '{folder}' without any; "
            "name another folder or leave the option out"
        )
    return tuple(Figure(file.name, _data_uri(file)) for file in files)


def _data_uri(file: Path) -> str:
    kind, mark = KINDS[file.suffix]
    content = read_bytes(file)
    if mark not in content[:4096]:
        raise InputError(
            f"{file}: expected {kind}, got other content; mend the file or move it elsewhere"
        )
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def report_page(
    title: str,
    comparisons: Sequence[Comparison],
    figures: Sequence[Figure],
    stored: Mapping[str, Stored],
    faults: Faults,
) -> str:
    """Return the page.

    `stored` holds the stored solutions by instance, `faults` what is left out or wrong.
    """
    return render(
        environment(HERE),
        "report.html",
        static_text(HERE, "report.js"),
        title=title,
        summary=summary(comparisons).splitlines(),
        columns=_columns(comparisons),
        rows=_rows(comparisons, stored),
        policy_columns=("policy", *POLICY_COLUMNS),
        policies=list(policy_rows(comparisons)),
        figures=figures,
        stored=list(stored.values()),
        faults=[*faults.unusable, *faults.wrong],
    )


def _columns(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the titles of all columns but the first, which is the instance."""
    policies = comparisons[0].policies if comparisons else ()
    titles = [f"{policy_title(record)} %" for record in policies]
    return ["proven", "requests", "best ms", "seconds", *titles]


def _rows(comparisons: Sequence[Comparison], stored: Mapping[str, Stored]) -> list[TableRow]:
    number = {name: at for at, name in enumerate(stored)}
    return [
        TableRow(one.exact.instance, number.get(one.exact.instance), _cells(one))
        for one in comparisons
    ]


def _cells(one: Comparison) -> tuple[TableCell, ...]:
    best = one.reference
    took = sum(record.wall_time_s for record in (one.exact, one.most) if record)
    return (
        TableCell(proven(one)),
        TableCell(str(best.requests), best.requests),
        TableCell(milliseconds(best.objective_s), best.objective_s),
        TableCell(f"{took:.2f}", took),
        *(TableCell(gap_cell(record, best), _gap(record, best)) for record in one.policies),
    )


def _gap(record: Record, reference: Record) -> float | None:
    """Return the gap to sort by; None, which comes last, where fewer are served than can be."""
    return record.gap if record.served >= most_served(reference) else None
