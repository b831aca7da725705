"""The grid of cells, what is kept of it, and the workers."""

import json
import time
from unittest.mock import Mock

import pytest
from distributed import Client, LocalCluster
from few_images import scene_of
from measured_tables import cell, settings

from attack.__main__ import parse_counts
from attack.cell_attack import CellKey
from attack.grid import FinishedCells, cell_names, default_counts, default_rows, grid, measure_grid
from attack.scene_setting import load_data, set_scene, view_of
from instances.cnns import NETWORKS
from optmodel.ground import workers
from optmodel.ground.rule_errors import InputError
from optmodel.ground.workers import connected
from optmodel.problem.network import ConvLayer
from optmodel.problem.privacy import envelope

LENET = NETWORKS["lenet"]()
KEYS = grid(LENET, ["MNIST Conv1 sums", "conv2"], [1, 8], 1)


def test_the_grid_of_lenet_is_that_of_table_i():
    """And of the sums that become its maps, which the holders of activations receive."""
    keys = grid(LENET, [], [], 2)
    assert default_rows(LENET) == [
        *("MNIST Conv1 sums", "MNIST Conv1"),
        *("MNIST Conv2 sums", "MNIST Conv2"),
    ]
    assert default_counts(LENET, "MNIST Conv1") == [4, 8]
    assert keys[:2] == [
        CellKey("MNIST Conv1 sums", 8, "all"),
        CellKey("MNIST Conv1 sums", 4, "random 1"),
    ]
    assert [key.subset for key in keys if key.maps == 4][:3] == ["random 1", "random 2", "worst"]


def test_rows_that_table_i_lacks_get_powers_of_two_and_all_maps():
    layers = [
        layer.model_copy(update={"ssim_row": "Mine"} | _six_maps(layer))
        for layer in LENET.layers[:2]
    ]
    network = LENET.model_copy(update={"layers": tuple(layers)})
    assert default_counts(network, "Mine") == [1, 2, 4, 6]


def _six_maps(layer) -> dict[str, int]:
    return {"output_maps": 6} if isinstance(layer, ConvLayer) else {"input_maps": 6}


def test_counts_beyond_the_maps_of_a_layer_are_left_out():
    assert {key.maps for key in grid(LENET, ["conv1"], [2, 8, 64, 2], 1)} == {2, 8}
    with pytest.raises(InputError, match=r"^counts: expected some up to 8, .* got 16, 64"):
        grid(LENET, ["conv1"], [16, 64], 1)


@pytest.mark.parametrize(
    ("text", "expected"), [("1,4,16", [1, 4, 16]), (" 2 , 8,", [2, 8]), ("", [])]
)
def test_counts_are_read(text, expected):
    assert parse_counts(text) == expected


@pytest.mark.parametrize("text", ["1,x", "0", "-1", "1.5", "1;4", "²"])
def test_counts_that_are_none_are_refused(text):
    with pytest.raises(InputError, match="--counts: expected numbers of maps such as 1,4,16, got"):
        parse_counts(text)


def test_unknown_views_budgets_networks_and_stray_senders_are_refused(few_data, few_victim):
    with pytest.raises(InputError, match=r"^view: expected one of output, partial"):
        view_of("inputs", 1, 1)
    with pytest.raises(InputError, match=r"^senders: expected it with --view partial"):
        view_of("output", 2, 1)
    with pytest.raises(InputError, match=r"^budget: expected one of smoke, paper, published"):
        set_scene(few_data, few_victim, "huge", view_of("output", 1, 1))
    with pytest.raises(InputError, match="--network: expected one of lenet"):
        load_data("alexnet", None, 0)


@pytest.fixture
def ledger(tmp_path) -> FinishedCells:
    return FinishedCells(tmp_path / "t.json", settings(), "a command")


def test_a_ledger_keeps_every_cell_at_once(ledger):
    for count, maps in enumerate((8, 4), start=1):
        ledger.add(cell("MNIST Conv1", maps, 0.5, "worst"))
        assert not ledger.out.exists()
        assert len(json.loads(ledger.unfinished.read_text())["cells"]) == count
    again = FinishedCells(ledger.out, settings(), "a command")
    assert {cell.key for cell in again.records} == {("conv1", 8, "worst"), ("conv1", 4, "worst")}
    again.finish([("conv1", 4, "worst"), ("conv1", 8, "worst")])
    assert not ledger.unfinished.exists()
    assert [one["maps"] for one in json.loads(ledger.out.read_text())["cells"]] == [4, 8]


def test_a_ledger_of_other_settings_is_refused(ledger):
    ledger.add(cell("MNIST Conv1", 8, 0.5))
    with pytest.raises(InputError, match="settings: expected those of this command, got those of"):
        FinishedCells(ledger.out, settings(view="partial"), "another command")


def test_a_ledger_that_was_edited_is_refused_with_the_field(ledger):
    ledger.add(cell("MNIST Conv1", 8, 0.5))
    ledger.add(cell("MNIST Conv1", 4, 0.5))
    ledger.unfinished.write_text(ledger.unfinished.read_text().replace('"maps": 4', '"maps": 5'))
    with pytest.raises(InputError, match=r"t\.json\.unfinished: cells\[1\]\.sha256: expected"):
        FinishedCells(ledger.out, settings(), "a command")


def test_a_full_disk_is_told_and_the_cells_before_it_are_kept(ledger, monkeypatch):
    ledger.add(cell("MNIST Conv1", 8, 0.5))
    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr("optmodel.ground.whole_files.os.fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*free the space"):
        ledger.add(cell("MNIST Conv1", 4, 0.5))
    (kept,) = FinishedCells(ledger.out, settings(), "a command").records
    assert kept.key == ("conv1", 8, "random 1")
    assert [file.name for file in ledger.out.parent.iterdir()] == ["t.json.unfinished"]


@pytest.fixture
def hasty(monkeypatch):
    """Wait a second for a scheduler, not ten."""
    monkeypatch.setattr(workers, "CONNECT_S", 1)


def test_a_scheduler_that_does_not_answer_is_refused_quickly(hasty):
    """Port 9 of this machine takes no connection."""
    begun = time.monotonic()
    with (
        pytest.raises(InputError, match="scheduler: expected the address of a dask scheduler"),
        connected("tcp://127.0.0.1:9", None),
    ):
        raise AssertionError
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:notaport", "no.invalid:8786"])
def test_an_address_that_is_none_is_refused(address, hasty):
    with (
        pytest.raises(InputError, match="scheduler: expected the address of a dask scheduler"),
        connected(address, None),
    ):
        raise AssertionError


def test_for_a_refused_scheduler_no_client_is_made(hasty, monkeypatch):
    """Collected while another client starts, it would wait for it without end."""
    made: list[object] = []
    monkeypatch.setattr(workers, "Client", lambda *asked, **_: made.append(asked))
    with pytest.raises(InputError, match="none answers"), connected("tcp://127.0.0.1:9", None):
        raise AssertionError
    assert not made


@pytest.fixture(scope="module")
def scheduler():
    """A scheduler with one worker, in this process."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def whole(few_data, few_victim, scheduler, tmp_path_factory):
    """A smoke table of few images, by one worker."""
    ledger = FinishedCells(tmp_path_factory.mktemp("whole") / "t.json", settings(), "a command")
    with connected(scheduler, None) as client:
        return measure_grid(
            client, scene_of(few_data, few_victim), KEYS, ledger, lambda _cell: None
        )


def test_cells_stand_in_the_order_of_the_grid(whole):
    names = [(one.layer, one.maps, one.subset) for one in whole.cells]
    assert names == cell_names(LENET, KEYS)


def test_a_table_taken_up_again_measures_only_what_lacks(
    few_data, few_victim, scheduler, whole, ledger
):
    told = []
    for one in whole.cells[1:4]:
        ledger.add(one)
    with connected(scheduler, None) as client:
        scene = scene_of(few_data, few_victim)
        again = measure_grid(client, scene, KEYS, ledger, told.append)
    assert again == whole
    assert [one for one in whole.cells if one in told] == [whole.cells[0], *whole.cells[4:]]


def test_two_workers_make_the_table_of_one(few_data, few_victim, whole, ledger):
    with connected(None, 2) as client:
        assert isinstance(client, Client)
        assert len(client.scheduler_info()["workers"]) == 2
        scene = scene_of(few_data, few_victim)
        assert measure_grid(client, scene, KEYS, ledger, lambda _cell: None) == whole


def test_more_maps_never_look_safer_after_the_envelope(whole):
    """And the worst subset counts: no row promises less than a cell of it shows."""
    for row in whole.caps_table().rows:
        values = [similarity for _, similarity in envelope(row)]
        assert values == sorted(values)
        for one in whole.cells:
            if one.row == row.row and not one.blind:
                assert dict(envelope(row))[one.maps] >= min(1, one.ssim.high) - 1e-9
