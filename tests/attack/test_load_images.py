"""Folders and zips of images: every layout is read, and whatever is wrong is named."""

import shutil
import struct
import zipfile
import zlib

import numpy as np
import pytest
from image_files import COLOUR, GREY, pack, write_classes, write_picture
from PIL import Image

from attack.data import load_images
from attack.splits import split
from optmodel.files import InputError


def refused(path, network=COLOUR) -> str:
    with pytest.raises(InputError) as raised:
        load_images(path, network)
    return str(raised.value)


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


# What is refused.


def test_a_path_that_does_not_exist(tmp_path):
    assert "none.zip: expected a folder or .zip" in refused(tmp_path / "none.zip")


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"?")
    assert "a.tar: expected a folder or .zip" in refused(tmp_path / "a.tar")
    assert "got another file" in refused(tmp_path / "a.tar")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n?", None])
def test_a_corrupt_image(content, packed, tmp_path):
    """None stands for a truncated one."""
    culprit = write_classes(tmp_path / "pets") / "cat" / "1.png"
    culprit.write_bytes(culprit.read_bytes()[:-60] if content is None else content)
    path = pack(tmp_path / "pets", tmp_path / "pets.zip") if packed else tmp_path / "pets"
    message = refused(path)
    assert message.startswith(f"{path}/cat/1.png: expected an image (BMP, JPEG, PNG")
    assert "got '" in message
    assert "BytesIO" not in message
    assert message.endswith("; replace or remove it")


@pytest.mark.parametrize(
    ("mode", "network", "expected", "got"),
    [
        ("RGB", GREY, "1 channel (grey)", "3 channels (RGB)"),
        ("L", COLOUR, "3 channels (RGB)", "1 channel (grey)"),
        ("RGBA", COLOUR, "3 channels (RGB)", "4 channels (RGB and transparency)"),
        ("LA", GREY, "1 channel (grey)", "2 channels (grey and transparency)"),
    ],
)
def test_another_number_of_channels(mode, network, expected, got, tmp_path):
    write_classes(tmp_path, mode="L" if network is GREY else "RGB")
    write_picture(tmp_path / "dog" / "2.png", mode=mode)
    assert refused(tmp_path, network) == (
        f"{tmp_path}/dog/2.png: expected {expected} for the network '{network.id}', got {got}; "
        "convert all images or name another network"
    )


def test_a_network_whose_channels_no_image_file_has(tmp_path):
    odd = COLOUR.model_copy(update={"image_channels": 4})
    message = refused(write_classes(tmp_path), odd)
    assert "image_channels: expected 1 (grey) or 3 (RGB) for image files, got 4" in message


def png_of(width: int, height: int) -> bytes:
    """The header of a PNG that says how large it is, and no pixels."""
    header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    content = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + content + struct.pack(">I", 0) + b"IDAT" + bytes(4)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_an_image_of_too_many_pixels(side, tmp_path):
    """Pillow warns of the smaller one and refuses the larger."""
    (write_classes(tmp_path) / "cat" / "0.png").write_bytes(png_of(side, side))
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path}/cat/0.png: expected an image of at most 89,478,485 pix")


def test_a_zip_bomb(tmp_path):
    write_classes(tmp_path / "pets")
    archive = pack(tmp_path / "pets", tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("cat/big.png", bytes(70_000_000))
    assert archive.stat().st_size < 100_000
    message = refused(archive)
    assert message.startswith(f"{archive}/cat/big.png: expected at most 64 MB, got 70 MB")


def test_a_zip_whose_content_is_damaged(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(archive) as packed:
        start = packed.getinfo("cat/0.png").header_offset
    content = bytearray(archive.read_bytes())
    content[start + 60] ^= 0xFF
    archive.write_bytes(content)
    message = refused(archive)
    assert message.startswith(f"{archive}/cat/0.png: expected a file that unpacks, got 'Bad CRC")


def test_a_zip_with_a_password(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    content = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 1)
    archive.write_bytes(content)
    assert "expected a file without password" in refused(archive)


def test_a_file_that_is_called_zip_and_is_none(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    assert "a.zip: expected a zip archive, got 'File is not a zip file'" in refused(
        tmp_path / "a.zip"
    )


def test_an_empty_class(tmp_path):
    (write_classes(tmp_path) / "cow").mkdir()
    assert refused(tmp_path) == (
        f"{tmp_path}/cow: expected images of the class 'cow', got none; add some or remove the "
        "folder"
    )
    assert "pets.zip/cow: expected images" in refused(pack(tmp_path, tmp_path / "pets.zip"))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("cat/notes.txt", "cat/notes.txt: expected an image (.bmp, .jpeg"),
        ("0.png", "0.png: expected images in class sub-folders, got one beside them"),
        ("cat/a/b/0.png", "cat/a/b/0.png: expected class/image or class/group/image, got 3"),
        ("cat/1/2/3/4/5/6/0.png", "got 6 levels; move the images up"),
        ("val/cat/0.png", "expected the folders 'train' and 'test', or one for each class, got"),
        ("Test/cat/0.png", "got 'Test', 'cat', 'dog'; rename or move them"),
    ],
)
def test_a_file_in_the_wrong_place(file, said, tmp_path):
    write_picture(write_classes(tmp_path) / "0.png")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "0.png").rename(tmp_path / file)
    assert said in refused(tmp_path)


def test_an_archive_whose_names_nest_without_end(tmp_path):
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as packed:
        packed.writestr("a/" * 30_000 + "0.png", b"?")
    assert "a/a/a/a/a: expected at most folders for" in refused(tmp_path / "deep.zip")
    assert "got 30000 levels" in refused(tmp_path / "deep.zip")


def test_a_folder_that_holds_itself(tmp_path):
    (write_classes(tmp_path) / "cat" / "again").symlink_to(tmp_path)
    assert "levels; move the images up" in refused(tmp_path)


@pytest.mark.parametrize("made", [[], ["README.txt"]])
def test_no_images(made, tmp_path):
    for name in made:
        (tmp_path / name).write_text("?")
    assert f"{tmp_path}: expected images (.bmp, .jpeg" in refused(tmp_path)
    assert "got none" in refused(tmp_path)


def test_an_image_beside_train_and_test(tmp_path):
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "test")
    write_picture(tmp_path / "0.png")
    assert f"{tmp_path}/0.png: expected images in class sub-folders" in refused(tmp_path)


def test_a_name_in_an_archive_that_would_move_the_cursor(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("cat/\x1b[2J.png", b"?")
    assert refused(archive).startswith(f"{archive}/cat/\\x1b[2J.png: expected an image")


def test_a_single_class(tmp_path):
    shutil.rmtree(write_classes(tmp_path) / "dog")
    message = refused(tmp_path)
    assert "expected sub-folders for at least two classes, got 'cat'; sort" in message


def test_a_class_that_only_the_test_data_have(tmp_path):
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "test")
    write_picture(tmp_path / "test" / "cow" / "0.png")
    assert "train: expected every class of 'test', got no 'cow'; add" in refused(tmp_path)


def test_a_photo_of_less_than_two_tiles(tmp_path):
    write_picture(tmp_path / "large.png", size=(30, 20))
    write_picture(tmp_path / "small.png", size=(19, 15))
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path}/small.png: expected a photo of at least two tiles of 8x")
    assert "got 15x19; sort the images into one sub-folder" in message


def test_a_single_photo_with_detail(tmp_path):
    write_picture(tmp_path / "forest.png", size=(30, 20))
    Image.new("RGB", (30, 20)).save(tmp_path / "night.png")
    assert "expected at least two photos with detail, got 1 of 2; add" in refused(tmp_path)


def test_two_photos_of_one_name(tmp_path):
    for name in ("a.png", "a.bmp"):
        write_picture(tmp_path / name, size=(30, 20))
    assert "expected one photo of each name, got two 'a'; rename one" in refused(tmp_path)


def test_more_pixels_than_fit_into_memory(tmp_path):
    huge = COLOUR.model_copy(update={"image_height": 60_000, "image_width": 60_000})
    assert "expected at most 4 GB of pixels, got 6 images of" in refused(
        write_classes(tmp_path), huge
    )
