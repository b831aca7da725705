"""The sets `instances/small/` and `instances/medium/`: a row of their recipes.csv per instance."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instances.devices import BudgetScales
from instances.generate import Recipe
from instances.set_members import InstanceSet, Member


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split())


OPTIONS: dict[str, Callable[[str], Any]] = {
    "networks": lambda text: tuple(text.split()),
    "fleet": str,
    "devices": int,
    "tolerated_ssim": _numbers,
    "requests": int,
    "cameras": int,
    "seed": int,
    "unattainable": str,
}
"""Columns that hold an option of `Recipe`, and how it is read; an empty cell leaves its default."""
SCALES = ("memory", "compute", "bandwidth")
"""Budgets with a column of factors, NAME_scale."""


def members_of(table: Path) -> tuple[Member, ...]:
    """Return the members of a set that a CSV file lists: name, purpose, and a recipe's options."""
    with table.open(newline="", encoding="utf-8") as rows:
        return tuple(_member(row) for row in csv.DictReader(rows))


def _member(row: dict[str, str]) -> Member:
    options = {name: read(row[name]) for name, read in OPTIONS.items() if row[name]}
    scales = {name: float(row[f"{name}_scale"]) for name in SCALES if row[f"{name}_scale"]}
    return Member(row["name"], row["purpose"], Recipe(**options, scales=BudgetScales(**scales)))


def _listed(name: str, introduction: str) -> InstanceSet:
    return InstanceSet(name, introduction, members_of(Path(__file__).parent / name / "recipes.csv"))


SMALL = _listed(
    "small",
    "Small enough to be solved to proven optimality one segment at a time, each for a reason.",
)
"""The members of `instances/small/`."""
MEDIUM = _listed(
    "medium",
    "The CIFAR network and blocks of VGG16 and VGG19 on 6 to 30 devices, 1 to 20 requests. The "
    "first half has budgets that do not bind; in the second half memory (8b), computation (8c) or "
    "bandwidth (8d) does, or several of them. Batches named oversubscribed cannot be served whole: "
    "the best is to serve as many requests as possible, and those fast.",
)
"""The members of `instances/medium/`."""
