"""Victims learn, the same from the same seed, and say so when they cannot."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from attack import victim_training
from attack.splits import ImageSplits
from attack.victim import VictimNetwork
from attack.victim_training import _NormalisedVictim, lessons, train_victim
from instances.cnns import NETWORKS, Conv, Fc, trace
from optmodel.ground.rule_errors import InputError

BATCH = 32


@pytest.fixture(scope="module")
def few_splits(shipped_data) -> ImageSplits:
    parts = shipped_data.splits
    return ImageSplits(
        *(part.take(np.arange(96)) for part in (parts.victim, parts.attacker, parts.evaluation))
    )


def weights_of(trained):
    return trained.victim.state_dict()


def test_lenet_labels_seven_of_ten_shipped_images_after_five_passes(shipped_victim):
    assert shipped_victim.accuracy >= 0.7
    assert shipped_victim.exam_images == 500
    assert not shipped_victim.victim.training


def test_the_accuracy_is_the_share_of_right_labels(shipped_data, shipped_victim):
    exam = shipped_data.splits.evaluation
    pixels = torch.from_numpy(exam.pixels).float() / 255
    right = shipped_victim.victim(pixels).argmax(1).numpy() == exam.labels
    assert shipped_victim.accuracy == pytest.approx(right.mean(), abs=1 / len(right))


def test_same_seed_same_weights_and_another_seed_others(few_splits):
    network = NETWORKS["lenet"]()
    one, again, other = (
        train_victim(network, few_splits, 1, seed, batch=BATCH) for seed in (0, 0, 1)
    )
    equal = [
        torch.equal(weights_of(one)[name], weights_of(again)[name]) for name in weights_of(one)
    ]
    assert all(equal)
    assert not torch.equal(
        weights_of(one)["layers.fc1.weight"], weights_of(other)["layers.fc1.weight"]
    )


def test_the_number_of_threads_changes_nothing(few_splits):
    """What was drawn before does not matter either."""
    threads = torch.get_num_threads()
    made = []
    for count in (1, 2):
        torch.set_num_threads(count)
        torch.rand(count)
        made.append(weights_of(train_victim(NETWORKS["lenet"](), few_splits, 1, 0, batch=BATCH)))
    torch.set_num_threads(threads)
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


def test_folding_the_batch_norm_away_keeps_the_outputs():
    torch.manual_seed(0)
    pupil = _NormalisedVictim(VictimNetwork(NETWORKS["cifar_block1"]()))
    pupil.train()
    for _ in range(3):
        pupil(torch.rand(8, 3, 32, 32))
    for norm in pupil.norms.values():
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -1, 1)
    pupil.eval()
    images = torch.rand(4, 3, 32, 32)
    before, unfolded = pupil(images), copy.deepcopy(pupil.victim)(images)
    pupil.fold()
    pupil.victim.eval()
    assert torch.allclose(pupil.victim(images), before, atol=1e-4)
    assert not torch.allclose(unfolded, before, atol=1e-2)


def test_a_loss_that_is_not_finite_is_refused(few_splits, monkeypatch):
    monkeypatch.setattr(victim_training, "PEAK_RATE", 1e30)
    with pytest.raises(InputError, match=r"victim: expected a finite loss, got (nan|inf); check"):
        train_victim(NETWORKS["lenet"](), few_splits, 4, 0, batch=16)


def test_more_classes_than_outputs_are_refused(few_splits):
    network = trace("nine", 1, 28, [Conv("1", 2, 5, "MNIST Conv1"), Fc("1", 9)])
    with pytest.raises(InputError, match=r"expected at most 9 classes.*'nine'.*got 10; name"):
        train_victim(network, few_splits, 1, 0, batch=BATCH)


def test_a_network_without_fc_labels_nothing(few_splits):
    network = trace("none", 1, 28, [Conv("1", 2, 5, "MNIST Conv1")])
    with pytest.raises(InputError, match="expected at most 0 classes"):
        train_victim(network, few_splits, 1, 0, batch=BATCH)


def test_progress_counts_every_step(few_splits):
    told = []
    train_victim(NETWORKS["lenet"](), few_splits, 2, 0, lambda *done: told.append(done), BATCH)
    assert told == [(step, 6) for step in range(1, 7)]


def test_a_last_batch_of_one_image_is_left_out(few_splits):
    """A batch norm has nothing to normalise one image of 1 x 1 values by."""
    odd = dataclasses.replace(few_splits, victim=few_splits.victim.take(np.arange(33)))
    assert train_victim(NETWORKS["lenet"](), odd, 1, 0, batch=BATCH).exam_images == 96


def test_lessons_and_exam_share_no_image(few_splits):
    learned, exam = lessons(few_splits)
    assert learned is few_splits.victim
    assert exam is few_splits.evaluation
    known = few_splits.victim.take(np.flatnonzero(few_splits.victim.labels < 5))
    learned, exam = lessons(dataclasses.replace(few_splits, victim=known))
    assert len(learned) + len(exam) == len(known)
    assert not set(learned.groups) & set(exam.groups)


def test_colour_images_are_moved_and_mirrored():
    torch.manual_seed(0)
    images = torch.rand(64, 3, 8, 8)
    moved = victim_training._moved(images)
    inner = slice(2, 6)
    found = {
        flip
        for image, other in zip(images, moved, strict=True)
        for flip in (False, True)
        for y in range(5)
        for x in range(5)
        if torch.equal(
            (other.flip(2) if flip else other)[:, inner, inner], image[:, y:, x:][:, :4, :4]
        )
    }
    assert moved.shape == images.shape
    assert found == {False, True}
