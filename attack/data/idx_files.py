"""IDX files, as MNIST and its likes come in: a header of big-endian numbers, then bytes."""

import gzip
import struct
import zlib
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from attack.data.size_limits import require_room, require_size
from attack.images import Images
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.problem import Network

IMAGES = "-images-idx3-ubyte"
LABELS = "-labels-idx1-ubyte"
TRAIN, TEST = "train", "t10k"
NAMES = tuple(part + kind for part in (TRAIN, TEST) for kind in (IMAGES, LABELS))
UNSIGNED_BYTES = 0x08
"""Kind of the values, third byte of the header; the fourth counts the dimensions."""


def idx_file(folder: Path, name: str) -> Path | None:
    """Return the file of that name in a folder, plain or packed by gzip, None without one."""
    found = [folder / name, folder / f"{name}.gz"]
    return next((file for file in found if file.is_file()), None)


def holds_idx(folder: Path) -> bool:
    """Tell whether a folder holds one of the IDX files."""
    return any(idx_file(folder, name) for name in NAMES)


def read_idx_folder(folder: Path, network: Network) -> Images:
    """Read training and, where there are any, test images of one folder.

    Raises
    ------
    InputError
        If a file is missing or truncated, counts do not match, or the size is not the network's.
    """
    parts = [TRAIN, TEST] if any(idx_file(folder, TEST + kind) for kind in (IMAGES, LABELS)) else []
    pixels, labels = zip(
        *[_read_part(folder, part, network) for part in parts or [TRAIN]], strict=True
    )
    values, indices = np.unique(np.concatenate(labels), return_inverse=True)
    if len(values) < 2:
        raise InputError(
            f"{folder}: expected labels of at least two classes, got {len(values)}; name another "
            "folder"
        )
    count = len(indices)
    return Images(
        pixels=np.concatenate(pixels)[:, None],
        labels=indices.astype(np.int64),
        groups=np.arange(count),
        test=np.arange(count) >= len(labels[0]),
        classes=tuple(map(str, values)),
        source=folder.resolve().name,
    )


def _read_part(
    folder: Path, part: str, network: Network
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images, file = (_required(folder, part + kind) for kind in (IMAGES, LABELS))
    pixels, labels = _read_idx(images, 3, network), _read_idx(file, 1, network)
    if len(pixels) != len(labels):
        raise InputError(
            f"{file}: expected a label for each of the {len(pixels):,} images in {images.name}, "
            f"got {len(labels):,}; take both files from one source"
        )
    return pixels, labels


def _required(folder: Path, name: str) -> Path:
    file = idx_file(folder, name)
    if file is None:
        raise InputError(
            f"{folder}: expected a file {name} or {name}.gz, got none; put it beside the others"
        )
    return file


def _read_idx(file: Path, dimensions: int, network: Network) -> NDArray[np.uint8]:
    """Read an IDX file, packed by gzip or not, of labels (1 dimension) or of images (3)."""
    try:
        with closing(_open(file)) as stream:
            shape = _read_shape(file, stream, dimensions)
            if dimensions == 3:
                require_size(str(file), (1, *shape[1:]), network)
            expected = int(np.prod(shape, dtype=object))
            require_room(str(file), 1, expected)
            content = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{file}: expected an IDX file, got '{one_line(str(error))}'; download it again"
        ) from error
    if len(content) != expected:
        got = "more" if len(content) > expected else f"{len(content):,}"
        raise InputError(
            f"{file}: expected {expected:,} bytes after the header, got {got}; download it again"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _open(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _read_shape(file: Path, stream: BinaryIO, dimensions: int) -> tuple[int, ...]:
    magic = bytes([0, 0, UNSIGNED_BYTES, dimensions])
    header = stream.read(4 + 4 * dimensions)
    if header[:4] != magic or len(header) < 4 + 4 * dimensions:
        raise InputError(
            f"{file}: expected an IDX header that begins with {magic.hex(' ')}, got "
            f"{header[:4].hex(' ') or 'an empty file'}; download it again"
        )
    return struct.unpack(f">{dimensions}I", header[4:])
