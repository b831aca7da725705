"""instances/measured/: every case is there, and its caps are those of the measured tables."""

import pytest

from instances.cnns import NETWORKS
from instances.generate import generate
from instances.measured import MeasuredTable
from instances.measured_set import ATTACKERS, DEVICES, MEASURED, TABLES, VICTIMS
from instances.paper_set import ENDINGS, TOLERANCES
from instances.ssim import read_ssim_table
from optmodel.ground.json_files import read_model
from optmodel.problem.network import FcLayer

MEMBERS = pytest.mark.parametrize("member", MEASURED.members, ids=lambda member: member.name)


def test_every_case_is_there_once():
    cases = len(VICTIMS) * len(ATTACKERS) * len(TOLERANCES) * len(DEVICES) * len(ENDINGS)
    assert len({member.name for member in MEASURED.members}) == cases


@MEMBERS
def test_an_instance_carries_the_worst_upper_limits_of_its_table(member):
    """Those of finished maps count for the sums that they are made of, too."""
    instance = generate(member.recipe, member.name, member.purpose)
    measured = read_model(member.recipe.ssim, MeasuredTable)
    for row in instance.ssim_table.rows:
        for measurement in row.measurements:
            limits = [
                cell.ssim.high
                for cell in measured.cells
                if cell.maps == measurement.maps and row.row in (cell.row, f"{cell.row} sums")
            ]
            assert measurement.ssim == min(1.0, max(limits))
    assert instance.ssim_table.slack == 0


@pytest.mark.parametrize("file", sorted(TABLES.glob("*.json")), ids=lambda file: file.stem)
def test_a_shipped_table_is_whole(file):
    """Read, which verifies every checksum; a command that writes it; a worst subset per cell."""
    measured = read_model(file, MeasuredTable)
    assert measured.command.startswith("python -m attack table --")
    assert f"--out {file.name}" in measured.command
    assert measured.settings.images.evaluation >= 200
    assert measured.settings.victim.accuracy > 0.3
    named = {(cell.layer, cell.maps) for cell in measured.cells}
    whole = {(c.layer, c.maps) for c in measured.cells if c.maps == _all_maps(measured, c.layer)}
    worst = {(cell.layer, cell.maps) for cell in measured.cells if cell.subset == "worst"}
    assert worst == named - whole
    assert read_ssim_table(file).rows


def _all_maps(measured: MeasuredTable, layer: str) -> int:
    network = NETWORKS[measured.settings.victim.network]()
    (found,) = (one for one in network.layers if one.name == layer)
    assert not isinstance(found, FcLayer)
    return found.output_maps


def test_a_stronger_attacker_leaves_no_larger_share():
    """Where both attackers measured a cell, the strong one gets at least what the paper's does."""
    for victim in VICTIMS:
        paper, strong = (read_ssim_table(TABLES / f"{victim}-{kind}.json") for kind in ATTACKERS)
        for row in paper.rows:
            other = strong.find(row.row)
            assert other is not None
            beside = {m.maps: m.ssim for m in other.measurements}
            both = [one for one in row.measurements if one.maps in beside]
            assert both
            for measurement in both:
                assert beside[measurement.maps] >= measurement.ssim - 0.01
