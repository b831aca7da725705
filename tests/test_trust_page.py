"""docs/trust.md shows what the measured tables and the solved instances say, the first ones too."""

import csv
import re

import pytest
from places import DOCS

from instances.generate import Recipe, generate
from instances.measured import MeasuredCell, MeasuredTable
from instances.measured_set import ATTACKERS, DEVICES, MEASURED, TABLES, VICTIMS
from instances.paper_set import PERIOD_S
from instances.set_members import solution_file
from instances.ssim import read_ssim_table
from optmodel.ground.json_files import read_model
from optmodel.placement.solution import Solution, read_solution
from optmodel.solving import solve

PAGE = (DOCS / "trust.md").read_text(encoding="utf-8")
HEADINGS = {
    "lenet-mnist": "### LeNet on MNIST",
    "lenet-fashion-mnist": "### LeNet on Fashion-MNIST",
    "cifar_cnn-cifar10": "### The CIFAR network on CIFAR-10",
    "vgg16_truncated-photos": "### The first two blocks of VGG16 on natural photos",
}
IN_TABLE_I = {"lenet-mnist", "cifar_cnn-cifar10"}
RECEIVED = {
    "finished maps": ("strong", "relu22", "strong-output", "relu12"),
    "sums before ReLU": ("strong", "conv22", "strong-sums", "conv12"),
    "partial sums of 8 senders": ("strong-partial", "conv22", "strong-partial", "conv12"),
}
"""What is received: table and layer now, table and layer at first."""
VICTIM_CASES = pytest.mark.parametrize("victim", VICTIMS)


def rows_of(name: str) -> list[dict[str, str]]:
    with (DOCS / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


FIRST = rows_of("trust-first-measurement.csv")


def lines_below(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    _, _, below = PAGE.partition(f"{heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table is not None
    rows = [line.strip("| ").split(" | ") for line in table[0].splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def read(name: str) -> MeasuredTable:
    return read_model(TABLES / f"{name}.json", MeasuredTable)


def worst(table: MeasuredTable, layer: str, maps: int) -> MeasuredCell | None:
    """Return the worst subset; None if so many maps were not measured."""
    cells = [cell for cell in table.cells if (cell.layer, cell.maps) == (layer, maps)]
    return max(cells, key=lambda cell: cell.ssim.high, default=None)


def shown(cell: MeasuredCell | None) -> str:
    if cell is None:
        return "-"
    level = cell.ssim
    text = f"{level.mean:.3f} ({level.low:.3f} .. {level.high:.3f})"
    return f"{text} blind" if cell.blind else text


def worst_first(table: str, layer: str, maps: int) -> float | None:
    """What the first measurement gave for the same maps: its worst subset."""
    cells = [
        (float(row["ssim_high"]), float(row["ssim"]))
        for row in FIRST
        if (row["table"], row["layer"], row["maps"]) == (table, layer, str(maps))
    ]
    return max(cells)[1] if cells else None


def shown_first(table: str, layer: str, maps: int) -> str:
    ssim = worst_first(table, layer, maps)
    return "-" if ssim is None else f"{ssim:.3f}"


@VICTIM_CASES
def test_every_measured_share_stands_on_the_page_beside_the_first_measurement(victim):
    paper, strong = (read(f"{victim}-{attacker}") for attacker in ATTACKERS)
    layers = {cell.row: cell.layer for cell in (*paper.cells, *strong.cells)}
    lines = lines_below(HEADINGS[victim])
    assert sorted((line[0], int(line[1])) for line in lines) == sorted(
        {(cell.row, cell.maps) for cell in (*paper.cells, *strong.cells)}
    )
    for row, maps, table_1, paper_first, by_paper, strong_first, by_strong, label in lines:
        layer, held = layers[row], int(maps)
        cell = worst(strong, layer, held)
        assert by_paper == shown(worst(paper, layer, held))
        assert by_strong == shown(cell)
        assert label == (f"{cell.same_label.mean:.0%}" if cell else "-")
        assert paper_first == shown_first(f"{victim}-paper", layer, held)
        assert strong_first == shown_first(f"{victim}-strong", layer, held)
        assert table_1 == (in_table_1(row, held) if victim in IN_TABLE_I else "-")


def in_table_1(row: str, maps: int) -> str:
    found = read_ssim_table().find(row)
    known = found.measurements if found else ()
    return next((f"{m.ssim:.2f}" for m in known if m.maps == maps), "-")


@VICTIM_CASES
def test_victim_and_blind_guesses_stand_above_each_table(victim):
    paper, strong = (read(f"{victim}-{attacker}").settings for attacker in ATTACKERS)
    assert paper.victim == strong.victim
    assert paper.images.fingerprint == strong.images.fingerprint
    best = {level.guess: level.ssim.mean for level in paper.blind}
    for level in strong.blind:
        best[level.guess] = max(best[level.guess], level.ssim.mean)
    blind = ", ".join(f"{guess} {ssim:.3f}" for guess, ssim in best.items())
    told, images = strong.victim, strong.images
    line = (
        f"\nVictim: {told.accuracy:.1%} of {told.exam_images} unseen images right. "
        f"Blind: {blind}. {images.evaluation} images evaluated.\n"
    )
    assert line in PAGE.partition(f"{HEADINGS[victim]}\n")[2].partition("\n#")[0]


def test_what_receivers_hold_is_as_measured():
    lines = lines_below("## What else matters")
    assert [line[0] for line in lines] == list(RECEIVED)
    for name, *told in lines:
        now, layer, first, layer_first = RECEIVED[name]
        table = read(f"cifar_cnn-cifar10-{now}")
        assert told == [
            *(shown(worst(table, layer, maps)) for maps in (8, 1)),
            *(shown_first(f"cifar_cnn-cifar10-{first}", layer_first, maps) for maps in (8, 1)),
        ]


MOVED = {
    "LeNet": ("lenet-mnist-{0}", "lenet-fashion-mnist-{0}"),
    "the CIFAR network": ("cifar_cnn-cifar10-{0}",),
    "two blocks of VGG16": ("vgg16_truncated-photos-{0}",),
}
"""Which tables a line of what came of the second measurement sums up."""


def test_what_came_of_it_is_least_and_largest_change():
    lines = lines_below("### What came of it")
    assert [line[0] for line in lines] == list(MOVED)
    for name, *told in lines:
        for attacker, cell in zip(ATTACKERS, told, strict=True):
            changes = [
                change for table in MOVED[name] for change in changes_of(table.format(attacker))
            ]
            assert cell == f"{min(changes):+.3f} to {max(changes):+.3f}".replace("0.", ".")


def changes_of(name: str) -> list[float]:
    table, changes = read(name), []
    for share in dict.fromkeys((cell.layer, cell.maps) for cell in table.cells):
        now, first = worst(table, *share), worst_first(name, *share)
        if now is not None and first is not None:
            changes.append(now.ssim.mean - first)
    return changes


FLEETS = [(victim, 70) for victim in VICTIMS]
FLEETS.insert(3, ("cifar_cnn-cifar10", 140))
"""Victims and numbers of devices of which the page tells what the promise costs."""


def lines_of_costs() -> list[tuple[str, list[str]]]:
    """Victim and cells of each line of what the promise costs."""
    lines = lines_below("## What the promise then costs")
    assert [int(line[1]) for line in lines] == [devices for _, devices in FLEETS for _ in range(3)]
    return [(FLEETS[number // 3][0], line) for number, line in enumerate(lines)]


def costs_in(name: str) -> dict[tuple[str, ...], dict[str, str]]:
    fields = ("network", "table", "devices", "tolerated_ssim")
    return {tuple(row[field] for field in fields): row for row in rows_of(name)}


def test_the_costs_are_those_of_the_files_and_proven():
    now, before = (
        costs_in(f"tradeoffs-price-{which}.csv") for which in ("measured", "first-measurement")
    )
    for row in now.values():
        assert (row["fleet"], row["unattainable"]) == ("mixed", "source")
        assert row["free_status"] == "optimal"
        assert row["status"] == ("optimal" if row["latency_ms"] else "infeasible")
    for victim, (_, devices, tolerance, free, table_1, *told) in lines_of_costs():
        network = victim.split("-")[0]
        row = now[network, "table1", devices, tolerance]
        assert free == f"{float(row['free_latency_ms']):.3f}"
        assert table_1 == shown_cost(row)
        keys = [(network, f"{victim}-{attacker}", devices, tolerance) for attacker in ATTACKERS]
        assert told[0::2] == [shown_latency(before.get(key)) for key in keys]
        assert told[1::2] == [shown_cost(now[key]) for key in keys]


def shown_latency(row: dict[str, str] | None) -> str:
    return f"{float(row['latency_ms']):.3f}" if row else "-"


def shown_cost(row: dict[str, str]) -> str:
    if not row["latency_ms"]:
        return "none"
    price = float(row["price_percent"])
    return f"{shown_latency(row)} ({f'{price:+.1f}' if price else '0.0'} %)"


def test_the_costs_are_what_was_solved():
    """Table I's column is solved here, on the same fleet with the same policy."""
    for victim, (_, devices, tolerance, _, *told) in lines_of_costs():
        table_1, *by_attacker = (cell.split(" (")[0] for cell in told)
        now = by_attacker[1::2]
        recipe = Recipe(
            (victim.split("-")[0],),
            "mixed",
            int(devices),
            float(tolerance),
            period_s=PERIOD_S,
            unattainable="source",
        )
        assert table_1 == shown_optimum(solve(generate(recipe, "as-table-1", "")))
        if int(devices) in DEVICES:
            for attacker, latency in zip(ATTACKERS, now, strict=True):
                name = f"{victim}-{attacker}-{tolerance}-{devices}-source.json"
                solution = read_solution(solution_file(MEASURED.folder / name))
                assert latency == shown_optimum(solution)


def shown_optimum(solution: Solution) -> str:
    return "none" if solution.objective_s is None else f"{1000 * solution.objective_s:.3f}"
