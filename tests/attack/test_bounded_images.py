"""Images and archives that are small as files and enormous when decoded are refused at once."""

import copy
import zipfile

import pytest
from image_files import COLOUR, pack, png_of, refused, write_classes, write_picture
from PIL import ImageFile

from attack.data import load_images


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_an_image_of_too_many_pixels(side, tmp_path):
    """Pillow warns of the smaller one and refuses the larger."""
    (write_classes(tmp_path) / "cat" / "0.png").write_bytes(png_of(side, side))
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path}/cat/0.png: expected an image of at most 89,478,485 pix")


@pytest.mark.parametrize("size", [(80_000_000, 1), (1, 80_000_000), (65_536, 2)])
@pytest.mark.parametrize("folder", ["cat", "."])
def test_an_image_of_one_enormous_side(size, folder, tmp_path):
    """What resizing needs grows with the side, not with the pixels alone."""
    if folder == "cat":
        write_classes(tmp_path)
    (tmp_path / folder / "0.png").write_bytes(png_of(*size))
    assert refused(tmp_path).endswith(
        f"0.png: expected an image of at most 65,535 pixels a side, got {size[1]:,} x {size[0]:,}; "
        "cut or shrink it"
    )


@pytest.mark.parametrize("size", [(65_535, 1), (1, 65_535)])
def test_an_image_of_the_longest_side_is_resized(size, tmp_path):
    write_picture(write_classes(tmp_path) / "cat" / "0.png", size=size)
    assert load_images(tmp_path, COLOUR).pixels.shape == (6, 3, 8, 10)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", ["classes", "photos"])
def test_forty_flat_images_of_64_megapixels_in_few_bytes(layout, packed, tmp_path, monkeypatch):
    """They are refused by their headers: nothing is decoded."""
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    content = png_of(8_000, 8_000) + bytes(60_000)
    folder = tmp_path / "flat"
    for number in range(40):
        parent = folder / ("cat", "dog")[number % 2] if layout == "classes" else folder
        parent.mkdir(parents=True, exist_ok=True)
        (parent / f"{number}.png").write_bytes(content)
    path = pack(folder, tmp_path / "flat.zip") if packed else folder
    held = 40 * len(content)
    assert refused(path) == (
        f"{path}: expected at most {300_000_000 + 50 * held:,} pixels in image files of {held:,} "
        "bytes, got 2,560,000,000; shrink the images, or name fewer"
    )


def test_an_archive_whose_files_share_what_they_unpack_from(tmp_path):
    archive = pack(write_classes(tmp_path / "pets"), tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("cat/big.bmp", bytes(60_000_000))
        for number in range(19):
            again = copy.copy(packed.getinfo("cat/big.bmp"))
            again.filename = f"cat/{number}.bmp"
            packed.filelist.append(again)
    size = archive.stat().st_size
    assert size < 100_000
    assert refused(archive).startswith(
        f"{archive}: expected an archive of {size:,} bytes to unpack to at most "
        f"{1_000_000_000 + 100 * size:,}, got 1,200,0"
    )


def test_a_zip_bomb(tmp_path):
    write_classes(tmp_path / "pets")
    archive = pack(tmp_path / "pets", tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("cat/big.png", bytes(70_000_000))
    assert archive.stat().st_size < 100_000
    message = refused(archive)
    assert message.startswith(f"{archive}/cat/big.png: expected at most 64 MB, got 70 MB")
