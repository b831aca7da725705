"""Image files of every kind, made for tests: pictures, zips, IDX files, CIFAR-10 batches."""

import gzip
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from attack.data import load_images
from instances.cnns import NETWORKS
from optmodel.ground.rule_errors import InputError
from optmodel.problem.network import Network

CLASSES = ("cat", "dog")
GREY = NETWORKS["lenet"]().model_copy(update={"image_height": 8, "image_width": 10})
COLOUR = NETWORKS["cifar_cnn"]().model_copy(update={"image_height": 8, "image_width": 10})


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png_of(width: int, height: int) -> bytes:
    """The header of a PNG that says how large it is, and no pixels."""
    header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    content = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + content + struct.pack(">I", 0) + b"IDAT" + bytes(4)


def write_picture(file: Path, mode: str = "RGB", size: tuple[int, int] = (10, 8), seed: int = 0):
    """Write noise of the given (width, height), as the name ends; PNG loses nothing."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = noise(seed, size[1], size[0], bands)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values[..., 0] if bands == 1 else values, mode).save(file)


def write_classes(folder: Path, per_class: int = 3, **picture: object) -> Path:
    """Write class sub-folders, of images that all differ."""
    for label, name in enumerate(CLASSES):
        for number in range(per_class):
            write_picture(folder / name / f"{number}.png", seed=10 * label + number, **picture)
    return folder


def pack(folder: Path, archive: Path, below: str = "") -> Path:
    """Pack a folder into a zip, the last file first."""
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(folder.rglob("*"), reverse=True):
            packed.write(file, below + str(file.relative_to(folder)))
    return archive


def idx(values: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_idx(
    folder: Path, network: Network = GREY, counts: tuple[int, int] = (6, 4), packed: bool = False
) -> Path:
    """Write training and test images whose labels are 3 and 5 in turn."""
    folder.mkdir(exist_ok=True)
    for seed, (part, count) in enumerate(zip(("train", "t10k"), counts, strict=True)):
        images = noise(seed, count, network.image_height, network.image_width)
        labels = np.array([3, 5] * count, dtype=np.uint8)[:count]
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            file = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            content = idx(values)
            file.write_bytes(gzip.compress(content) if packed else content)
    return folder


def write_batches(folder: Path, **replaced: object) -> Path:
    """Write CIFAR-10's six batches of two images each, with some keys replaced in the last."""
    folder.mkdir(exist_ok=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for seed, name in enumerate(names):
        batch = {b"data": noise(seed, 2, 3072), b"labels": [seed, 9]}
        if name == "test_batch":
            batch |= {key.encode(): value for key, value in replaced.items()}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=3))
    return folder


def python2_batch(data: NDArray[np.uint8], labels: list[int]) -> bytes:
    """Pickle a batch as Python 2 did, whose strings were bytes: the way the real files are."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def small(value: int) -> bytes:
        return b"M" + struct.pack("<H", value)

    empty = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    )
    kind = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"
    kind += b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = small(data.shape[0]) + small(data.shape[1]) + b"\x86"
    content = b"T" + struct.pack("<i", data.nbytes) + data.tobytes()
    array = empty + b"(K\x01" + shape + kind + b"\x89" + content + b"tb"
    numbers = b"](" + b"".join(small(label) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def refused(path: Path, network: Network = COLOUR) -> str:
    """Return the message that says what is wrong with images."""
    with pytest.raises(InputError) as raised:
        load_images(path, network)
    return str(raised.value)
