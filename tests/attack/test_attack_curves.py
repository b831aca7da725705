"""Curves show the worst subset with its interval, the mean, Table I and the blind guesses."""

import numpy as np
import pytest
from commands import output_of, refusal_of
from matplotlib.figure import Figure
from measured_tables import IMAGES, VICTIM, cell, measured_table

from attack.curves import plot_row, points, read_tables, save_curves
from optmodel.ground.json_files import write_model
from optmodel.ground.rule_errors import InputError

WORST = "smoke attacker, output: worst subset, 95 % interval"
MEAN = "smoke attacker, output: mean of subsets"
PAPER = "the paper's Table I (its attacker and images)"
CELLS = (
    cell("MNIST Conv1", 8, 0.9, "all"),
    cell("MNIST Conv1", 2, 0.5, "random 1"),
    cell("MNIST Conv1", 2, 0.7, "worst"),
    cell("MNIST Conv2", 4, 0.3, "worst"),
)


def table(budget="smoke", view="output", cells=CELLS, **told):
    return measured_table(*cells, budget=budget, view=view, **told)


@pytest.fixture
def ax():
    return Figure().add_subplot()


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_a_point_is_the_worst_subset_beside_the_mean_of_all():
    few, all_maps = points(table(), "MNIST Conv1")
    assert (few.maps, few.worst.subset, few.mean) == (2, "worst", pytest.approx(0.6))
    assert (all_maps.maps, all_maps.worst.subset, all_maps.mean) == (8, "all", 0.9)


def test_the_worst_is_what_is_most_similar_whatever_its_subset_is_called():
    cells = (cell("MNIST Conv1", 4, 0.8, "random 1"), cell("MNIST Conv1", 4, 0.7, "worst"))
    assert points(table(cells=cells), "MNIST Conv1")[0].worst.subset == "random 1"


def test_a_panel_draws_worst_with_its_interval_mean_and_table_i_against_maps(ax):
    plot_row(ax, [table()], "MNIST Conv1")
    drawn = lines(ax)
    np.testing.assert_allclose(drawn[WORST].get_xydata(), [[2, 0.7], [8, 0.9]])
    np.testing.assert_allclose(drawn[MEAN].get_xydata(), [[2, 0.6], [8, 0.9]])
    np.testing.assert_allclose(drawn[PAPER].get_xydata(), [[4, 0.28], [8, 0.99]])
    (bars,) = ax.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[0.69, 0.71], [0.89, 0.91]])
    assert not [label for label in drawn if label.startswith("attack failed")]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "4", "8"]
    assert ax.get_xscale() == "log"
    assert ax.get_title() == "MNIST Conv1\n(conv1, 8 maps)"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("maps held", "SSIM, no unit")


def test_where_only_the_worst_subset_was_measured_no_mean_is_drawn(ax):
    plot_row(ax, [table(cells=(CELLS[0], CELLS[2]))], "MNIST Conv1")
    assert WORST in lines(ax)
    assert MEAN not in lines(ax)


def test_the_best_blind_guess_of_all_tables_is_a_dashed_line(ax):
    plot_row(ax, [table("smoke", blind=0.12), table("paper", blind=0.13)], "MNIST Conv1")
    guess = lines(ax)["blind guess, mean image: 0.130"]
    assert set(guess.get_ydata()) == {0.13}
    assert guess.get_linestyle() == "--"


def test_a_failed_attack_is_marked(ax):
    cells = (cell("MNIST Conv1", 4, 0.12, "worst", blind=True),)
    plot_row(ax, [table(cells=cells)], "MNIST Conv1")
    marked = lines(ax)["attack failed: no better than a blind guess"]
    np.testing.assert_allclose(marked.get_xydata(), [[4, 0.12]])


def test_tables_of_several_budgets_and_views_are_told_apart(ax):
    plot_row(ax, [table("smoke"), table("paper"), table("paper", "partial")], "MNIST Conv2")
    worst = [label for label in lines(ax) if "worst" in label]
    assert worst == [
        f"{who}: worst subset, 95 % interval"
        for who in (
            "smoke attacker, output",
            "paper attacker, output",
            "paper attacker, partial of 1 senders",
        )
    ]


@pytest.mark.parametrize("name", ["curves.png", "curves.svg"])
def test_a_picture_has_a_panel_per_row_and_says_whose_images_these_are(tmp_path, monkeypatch, name):
    kept = []
    monkeypatch.setattr(Figure, "suptitle", lambda self, text: kept.append((self, text)))
    save_curves([table()], tmp_path / name)
    ((figure, title),) = kept
    assert title == "lenet on noise: victim 95.7% right, recovery of 500 images"
    assert [ax.get_title().splitlines()[0] for ax in figure.axes] == ["MNIST Conv1", "MNIST Conv2"]
    (legend,) = figure.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert sorted(named) == sorted([WORST, MEAN, PAPER, "blind guess, mean image: 0.120"])


def test_equal_tables_give_equal_files(tmp_path):
    for name in ("one.svg", "two.svg", "one.png", "two.png"):
        save_curves([table()], tmp_path / name)
    for kind in ("svg", "png"):
        one, two = (tmp_path / f"{name}.{kind}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def written(folder, *tables):
    paths = [folder / f"{number}.json" for number, _ in enumerate(tables)]
    for path, made in zip(paths, tables, strict=True):
        write_model(path, made)
    return paths


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (
            table("paper", victim=VICTIM.model_copy(update={"network": "vgg16"})),
            r"1\.json: settings\.victim\.network: expected .* 'lenet', got 'vgg16'",
        ),
        (
            table("paper", images=IMAGES.model_copy(update={"source": "others"})),
            r"1\.json: settings\.images\.source: expected .* 'noise', got 'others'",
        ),
        (
            table("paper", images=IMAGES.model_copy(update={"fingerprint": "0" * 64})),
            r"1\.json: settings\.images\.fingerprint: expected",
        ),
        (
            table("paper", victim=VICTIM.model_copy(update={"weights": "0" * 64})),
            r"1\.json: settings\.victim\.weights: expected",
        ),
        (table("smoke"), r"1\.json: settings\.attacker: expected another .* got 'smoke attacker"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(tmp_path, other, named):
    with pytest.raises(InputError, match=named):
        read_tables(written(tmp_path, table(), other))


def test_the_command_draws_tables_of_two_budgets(tmp_path):
    paths = written(tmp_path, table("smoke"), table("paper"))
    told = output_of("attack", "curves", *paths, "--out", tmp_path / "curves.png")
    assert "2 table(s)" in told
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_refuses_another_kind_of_picture_and_an_edited_table(tmp_path):
    (path,) = written(tmp_path, table(cells=CELLS))
    told = refusal_of("attack", "curves", path, "--out", tmp_path / "curves.jpg")
    assert "--out: expected a name ending in .png or .svg, got" in told
    path.write_text(path.read_text().replace('"mean": 0.9,', '"mean": 0.89,'))
    told = refusal_of("attack", "curves", path, "--out", tmp_path / "curves.png")
    assert "0.json: cells[0].sha256: expected" in told
    assert [file.name for file in tmp_path.iterdir()] == ["0.json"]
