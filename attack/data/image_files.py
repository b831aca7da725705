"""Decode image files with Pillow: bounded, with the channels that the network takes."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from attack.data.file_tree import FileTree, Parts
from attack.data.size_limits import require_decodable
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.problem import Network

FORMATS = ("BMP", "JPEG", "PNG", "PPM", "WEBP")
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".webp")
MODES = {1: "L", 3: "RGB"}
"""Pillow's mode for a number of channels."""
MODE_NAMES = {
    "1": "1 bit a pixel",
    "CMYK": "4 channels (CMYK)",
    "L": "1 channel (grey)",
    "LA": "2 channels (grey and transparency)",
    "P": "a palette",
    "RGB": "3 channels (RGB)",
    "RGBA": "4 channels (RGB and transparency)",
}
TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
MOST_SIDE = 65_535
"""Pixels of a side, as in JPEG; what resizing needs besides the pixels grows with the side."""
CORRUPT = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
"""What Pillow raises for files that it cannot decode."""


def is_image(name: str) -> bool:
    """Tell by its name whether a file is one of the images that can be read."""
    return name.lower().endswith(SUFFIXES)


def decode(content: bytes, title: str, network: Network) -> Image.Image:
    """Decode an image file that has the channels of the network's image.

    `title` stands for the file in messages.

    Raises
    ------
    InputError
        If the image is corrupt, too large, or has other channels.
    """
    image = _opened(content, title, network)
    try:
        image.load()
    except CORRUPT as error:
        raise _undecodable(title, error) from error
    return image


def check_headers(source: str, files: Iterable[tuple[FileTree, Parts]], network: Network) -> None:
    """Refuse image files by their headers, before any of them is decoded.

    `source` stands for all of them in messages.

    Raises
    ------
    InputError
        If a header is one that `decode` refuses, or all of them tell of far more pixels than the
        files are large.
    """
    held = pixels = 0
    for tree, parts in files:
        content = tree.read(parts)
        with _opened(content, tree.title(parts), network) as image:
            held += len(content)
            pixels += image.width * image.height
    require_decodable(source, held, pixels)


def _opened(content: bytes, title: str, network: Network) -> Image.Image:
    """Read the header of an image file, and refuse what is not to be decoded."""
    mode = _mode(network)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except TOO_LARGE as error:
        raise InputError(
            f"{title}: expected an image of at most {Image.MAX_IMAGE_PIXELS:,} pixels, got a "
            "larger one; make it smaller"
        ) from error
    except CORRUPT as error:
        raise _undecodable(title, error) from error
    if max(image.size) > MOST_SIDE:
        raise InputError(
            f"{title}: expected an image of at most {MOST_SIDE:,} pixels a side, got "
            f"{image.height:,} x {image.width:,}; cut or shrink it"
        )
    if image.mode != mode:
        raise InputError(
            f"{title}: expected {MODE_NAMES[mode]} for the network '{network.id}', got "
            f"{MODE_NAMES.get(image.mode, image.mode)}; convert all images or name another network"
        )
    return image


def _undecodable(title: str, error: Exception) -> InputError:
    return InputError(
        f"{title}: expected an image ({', '.join(FORMATS)}), got '{_reason(error)}'; replace or "
        "remove it"
    )


def _mode(network: Network) -> str:
    """Return the mode that images for a network must have."""
    if network.image_channels not in MODES:
        raise InputError(
            f"network '{network.id}': image_channels: expected 1 (grey) or 3 (RGB) for image "
            f"files, got {network.image_channels}; name another network"
        )
    return MODES[network.image_channels]


def _reason(error: Exception) -> str:
    """Return what is wrong; Pillow names its own buffer where it knows no format."""
    return "another format" if isinstance(error, UnidentifiedImageError) else one_line(str(error))


def as_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of a grey or RGB image, shape (channels, height, width)."""
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def resized(image: Image.Image, network: Network) -> Image.Image:
    """Return an image in the network's size; other proportions are stretched."""
    size = (network.image_width, network.image_height)
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
