"""The images that ship: balanced, described, licensed, and made by the documented command."""

import re

import numpy as np
import pytest
from commands import output_of, refusal_of
from image_files import COLOUR, idx, noise, write_idx

from attack.data import load_images
from attack.data.shipped_images import SHIPPED
from attack.shipped import CLASSES
from attack.splits import split
from instances.cnns import NETWORKS
from optmodel.ground.rule_errors import InputError

LENET = NETWORKS["lenet"]()


@pytest.fixture(scope="module")
def shipped():
    return load_images(None, LENET)


def test_each_class_has_200_training_and_50_test_images(shipped):
    assert shipped.pixels.shape == (2500, 1, 28, 28)
    assert np.bincount(shipped.labels[~shipped.test]).tolist() == [200] * 10
    assert np.bincount(shipped.labels[shipped.test]).tolist() == [50] * 10
    assert shipped.classes == CLASSES
    assert shipped.source == "fashion-mnist (shipped)"
    assert len(set(shipped.groups.tolist())) == 2500


def test_no_image_comes_twice(shipped):
    assert len({image.tobytes() for image in shipped.pixels}) == 2500


def test_the_shipped_file_has_not_changed(shipped):
    """Figures in the docs rest on these very images."""
    assert shipped.fingerprint.startswith("64ea21ad19ec")


@pytest.mark.parametrize("damage", ["cut", "emptied", "other pixels", "no labels", "pickled"])
def test_a_damaged_file_is_refused(damage, shipped, tmp_path, monkeypatch):
    file = tmp_path / "fashion_mnist.npz"
    with np.load(SHIPPED) as stored:
        arrays = dict(stored)
    if damage == "other pixels":
        arrays["pixels"] = 255 - arrays["pixels"]
    if damage == "no labels":
        del arrays["labels"]
    if damage == "pickled":
        arrays["classes"] = arrays["classes"].astype(object)
    np.savez(file, **arrays)
    if damage in ("cut", "emptied"):
        file.write_bytes(file.read_bytes()[: 1000 if damage == "cut" else 0])
    monkeypatch.setattr("attack.data.shipped_images.SHIPPED", file)
    with pytest.raises(InputError, match=r"expected the images that ship, got .*; install them"):
        load_images(None, LENET)


def test_the_labels_tell_what_is_seen(shipped):
    """The nearest mean image names more than half of the test images: labels fit the pixels."""
    pixels = shipped.pixels.reshape(2500, -1).astype(float)
    train = ~shipped.test
    means = np.stack([pixels[train & (shipped.labels == label)].mean(0) for label in range(10)])
    distances = ((pixels[shipped.test][:, None] - means[None]) ** 2).sum(-1)
    assert (distances.argmin(1) == shipped.labels[shipped.test]).mean() > 0.6


def test_the_default_split_is_balanced(shipped):
    splits = split(shipped, 0)
    for part, count in ((splits.victim, 100), (splits.attacker, 100), (splits.evaluation, 50)):
        assert np.bincount(part.labels).tolist() == [count] * 10


def test_the_licence_stands_beside_the_file():
    notice = SHIPPED.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert "2017 Zalando SE" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_a_network_for_other_images_is_told_to_name_some():
    with pytest.raises(InputError, match=r"shipped\): expected images of 3 .* got 1 .* 28x28"):
        load_images(None, COLOUR)


@pytest.fixture(scope="module")
def like_fashion_mnist(tmp_path_factory):
    """IDX files of just enough images, some more of class 0, in mixed order."""
    folder = tmp_path_factory.mktemp("like")
    for seed, (part, count) in enumerate((("train", 200), ("t10k", 50))):
        labels = np.random.default_rng(seed).permutation([*np.repeat(np.arange(10), count), 0, 0])
        images = noise(seed, len(labels), 28, 28)
        for name, values in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            (folder / f"{part}-{name}-ubyte").write_bytes(idx(values))
    return folder


def test_the_command_writes_the_same_bytes_again(like_fashion_mnist, tmp_path):
    files = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for file in files:
        told = output_of("attack.shipped", like_fashion_mnist, "--out", file)
        assert re.search(r"2,500 images, [\d,]+ bytes", told)
    assert files[0].read_bytes() == files[1].read_bytes()
    with np.load(files[0]) as stored:
        assert np.bincount(stored["labels"][~stored["test"]]).tolist() == [200] * 10
        assert np.bincount(stored["labels"][stored["test"]]).tolist() == [50] * 10


def test_the_command_refuses_a_folder_of_fewer_classes_and_writes_nothing(tmp_path):
    folder = write_idx(tmp_path / "few", LENET)
    told = refusal_of("attack.shipped", folder, "--out", tmp_path / "out.npz")
    assert re.match(r"Error: .*few: expected 10 classes, got 2; name", told)
    assert not (tmp_path / "out.npz").exists()


def test_the_command_refuses_a_folder_of_fewer_images(like_fashion_mnist, tmp_path):
    labels = like_fashion_mnist / "t10k-labels-idx1-ubyte"
    for file in like_fashion_mnist.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    values = np.frombuffer(labels.read_bytes()[8:], dtype=np.uint8).copy()
    values[np.flatnonzero(values == 4)[0]] = 0
    (tmp_path / labels.name).write_bytes(idx(values))
    told = refusal_of("attack.shipped", tmp_path, "--out", tmp_path / "out.npz")
    assert "expected 50 test images with the label 4, got 49; name" in told
