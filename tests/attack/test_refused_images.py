"""Folders and zips of images in which something is wrong: the message names it."""

import shutil
import zipfile

import pytest
from image_files import COLOUR, GREY, noise, pack, refused, write_classes, write_picture
from PIL import Image

from attack.data import load_images


def test_a_path_that_does_not_exist_and_a_file_of_another_kind(tmp_path):
    assert "none.zip: expected a folder or .zip" in refused(tmp_path / "none.zip")
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


def test_a_zip_whose_content_is_damaged(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(archive) as packed:
        start = packed.getinfo("cat/0.png").header_offset
    content = bytearray(archive.read_bytes())
    content[start + 60] ^= 0xFF
    archive.write_bytes(content)
    message = refused(archive)
    assert message.startswith(f"{archive}/cat/0.png: expected a file that unpacks, got 'Bad CRC")


def test_a_zip_packed_by_lzma_whose_content_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "pets.zip", "w", zipfile.ZIP_LZMA) as packed:
        for name in ("cat/0.png", "dog/0.png"):
            packed.writestr(name, noise(0, 1000).tobytes())
    content = bytearray((tmp_path / "pets.zip").read_bytes())
    content[60:90] = b"\xff" * 30
    (tmp_path / "pets.zip").write_bytes(content)
    assert "pets.zip/cat/0.png: expected a file that unpacks, got 'Corrupt" in refused(
        tmp_path / "pets.zip"
    )


def test_a_zip_with_a_file_that_has_no_name(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("/", b"")
        packed.writestr("./", b"")
    assert len(load_images(archive, COLOUR)) == 6
    archive.write_bytes(archive.read_bytes().replace(b"cat/0.png", b"/////////"))
    assert load_images(archive, COLOUR).labels.tolist() == [0, 0, 1, 1, 1]
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr(".", b"?")
    assert "pets.zip: expected a name for each file, got one without" in refused(archive)


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


def landscape(seed: int, side: int) -> Image.Image:
    """A photo of coarse shapes with fine detail: noise at 12 pixels over weaker noise at all."""
    coarse = Image.fromarray(noise(seed, 12, 12, 3)).resize((side, side), Image.Resampling.BICUBIC)
    fine = Image.fromarray(noise(seed + 100, side, side, 3))
    return Image.blend(coarse, fine, 0.3)


@pytest.mark.parametrize("names", [("a-500.jpg", "a-1500.jpg"), ("a.png", "z.bmp")])
def test_one_photo_in_two_sizes(names, tmp_path):
    for seed in range(3):
        landscape(seed, 120).save(tmp_path / f"m{seed}.png")
    landscape(7, 120).save(tmp_path / names[0], quality=70)
    landscape(7, 120).resize((50, 40), Image.Resampling.LANCZOS).save(tmp_path / names[1])
    first, second = sorted(names)
    assert refused(tmp_path) == (
        f"{tmp_path}/{second}: expected photos of different things, got the picture of '{first}' "
        "again, in this or another size; keep one of each such two"
    )


def test_photos_that_differ_are_not_taken_for_one(tmp_path):
    for seed in range(20):
        landscape(seed, 60).save(tmp_path / f"{seed}.png")
    Image.new("RGB", (60, 60)).save(tmp_path / "night.png")
    Image.new("RGB", (60, 60)).save(tmp_path / "night again.png")
    assert len(load_images(tmp_path, COLOUR).classes) == 20


def test_more_pixels_than_fit_into_memory(tmp_path):
    huge = COLOUR.model_copy(update={"image_height": 60_000, "image_width": 60_000})
    assert "expected at most 4 GB of pixels, got 6 images of" in refused(
        write_classes(tmp_path), huge
    )
