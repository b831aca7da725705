"""CIFAR-10 as it is published: pickled batches, of which nothing but plain data is unpickled."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attack.data.limits import require_size
from attack.images import Images
from optmodel.files import InputError, one_line, read_bytes
from optmodel.network import Network

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
NAMES = (*TRAIN, TEST)
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
SHAPE = (3, 32, 32)
ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}
"""All that the batches name. It is not called either: an array's bytes are only looked at."""
CORRUPT = (
    pickle.UnpicklingError, AttributeError, EOFError, IndexError, KeyError, MemoryError,
    OverflowError, TypeError, UnicodeDecodeError, ValueError,
)  # fmt: skip
"""What the unpickler raises for files that are no pickles."""


class _Recorded:
    """Stands for an object of NumPy: keeps what it would have been made of, and makes nothing."""

    __slots__ = ("arguments", "state")

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


class _RefusedError(Exception):
    """A pickle names something that no batch needs."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type[_Recorded]:
        if (module, name) not in ALLOWED:
            raise _RefusedError(f"{module}.{name}")
        return _Recorded


def holds_batches(folder: Path) -> bool:
    """Tell whether a folder holds one of the batches."""
    return any((folder / name).is_file() for name in NAMES)


def read_batches(folder: Path, network: Network) -> Images:
    """Read the five training batches and the test batch.

    Raises
    ------
    InputError
        If a batch is missing, is not what CIFAR-10 is made of, or the network takes another size.
    """
    require_size(str(folder), SHAPE, network)
    batches = [_read_batch(folder / name) for name in NAMES]
    labels = np.concatenate([labels for _, labels in batches])
    trained = len(labels) - len(batches[-1][1])
    return Images(
        pixels=np.concatenate([pixels for pixels, _ in batches]),
        labels=labels,
        groups=np.arange(len(labels)),
        test=np.arange(len(labels)) >= trained,
        classes=CLASSES,
        source=folder.resolve().name,
    )


def _read_batch(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    batch = _unpickle(file)
    try:
        pixels = _array(batch[b"data"])
        labels = np.array(batch[b"labels"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{file}: expected 'data' with {np.prod(SHAPE)} bytes an image, and 'labels', got "
            f"'{type(error).__name__}: {one_line(str(error))}'; download it again"
        ) from error
    whole = labels.dtype.kind == "i" and labels.shape == pixels.shape[:1]
    if not whole or not np.isin(labels, np.arange(len(CLASSES))).all():
        raise InputError(
            f"{file}: labels: expected {len(pixels):,} whole numbers from 0 to "
            f"{len(CLASSES) - 1}, got others; download it again"
        )
    return pixels, labels.astype(np.int64)


def _unpickle(file: Path) -> Any:
    try:
        return _Unpickler(io.BytesIO(read_bytes(file)), encoding="bytes").load()
    except _RefusedError as error:
        raise InputError(
            f"{file}: expected a pickle of arrays and lists alone, got one that calls "
            f"{str(error)!r} and could run any program; do not use this file"
        ) from error
    except CORRUPT as error:
        raise InputError(
            f"{file}: expected a batch of CIFAR-10 for Python, got "
            f"'{one_line(str(error))}'; download it again"
        ) from error


def _array(recorded: _Recorded) -> NDArray[np.uint8]:
    """Return the pixels of an array of bytes, told by shape, type, order and content."""
    _, shape, kind, is_fortran, content = recorded.state
    if kind.arguments[0] not in (b"u1", "u1") or len(shape) != 2 or not isinstance(content, bytes):
        raise ValueError(f"an array of {kind.arguments[0]!r} in {shape}")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(shape, order="F" if is_fortran else "C")
    return rows.reshape(len(rows), *SHAPE)
