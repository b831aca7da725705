"""A contact sheet shows originals, what was recovered of them, and the best blind guess."""

import numpy as np
import pytest
from commands import run
from distributed import Client
from matplotlib.figure import Figure

from attack.attacker_view import AttackerView
from attack.cell_attack import CellKey, best_guess, measure_cell
from attack.contact_sheet import (
    SheetRow,
    choose_images,
    plot_sheet,
    recover_rows,
    recovered_row,
    save_sheet,
    strip,
)
from attack.scene_setting import set_scene
from attack.settings import describe
from attack.tensors import as_floats
from instances.measured import ConfidenceInterval
from optmodel.ground.rule_errors import InputError
from optmodel.ground.workers import connected

KEYS = [CellKey("conv1", 8, "all"), CellKey("conv1", 2, "worst")]
SHOWN = np.array([3, 1, 4])


@pytest.fixture(scope="module")
def scene(few_data, few_victim):
    return set_scene(few_data, few_victim, "smoke", AttackerView())


@pytest.fixture(scope="module")
def client():
    with connected(None, 1) as one:
        yield one


@pytest.fixture(scope="module")
def rows(client: Client, scene):
    told: list[SheetRow] = []
    made = recover_rows(client, scene, KEYS, SHOWN, told.append)
    assert sorted(row.label for row in told) == sorted(row.label for row in made[1:-1])
    return made


def test_rows_are_originals_cells_in_order_and_the_blind_guess(rows):
    assert [row.label for row in rows] == [
        "original",
        "conv1: 8 of 8 maps\n(all)",
        "conv1: 2 of 8 maps\n(worst subset)",
        "no map at all:\nblind guess, most similar image",
    ]


def test_the_first_row_is_the_images_themselves(rows, scene):
    np.testing.assert_array_equal(rows[0].images, as_floats(scene.evaluation).numpy()[SHOWN])
    assert rows[0].ssim is None


def test_the_last_row_is_one_image_that_no_map_was_needed_for(rows, scene):
    guess = best_guess(scene).image.numpy()
    np.testing.assert_allclose(rows[-1].images, np.concatenate([guess] * 3), atol=1e-6)


def test_the_similarity_of_a_row_is_that_of_the_same_cell_of_a_table(rows, scene):
    for row, key in zip(rows[1:-1], KEYS, strict=True):
        assert row.ssim == measure_cell(scene, key).ssim


def test_what_is_recovered_is_nearer_to_the_originals_than_the_blind_guess(rows):
    original, all_maps, _, blind = (row.images for row in rows)
    assert ((all_maps - original) ** 2).mean() < 0.2 * ((blind - original) ** 2).mean()


def test_the_same_scene_gives_the_same_rows(rows, scene):
    again = recovered_row(scene, KEYS[1], SHOWN)
    np.testing.assert_array_equal(again.images, rows[2].images)
    assert (again.label, again.ssim) == (rows[2].label, rows[2].ssim)


def test_images_of_as_many_classes_as_possible_are_chosen(few_data):
    images = few_data.splits.evaluation
    chosen = choose_images(images, 8, 0)
    assert len(set(images.labels[chosen].tolist())) == 8
    assert len(set(choose_images(images, len(images), 0).tolist())) == len(images)


def test_the_seed_alone_decides_which_images_are_chosen(few_data):
    images = few_data.splits.evaluation
    first, again, other = (choose_images(images, 8, seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_more_images_than_there_are_cannot_be_shown(few_data):
    images = few_data.splits.evaluation
    with pytest.raises(InputError, match=rf"^images: expected at most {len(images)}, .* got 999"):
        choose_images(images, 999, 0)


def test_a_strip_puts_images_side_by_side_with_white_gaps():
    images = np.zeros((2, 1, 16, 16), dtype=np.float32)
    images[1] = 0.5
    made = strip(images)
    assert made.shape == (17, 34, 3)
    np.testing.assert_array_equal(made[0, :, 0], [0] * 16 + [1] + [0.5] * 16 + [1])
    assert (made[16] == 1).all()


def test_a_strip_keeps_colours():
    images = np.zeros((1, 3, 16, 16), dtype=np.float32)
    images[:, 2] = 0.25
    assert strip(images)[5, 5].tolist() == [0, 0, 0.25]


def made_rows(channels=1):
    images = np.full((3, channels, 28, 28), 0.5, dtype=np.float32)
    similar = ConfidenceInterval(mean=0.5, low=0.4, high=0.61)
    return [SheetRow("original", images, None), SheetRow("conv1: 2 of 8 maps", images, similar)]


def test_rows_are_named_to_the_left_and_valued_to_the_right():
    ax = Figure().add_subplot()
    plot_sheet(ax, made_rows())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["original", "conv1: 2 of 8 maps"]
    values = [text.get_text() for text in ax.texts]
    assert values == ["SSIM, no unit\n(95 % interval)", "0.500\n(0.400 .. 0.610)"]
    (image,) = ax.get_images()
    assert image.get_array().shape == (2 * 30, 3 * 30, 3)
    assert [text.get_position()[1] for text in ax.texts] == ax.get_yticks().tolist()


def test_the_title_says_whose_images_which_attacker_and_what_it_held(
    tmp_path, monkeypatch, few_data, few_victim, scene
):
    titles = []
    monkeypatch.setattr(Figure, "suptitle", lambda _self, text, **_: titles.append(text))
    settings = describe(few_data, few_victim, scene, "smoke")
    save_sheet(made_rows(), settings, scene.view.describe(), tmp_path / "sheet.svg")
    first, second = titles[0].splitlines()
    assert first == f"lenet on few: victim {few_victim.accuracy:.1%} right"
    assert second == (
        f"smoke attacker, {len(few_data.splits.attacker)} images, holds output maps; "
        f"SSIM over {len(scene.evaluation)} images"
    )


def test_the_command_draws_the_same_picture_whatever_the_number_of_workers(
    tmp_path, few_images, few_checkpoint
):
    common = ["--data", few_images, "--victim", few_checkpoint, "--rows", "conv1"]
    for number in (1, 2):
        out = tmp_path / f"{number}.png"
        options = ["--counts", "8,2", "--images", 3, "--workers", number, "--out", out]
        done = run("attack", "sheet", *common, *options)
        assert done.returncode == 0, done.stderr
        assert "4 rows of 3 images" in done.stdout
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--out", "sheet.gif"], "--out: expected a name ending in .png or .svg, got 'sheet.gif'"),
        (["--out", "none/sheet.png"], "none/sheet.png: expected a file name in a writable folder"),
        (["--out", "sheet.png", "--budget", "huge"], "--budget: expected one of smoke, paper"),
        (["--out", "sheet.png", "--rows", "conv9"], "--rows: expected rows or layers of 'lenet'"),
        (["--out", "sheet.png", "--counts", "9"], "--counts: expected some up to 8"),
        (["--out", "sheet.png", "--data", "none"], "none"),
    ],
)
def test_bad_input_is_told_and_nothing_written(tmp_path, monkeypatch, options, named):
    monkeypatch.chdir(tmp_path)
    done = run("attack", "sheet", *options)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert named in done.stderr
    assert list(tmp_path.iterdir()) == []
