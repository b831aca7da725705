"""A network of the user's own is attacked, whatever its layers and rows are called."""

import io
from pathlib import Path

import pytest
from commands import output_of, refusal_of
from few_images import scene_of
from measured_tables import cell, measured_table
from rich.console import Console

from attack.cell_attack import CellKey, measure_cell
from attack.curves import save_curves
from attack.printed_table import print_measured
from attack.scene_setting import load_data
from attack.victim_training import train_victim
from instances.cnns import Conv, Fc, Pool, trace
from optmodel.ground.json_files import write_model
from optmodel.ground.rule_errors import InputError

ROW = r"[/x] $\y$ [red]"
STEPS = [Conv("1", 4, 5, ROW, "valid"), Pool("1"), Fc("1", 10)]


def described(folder: Path, channels: int = 1, side: int = 28) -> Path:
    """Write a network whose second layer is called as no module of torch can be."""
    network = trace("porch", channels, side, STEPS)
    layers = (network.layers[0], network.layers[1].model_copy(update={"name": "keys"}))
    own = network.model_copy(update={"layers": (*layers, *network.layers[2:])})
    write_model(folder / "porch.json", own)
    return folder / "porch.json"


@pytest.mark.parametrize("kind", ["output", "partial"])
def test_a_cell_of_an_own_network_is_measured(kind, few_images, tmp_path):
    data = load_data(str(described(tmp_path)), few_images, 0)
    trained = train_victim(data.network, data.splits, 1, 0, batch=16)
    measured = measure_cell(scene_of(data, trained, kind=kind), CellKey("keys", 2, "random 1"))
    assert (measured.row, measured.layer, len(measured.held)) == (ROW, "keys", 2)
    assert measured.ssim.mean > 0.2


def test_the_rows_of_an_own_network_are_printed_and_drawn_as_they_are(tmp_path):
    table = measured_table(cell(ROW, 2, 0.5, "worst", layer="a[/b]"))
    text = io.StringIO()
    print_measured(Console(file=text), table)
    assert ROW in text.getvalue()
    assert "a[/b]" in text.getvalue()
    save_curves([table], tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").stat().st_size > 1000


def test_a_network_that_cannot_be_attacked_is_refused_before_images_are_looked_for(tmp_path):
    with pytest.raises(InputError, match="network 'porch': expected images of at least 11 x 11"):
        load_data(str(described(tmp_path, side=10)), tmp_path / "none", 0)


def test_the_command_takes_a_file(few_images, tmp_path):
    file = described(tmp_path)
    told = refusal_of("attack", "victim", "--network", file, "--out", file)
    assert "got the name of another file of this command" in told
    options = ("--network", file, "--data", few_images, "--epochs", 1)
    told = output_of("attack", "victim", *options, "--out", tmp_path / "v.st")
    assert told.startswith(f"{tmp_path}/v.st: porch, ")
