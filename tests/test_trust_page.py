"""docs/trust.md shows what the measured tables and the solved instances say."""

import re
from pathlib import Path

import pytest

from instances.generate import Recipe, generate
from instances.measured import MeasuredCell, MeasuredTable
from instances.measured_set import MEASURED, PERIOD_S, TABLES, VICTIMS
from instances.members import solution_file
from instances.ssim import read_ssim_table
from optmodel.files import read_model
from optmodel.solution import read_solution
from optmodel.solve import solve

PAGE = (Path(__file__).parents[1] / "docs" / "trust.md").read_text(encoding="utf-8")
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


def test_what_the_promise_costs_is_what_was_solved():
    """Table I's column is solved here, on the same fleet with the same policy."""
    _, _, below = PAGE.partition("## What the promise then costs")
    lines = [
        line.strip("| ").split(" | ")
        for line in below.splitlines()
        if re.match(r"\| .* \| 0\.", line)
    ]
    assert len(lines) == 3 * len(VICTIMS)
    for victim, three in zip(
        VICTIMS, (lines[k : k + 3] for k in range(0, len(lines), 3)), strict=True
    ):
        for _, tolerance, table_1, by_paper, by_strong in three:
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
            for attacker, told in (("paper", by_paper), ("strong", by_strong)):
                name = f"{victim}-{attacker}-{tolerance}-70-source"
                kept = read_solution(solution_file(MEASURED.folder / f"{name}.json"))
                assert kept.objective_s is not None
                assert told == f"{1000 * kept.objective_s:.3f}"
