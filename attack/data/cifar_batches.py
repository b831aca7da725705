"""CIFAR-10 as it is published: pickled batches, of which nothing but plain data is unpickled."""

import io
import pickle
import pickletools
import reprlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attack.data.size_limits import require_size
from attack.images import Images
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.ground.whole_files import read_bytes
from optmodel.problem import Network

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
NAMES = (*TRAIN, TEST)
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
KNOWN = range(len(CLASSES))
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
KEEPING = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
REFERRING = {"GET", "BINGET", "LONG_BINGET", "DUP"}
"""Operations of a pickle that keep a value, and that take one again."""
MOST_REFERENCES = 20
"""In a batch: those of one array's description; what doubles that often is still small."""


class _RecordedObject:
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
    def find_class(self, module: str, name: str) -> type[_RecordedObject]:
        if (module, name) not in ALLOWED:
            raise _RefusedError(f"{module}.{name}")
        return _RecordedObject


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
        labels = batch[b"labels"]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{file}: expected 'data' with {np.prod(SHAPE)} bytes an image, and 'labels', got "
            f"'{type(error).__name__}: {one_line(str(error))}'; download it again"
        ) from error
    known = isinstance(labels, list) and all(type(n) is int and n in KNOWN for n in labels)
    if not known or len(labels) != len(pixels):
        raise InputError(
            f"{file}: labels: expected {len(pixels):,} whole numbers from 0 to "
            f"{len(CLASSES) - 1}, got others; download it again"
        )
    return pixels, np.array(labels, dtype=np.int64)


def _unpickle(file: Path) -> Any:
    content = read_bytes(file)
    try:
        _require_plain(content)
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
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


def _require_plain(content: bytes) -> None:
    """Refuse a pickle that grows far beyond its size when it is opened.

    The memory for what is referred to again grows with the largest number given to it, and what
    holds itself twice, and that twice again, with two to the power of the references.
    """
    kept = references = 0
    for operation, argument, _ in pickletools.genops(content):
        if operation.name in KEEPING:
            kept += 1
            if argument is not None and argument > kept:
                raise pickle.UnpicklingError(f"a reference numbered {argument:,} as the {kept}.")
        references += operation.name in REFERRING
    if references > MOST_REFERENCES:
        raise pickle.UnpicklingError(f"{references:,} references back")


def _array(recorded: _RecordedObject) -> NDArray[np.uint8]:
    """Return the pixels of an array of bytes, told by shape, type, order and content."""
    _, shape, kind, is_fortran, content = recorded.state
    if kind.arguments[0] not in (b"u1", "u1") or len(shape) != 2 or not isinstance(content, bytes):
        raise ValueError(f"an array of {reprlib.repr(kind.arguments[0])} in {reprlib.repr(shape)}")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(shape, order="F" if is_fortran else "C")
    return rows.reshape(len(rows), *SHAPE)
