"""Attackers recover what maps give away; a training that fails is never recorded as privacy."""

import copy
import dataclasses

import pytest
import torch
from few_images import scene_of

from attack import attacker_training
from attack.attacker_training import fit_attacker
from attack.attacker_view import AttackerView
from attack.blind_guesses import blind_guesses
from attack.budgets import BUDGETS, AttackBudget
from attack.cell_attack import CellKey, best_guess, measure_cell
from attack.inverse_network import InverseNetwork, RecoveryTask
from attack.received_maps import MapGeometry, map_geometry, map_layers
from attack.ridge_attacker import MapImagePairs, fit_ridge, standardisation
from attack.tensors import as_floats
from attack.time_forecast import seconds_of_cells
from attack.unet_decoder import UNetDecoder
from instances.cnns import NETWORKS

RIDGE = BUDGETS["smoke"]
PAPER = AttackBudget("paper", images=150, steps=150, batch=16)
STRONG = AttackBudget("strong", images=150, steps=60, batch=16, width=8)
ATTACKERS = pytest.mark.parametrize("budget", [RIDGE, PAPER, STRONG], ids=lambda b: b.method)
TRAINED = pytest.mark.parametrize("budget", [PAPER, STRONG], ids=lambda b: b.method)
ALL_OF_CONV1 = CellKey("MNIST Conv1 sums", 8, "all")


@pytest.fixture(scope="module")
def blind_ssim(few_data, few_victim):
    """What the best of the blind guesses reaches on the evaluation's images."""
    scene = scene_of(few_data, few_victim)
    return best_guess(scene).similarity(as_floats(scene.evaluation)).mean()


@pytest.fixture
def count_networks(monkeypatch):
    """Count the networks that are trained."""
    made = []
    build = attacker_training._network
    monkeypatch.setattr(
        attacker_training, "_network", lambda *told: made.append(build(*told)) or made[-1]
    )
    return made


@ATTACKERS
def test_all_maps_of_conv1_give_the_image_away(few_data, few_victim, blind_ssim, budget):
    cell = measure_cell(scene_of(few_data, few_victim, budget), ALL_OF_CONV1)
    assert cell.ssim.low > blind_ssim + 0.3
    assert not cell.blind
    assert cell.trainings == 1
    assert cell.held == tuple(range(8))


@ATTACKERS
def test_same_seed_same_cell(few_data, few_victim, budget):
    scene = scene_of(few_data, few_victim, dataclasses.replace(budget, steps=budget.steps // 8))
    key = CellKey("conv2", 3, "random 2")
    torch.rand(3)
    one = measure_cell(scene, key)
    torch.rand(5)
    assert measure_cell(scene, key) == one
    assert measure_cell(dataclasses.replace(scene, seed=1), key) != one


@pytest.mark.parametrize("kind", ["output", "partial"])
def test_every_view_of_conv2_gives_more_away_than_nothing(few_data, few_victim, blind_ssim, kind):
    scene = scene_of(few_data, few_victim, kind=kind, senders=3 if kind == "partial" else 1)
    cell = measure_cell(scene, CellKey("MNIST Conv2", 4, "random 1"))
    assert cell.ssim.low > blind_ssim + 0.1
    assert (cell.maps, len(cell.held)) == (4, 4)


@pytest.mark.parametrize("kind", ["output", "partial"])
def test_every_view_of_a_pool_lies_on_the_image_where_it_was_seen(few_data, few_victim, kind):
    """The partial sums that become the maps of pool1 are as large as those of conv1."""
    scene = scene_of(few_data, few_victim, kind=kind)
    cell = measure_cell(scene, CellKey("pool1", 8, "random 1"))
    assert cell.ssim.mean > (0.3 if kind == "output" else 0.8)


def test_colluders_hold_their_shares_together(few_data, few_victim):
    scene = scene_of(few_data, few_victim, colluders=3)
    pooled = measure_cell(scene, CellKey("conv2", 2, "random 1"))
    assert (pooled.maps, len(pooled.held)) == (2, 6)
    assert len(measure_cell(scene, CellKey("conv2", 4, "random 1")).held) == 8


@TRAINED
def test_a_collapsed_training_is_repeated_then_recorded_as_the_blind_guess(
    few_data, few_victim, blind_ssim, budget, count_networks, monkeypatch
):
    """From maps that are all zero, at a rate of next to nothing, no training leaves its start."""
    for rate in ("PAPER_RATE", "PEAK_RATE"):
        monkeypatch.setattr(attacker_training, rate, 1e-12)
    scene = scene_of(few_data, few_victim, dataclasses.replace(budget, steps=4, restarts=2))
    dead = copy.deepcopy(scene.victim)
    torch.nn.init.zeros_(dead.layers["conv1"].weight)
    scene = dataclasses.replace(scene, victim=dead)
    cell = measure_cell(scene, ALL_OF_CONV1)
    assert cell.blind
    assert cell.trainings == len(count_networks) == 3
    assert cell.ssim.mean == pytest.approx(blind_ssim, abs=1e-4)
    first, second, _ = (next(iter(network.parameters())) for network in count_networks)
    assert not torch.equal(first, second)


@TRAINED
def test_a_diverged_training_is_repeated_then_recorded_as_the_blind_guess(
    few_data, few_victim, blind_ssim, budget, count_networks, monkeypatch
):
    monkeypatch.setattr(
        attacker_training,
        "_loss",
        lambda _budget, network, batch: network(batch.features.float()).sum() * torch.nan,
    )
    scene = scene_of(few_data, few_victim, dataclasses.replace(budget, steps=4, restarts=1))
    cell = measure_cell(scene, ALL_OF_CONV1)
    assert (cell.blind, cell.trainings, len(count_networks)) == (True, 2, 2)
    assert cell.ssim.mean == pytest.approx(blind_ssim, abs=1e-4)


def test_a_restart_that_works_counts(few_data, few_victim, monkeypatch):
    """The first training diverges, the second is kept."""
    loss, calls = attacker_training._loss, []

    def once_nan(*told):
        calls.append(told)
        return loss(*told) * (torch.nan if len(calls) == 1 else 1.0)

    monkeypatch.setattr(attacker_training, "_loss", once_nan)
    cell = measure_cell(scene_of(few_data, few_victim, STRONG), ALL_OF_CONV1)
    assert (cell.blind, cell.trainings) == (False, 2)
    assert cell.ssim.mean > 0.4


@ATTACKERS
def test_maps_that_show_nothing_never_look_worse_than_a_blind_guess(budget):
    """Noise instead of maps: recorded is the guess, not a recovery below it."""
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(96, 1, 12, 12, generator=draw)
    noise = torch.rand(96, 2, 12, 12, generator=draw)
    fitted = fit_attacker(
        dataclasses.replace(budget, steps=min(budget.steps, 8), restarts=1),
        MapImagePairs(noise[:64], images[:64]),
        MapImagePairs(noise[64:], images[64:]),
        MapGeometry(1, 0, 3),
        blind_ssim=0.5,
        seed=0,
    )
    assert fitted.collapsed
    assert fitted.attempts == (1 if budget.method == "ridge" else 2)


def test_the_best_guess_is_more_similar_to_new_images_than_mean_or_black(few_data, few_victim):
    """A training that learned nothing but one image must not pass for an attack."""
    scene = scene_of(few_data, few_victim)
    mean, black, best = (
        guess.similarity(as_floats(scene.evaluation)).mean()
        for guess in blind_guesses(scene.training, 0)
    )
    assert best > max(mean, black) + 0.02
    assert best_guess(scene).name == "most similar image"


def course(budget: AttackBudget, scores: list[float]) -> list[tuple[float, bool]]:
    """Return the rate after each validation, and whether the training is over."""
    made = attacker_training._TrainingCourse(budget, 16)
    told = []
    for score in scores:
        made.is_best(score)
        told.append((0.0 if made.over else made.rate(10**6), made.over))
    return told


def test_the_u_net_trains_until_its_validation_stops_improving_at_the_lowest_rate():
    rising, still = [0.1, 0.2, 0.3], [0.3005, 0.3, 0.3008]
    told = course(STRONG, rising + still)
    rates = [rate / attacker_training.PEAK_RATE for rate, _ in told]
    assert rates == pytest.approx([1, 1, 1, *attacker_training.FALLS[1:], 0])
    assert [over for _, over in told] == [False] * 5 + [True]


def test_a_validation_that_improves_again_keeps_the_rate():
    told = course(STRONG, [0.1, 0.1, 0.2, 0.3])
    assert [rate / attacker_training.PEAK_RATE for rate, _ in told] == pytest.approx(
        [1, *attacker_training.FALLS[1:2] * 3]
    )


def test_inverse_networks_train_for_all_their_steps():
    assert course(PAPER, [0.1] * 20) == [(attacker_training.PAPER_RATE, False)] * 20


def test_what_is_published_can_be_run():
    """He et al.: 50 passes over 50,000 images in batches of 32; 128 maps in front of 64."""
    published = BUDGETS["published"]
    assert published.steps == 50 * 50_000 // published.batch - 25
    network = InverseNetwork(RecoveryTask(128, 8, 3, 32, 0.5, MapGeometry(4, 0, 3)))
    made = [layer.out_channels for layer in network.layers if hasattr(layer, "out_channels")]
    assert made == [128, 64, 3]


def test_every_image_comes_once_before_any_comes_again():
    torch.manual_seed(0)
    seen = torch.cat(list(attacker_training._batches(10, 4, 5)))
    assert sorted(seen[:10].tolist()) == sorted(seen[10:].tolist()) == list(range(10))


def test_dead_maps_leave_the_ridge_with_the_mean(few_data, few_victim):
    images = as_floats(few_data.splits.attacker)
    dead = MapImagePairs(torch.zeros(len(images), 2, 24, 24), images)
    recover = fit_ridge(dead, dead, MapGeometry(1, 2, 5))
    got = recover(dead.features[:3])
    assert torch.allclose(got[0], got[1])
    assert got.isfinite().all()


def test_ridge_solves_what_is_linear():
    """The maps are the image itself and its negative: nothing is lost."""
    images = torch.rand(40, 3, 12, 12, generator=torch.Generator().manual_seed(1))
    pairs = MapImagePairs(torch.cat([images, 1 - images], dim=1), images)
    recover = fit_ridge(pairs, pairs, MapGeometry(1, 0, 3))
    assert torch.allclose(recover(pairs.features), images, atol=1e-2)


def test_channels_that_never_change_are_only_shifted():
    features = torch.cat([torch.full((4, 1, 3, 3), 7.0), torch.rand(4, 1, 3, 3)], dim=1)
    mean, scale = standardisation(features)
    assert mean[0, 0].item() == 7
    assert scale[0, 0].item() == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_both_networks_fit_every_layer_of_every_network(name):
    """From maps of the described size to images of the described size."""
    network = NETWORKS[name]()
    channels, size = network.image_channels, network.image_height
    for layer in map_layers(network):
        geometry, side = map_geometry(network, layer, AttackerView()), layer.output_height
        task = RecoveryTask(2, side, channels, size, 0.3, geometry)
        with torch.device("meta"):
            for built in (InverseNetwork(task), UNetDecoder(task, 8)):
                made = built(torch.rand(2, 2, side, side, device="meta"))
                assert made.shape == (2, channels, size, size), (layer.name, type(built))


@pytest.mark.parametrize("mean", [0.0, 0.3, 1.0])
def test_recoveries_start_at_the_mean_grey(mean):
    torch.manual_seed(0)
    network = InverseNetwork(RecoveryTask(4, 12, 1, 28, mean, MapGeometry(2, 2, 5)))
    with torch.no_grad():
        network.layers[-1].weight.zero_()
    expected = min(max(mean, 0.01), 0.99)
    assert torch.allclose(network(torch.rand(2, 4, 12, 12)), torch.tensor(expected), atol=1e-4)


@ATTACKERS
def test_the_cost_is_told_beforehand(few_data, few_victim, budget):
    scene = scene_of(few_data, few_victim, budget)
    assert 0 < seconds_of_cells(scene, [ALL_OF_CONV1]) < 60
