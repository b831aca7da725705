"""docs/trust.md shows what the measured tables and the solved instances say."""

import csv
import re
from pathlib import Path

import pytest

from instances.generate import Recipe, generate
from instances.measured import MeasuredCell, MeasuredTable
from instances.measured_set import MEASURED, PERIOD_S, TABLES, VICTIMS
from instances.members import solution_file
from instances.ssim import read_ssim_table
from optmodel.ground.json_files import read_model
from optmodel.placement.solution import read_solution
from optmodel.solving import solve

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "trust.md").read_text(encoding="utf-8")
HEADINGS = {
    "lenet-mnist": "LeNet on MNIST",
    "lenet-fashion-mnist": "LeNet on Fashion-MNIST",
    "cifar_cnn-cifar10": "The CIFAR network on CIFAR-10",
    "vgg16_truncated-photos": "The first two blocks of VGG16 on natural photos",
}
IN_TABLE_I = {"lenet-mnist", "cifar_cnn-cifar10"}
SHIPPED = sorted({file.stem.removesuffix("-strong") for file in TABLES.glob("*-strong.json")})


def lines_below(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    _, _, below = PAGE.partition(f"### {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table is not None
    rows = [line.strip("| ").split(" | ") for line in table[0].splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def worst(table: MeasuredTable, row: str, maps: int) -> MeasuredCell:
    cells = [cell for cell in table.cells if (cell.row, cell.maps) == (row, maps)]
    return max(cells, key=lambda cell: cell.ssim.high)


def shown(cell: MeasuredCell) -> str:
    level = cell.ssim
    text = f"{level.mean:.3f} ({level.low:.3f} .. {level.high:.3f})"
    return f"{text} blind" if cell.blind else text


@pytest.mark.parametrize("victim", SHIPPED)
def test_every_measured_share_stands_on_the_page(victim):
    paper, strong = (
        read_model(TABLES / f"{victim}-{kind}.json", MeasuredTable) for kind in ("paper", "strong")
    )
    lines = lines_below(HEADINGS[victim])
    assert {(line[0], int(line[1])) for line in lines} == {(c.row, c.maps) for c in strong.cells}
    for row, maps, table_1, by_paper, by_strong, label in lines:
        cell = worst(strong, row, int(maps))
        assert by_strong == shown(cell)
        assert by_paper == shown(worst(paper, row, int(maps)))
        assert label == f"{cell.same_label.mean:.0%}"
        assert table_1 == (in_table_1(row, int(maps)) if victim in IN_TABLE_I else "-")


def in_table_1(row: str, maps: int) -> str:
    found = read_ssim_table().find(row)
    assert found is not None
    return next((f"{m.ssim:.2f}" for m in found.measurements if m.maps == maps), "-")


def lines_of_costs() -> list[list[str]]:
    """The cells of the table of what the promise costs, without its head."""
    _, _, below = PAGE.partition("## What the promise then costs")
    return [
        line.strip("| ").split(" | ")
        for line in below.splitlines()
        if re.match(r"\| .* \| 0\.", line)
    ]


def test_the_prices_are_those_of_the_file_and_proven():
    with (DOCS / "tradeoffs-price-measured.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row[name] for row in rows for name in ("status", "free_status")} == {"optimal"}
    known = {(row["network"], row["table"], row["tolerated_ssim"]): row for row in rows}
    lines = lines_of_costs()
    for victim, three in zip(VICTIMS, batched(lines), strict=True):
        tables = ("table1", f"{victim}-paper", f"{victim}-strong")
        for _, tolerance, free, *told in three:
            for table, cell in zip(tables, told, strict=True):
                row = known[victim.split("-")[0], table, tolerance]
                assert (row["fleet"], row["devices"]) == ("mixed", "70")
                assert free == f"{float(row['free_latency_ms']):.3f}"
                assert cell == f"{float(row['latency_ms']):.3f} ({shown_price(row)} %)"


def batched(lines: list[list[str]]) -> list[list[list[str]]]:
    """The lines three by three: a victim's tolerances."""
    return [lines[k : k + 3] for k in range(0, len(lines), 3)]


def shown_price(row: dict[str, str]) -> str:
    price = float(row["price_percent"])
    return f"{price:+.1f}" if price else "0.0"


def test_what_the_promise_costs_is_what_was_solved():
    """Table I's column is solved here, on the same fleet with the same policy."""
    lines = lines_of_costs()
    assert len(lines) == 3 * len(VICTIMS)
    for victim, three in zip(VICTIMS, batched(lines), strict=True):
        for _, tolerance, _, *told in three:
            table_1, by_paper, by_strong = (cell.split(" (")[0] for cell in told)
            recipe = Recipe(
                (victim.split("-")[0],),
                "mixed",
                70,
                float(tolerance),
                period_s=PERIOD_S,
                unattainable="source",
            )
            found = solve(generate(recipe, "as-table-1", ""))
            assert found.objective_s is not None
            assert table_1 == f"{1000 * found.objective_s:.3f}"
            for attacker, latency in (("paper", by_paper), ("strong", by_strong)):
                name = f"{victim}-{attacker}-{tolerance}-70-source"
                kept = read_solution(solution_file(MEASURED.folder / f"{name}.json"))
                assert kept.objective_s is not None
                assert latency == f"{1000 * kept.objective_s:.3f}"
