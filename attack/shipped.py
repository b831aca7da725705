"""Make the file of images that ships: the same number of each class of Fashion-MNIST."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("attack.shipped")

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from attack.data.idx_files import read_idx_folder
from attack.images import Images
from instances.cnns import NETWORKS
from optmodel.ground.command_line import console
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import require_writable, write_bytes

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
TRAIN_PER_CLASS = 200
TEST_PER_CLASS = 50


def subset(folder: Path) -> Images:
    """Return the first so many images of each class, of the training and of the test data.

    Raises
    ------
    InputError
        If the folder holds no IDX files like Fashion-MNIST's, or too few images.
    """
    images = read_idx_folder(folder, NETWORKS["lenet"]())
    if len(images.classes) != len(CLASSES):
        raise InputError(
            f"{folder}: expected {len(CLASSES)} classes, got {len(images.classes)}; name the "
            "folder of Fashion-MNIST"
        )
    chosen = [
        _first(folder, images, label, is_test, count)
        for is_test, count in ((False, TRAIN_PER_CLASS), (True, TEST_PER_CLASS))
        for label in range(len(CLASSES))
    ]
    return images.take(np.sort(np.concatenate(chosen)))


def _first(
    folder: Path, images: Images, label: int, is_test: bool, count: int
) -> NDArray[np.int64]:
    found = np.flatnonzero((images.labels == label) & (images.test == is_test))[:count]
    if len(found) < count:
        kind = "test" if is_test else "training"
        raise InputError(
            f"{folder}: expected {count} {kind} images with the label {label}, got {len(found)}; "
            "name the folder of Fashion-MNIST"
        )
    return found


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with the IDX files of Fashion-MNIST.")],
    out: Annotated[Path, typer.Option(help="Where to write the .npz file.")],
) -> None:
    """Write the first 200 training and 50 test images of each class; same files, same bytes.

    The Debian package dataset-fashion-mnist holds the IDX files.

    Example: python -m attack.shipped fashion-mnist/ --out attack/fashion_mnist.npz
    """
    require_writable(out)
    images = subset(folder)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        pixels=images.pixels,
        labels=images.labels,
        test=images.test,
        classes=np.array(CLASSES),
    )
    write_bytes(out, stream.getvalue())
    console.print(f"{out}: {len(images):,} images, {len(stream.getvalue()):,} bytes")
