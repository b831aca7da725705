"""Folders and zips of images: every layout is read, packed or not, in one order."""

import shutil

import numpy as np
import pytest
from image_files import COLOUR, GREY, pack, write_classes, write_picture
from PIL import Image

from attack.data import load_images
from attack.splits import split


def test_class_sub_folders_are_the_classes_in_order_of_their_names(tmp_path):
    images = load_images(write_classes(tmp_path / "pets"), COLOUR)
    assert images.pixels.shape == (6, 3, 8, 10)
    assert images.classes == ("cat", "dog")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert sorted(images.groups.tolist()) == list(range(6))
    assert not images.test.any()
    assert images.source == "pets"


def test_pixels_are_those_of_the_files(tmp_path):
    images = load_images(write_classes(tmp_path), COLOUR)
    stored = np.asarray(Image.open(tmp_path / "dog" / "1.png"))
    assert (images.pixels[4] == stored.transpose(2, 0, 1)).all()


def test_grey_images_have_one_channel(tmp_path):
    images = load_images(write_classes(tmp_path, mode="L"), GREY)
    stored = np.asarray(Image.open(tmp_path / "cat" / "0.png"))
    assert images.pixels.shape == (6, 1, 8, 10)
    assert (images.pixels[0, 0] == stored).all()


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.bmp", "a.ppm", "a.webp", "a.png"])
def test_every_format_is_read(name, tmp_path):
    write_classes(tmp_path)
    write_picture(tmp_path / "cat" / name)
    assert len(load_images(tmp_path, COLOUR)) == 7


def test_train_and_test_folders_tell_the_test_data(tmp_path):
    write_classes(tmp_path / "train", per_class=4)
    write_classes(tmp_path / "test", per_class=1)
    images = load_images(tmp_path, COLOUR)
    assert images.classes == ("cat", "dog")
    assert np.bincount(images.labels[images.test]).tolist() == [1, 1]
    assert np.bincount(images.labels[~images.test]).tolist() == [4, 4]
    assert len(split(images, 0).evaluation) == 2


def test_a_folder_between_class_and_image_is_the_group_in_every_class(tmp_path):
    for file in ("cat/ann/0", "cat/ann/1", "cat/bob/0", "cat/9", "dog/ann/0", "dog/cay/0"):
        write_picture(tmp_path / f"{file}.png")
    images = load_images(tmp_path, COLOUR)
    single, *named = images.groups.tolist()
    ann, also_ann, bob, ann_with_dog, cay = named
    assert ann == also_ann == ann_with_dog
    assert len({single, ann, bob, cay}) == 4


@pytest.mark.parametrize("size", [(20, 16), (5, 4), (30, 3)])
def test_images_of_other_sizes_are_resized(size, tmp_path):
    images = load_images(write_classes(tmp_path, size=size), COLOUR)
    assert images.pixels.shape == (6, 3, 8, 10)
    assert images.pixels.std() > 20


def test_a_plain_colour_stays_what_it_is_when_resized(tmp_path):
    write_classes(tmp_path)
    Image.new("RGB", (33, 21), (10, 120, 250)).save(tmp_path / "cat" / "0.png")
    first = load_images(tmp_path, COLOUR).pixels[0]
    assert first.reshape(3, -1).T.tolist() == [[10, 120, 250]] * 80


@pytest.mark.parametrize("below", ["", "./", "/", "pets/", "downloads/pets/"])
def test_a_zip_equals_the_folder_that_is_packed_in_it(below, tmp_path):
    write_classes(tmp_path / "pets" / "train")
    write_classes(tmp_path / "pets" / "test", per_class=2)
    folder = load_images(tmp_path / "pets", COLOUR)
    packed = load_images(pack(tmp_path / "pets", tmp_path / "pets.zip", below), COLOUR)
    assert packed.fingerprint == folder.fingerprint
    assert packed.test.tolist() == folder.test.tolist()
    assert packed.groups.tolist() == folder.groups.tolist()
    assert packed.source == "pets.zip"


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path):
    one = write_classes(tmp_path / "one")
    (tmp_path / "two").mkdir()
    for file in sorted(one.rglob("*.png"), reverse=True):
        copy = tmp_path / "two" / file.relative_to(one)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(file, copy)
    assert load_images(one, COLOUR).fingerprint == load_images(copy.parents[1], COLOUR).fingerprint


def test_a_linked_class_folder_is_followed(tmp_path):
    write_classes(tmp_path / "pets")
    (tmp_path / "linked").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "linked" / name).symlink_to(tmp_path / "pets" / name)
    linked = load_images(tmp_path / "linked", COLOUR)
    assert linked.fingerprint == load_images(tmp_path / "pets", COLOUR).fingerprint


def test_what_file_managers_leave_behind_and_texts_beside_the_classes_are_passed_over(tmp_path):
    write_classes(tmp_path / "pets")
    clean = load_images(tmp_path / "pets", COLOUR).fingerprint
    for litter in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "__MACOSX/cat/0.png", "README"):
        (tmp_path / "pets" / litter).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / litter).write_bytes(b"?")
    assert load_images(tmp_path / "pets", COLOUR).fingerprint == clean
    assert load_images(pack(tmp_path / "pets", tmp_path / "a.zip"), COLOUR).fingerprint == clean


def test_photos_are_cut_into_tiles_and_smooth_ones_dropped(tmp_path):
    write_picture(tmp_path / "forest.png", size=(25, 17), seed=1)
    sky = np.array(Image.open(tmp_path / "forest.png"))
    sky[:8] = 200
    Image.fromarray(sky).save(tmp_path / "sky.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "night.png")
    images = load_images(tmp_path, COLOUR)
    assert images.classes == ("forest", "sky")
    assert images.labels.tolist() == images.groups.tolist() == [0, 0, 0, 0, 1, 1]
    forest = np.asarray(Image.open(tmp_path / "forest.png")).transpose(2, 0, 1)
    assert (images.pixels[1] == forest[:, :8, 10:20]).all()
    assert (images.pixels[2] == forest[:, 8:16, :10]).all()
    assert (images.pixels[5] == forest[:, 8:16, 10:20]).all()


def test_photos_in_a_zip_equal_those_in_the_folder(tmp_path):
    for number in range(3):
        write_picture(tmp_path / "photos" / f"{number}.png", size=(30, 20), seed=number)
    folder = load_images(tmp_path / "photos", COLOUR)
    assert load_images(pack(tmp_path / "photos", tmp_path / "p.zip"), COLOUR).fingerprint == (
        folder.fingerprint
    )
    assert [len(part) for part in vars(split(folder, 0)).values()] == [6, 6, 6]
