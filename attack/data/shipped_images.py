"""Read the images that ship: a balanced subset of Fashion-MNIST, under the licence beside it."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from attack.data.size_limits import require_size
from attack.images import Images
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.ground.whole_files import read_bytes
from optmodel.problem import Network

SHIPPED = Path(__file__).parents[1] / "fashion_mnist.npz"
SOURCE = "fashion-mnist (shipped)"


FINGERPRINT = "64ea21ad19ecb046e3fc50921146af300af0cdba37d23aa6556485e23b78374c"
"""Of the images that ship."""
CORRUPT = (
    EOFError, KeyError, MemoryError, NotImplementedError, OSError, RuntimeError, ValueError,
    SyntaxError, TypeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy raises for files that are no archives of arrays."""


def load_shipped(network: Network) -> Images:
    """Return the 2,000 training and 500 test images that ship, as many of every class.

    Raises
    ------
    InputError
        If the network takes images of another size, or the file is not as it was shipped.
    """
    try:
        images = _read(SHIPPED)
    except CORRUPT as error:
        raise _damaged(f"'{one_line(str(error))}'") from error
    if images.fingerprint != FINGERPRINT:
        raise _damaged("others")
    require_size(SOURCE, images.pixels.shape[1:], network)
    return images


def _read(file: Path) -> Images:
    with np.load(io.BytesIO(read_bytes(file)), allow_pickle=False) as stored:
        pixels, labels, test = stored["pixels"], stored["labels"], stored["test"]
        return Images(
            pixels=pixels,
            labels=labels,
            groups=np.arange(len(labels)),
            test=test,
            classes=tuple(map(str, stored["classes"])),
            source=SOURCE,
        )


def _damaged(got: str) -> InputError:
    return InputError(f"{SHIPPED}: expected the images that ship, got {got}; install them again")
