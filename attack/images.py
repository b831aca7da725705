"""Labelled images in memory: what every loader returns and every training takes."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one size with their classes.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (n, channels, height, width)
        Values from 0 to 255.
    labels : ndarray of int64, shape (n,)
        Index into `classes`.
    groups : ndarray of int64, shape (n,)
        Images of one person or one photo share a number; any other image has one of its own.
    test : ndarray of bool, shape (n,)
        True where the source itself names the image as test data.
    classes : tuple of str
        Names of the classes.
    source : str
        Where the images come from, such as "cifar10-jpeg-12k.zip".

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    test: NDArray[np.bool_]
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.dtype != np.uint8:
            raise ValueError(f"pixels: {self.pixels.dtype} of shape {self.pixels.shape}")
        for name, type_ in (("labels", np.int64), ("groups", np.int64), ("test", np.bool_)):
            values = getattr(self, name)
            if values.shape != self.pixels.shape[:1] or values.dtype != type_:
                raise ValueError(f"{name}: {values.dtype} of shape {values.shape}")
        if len(self) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels: not all in 0..{len(self.classes) - 1}")

    def __len__(self) -> int:
        return len(self.pixels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape, pixels and labels, in hexadecimal."""
        content = hashlib.sha256(repr(self.pixels.shape).encode())
        content.update(np.ascontiguousarray(self.pixels).data)
        content.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return content.hexdigest()

    def take(self, indices: NDArray[np.int64]) -> "Images":
        """Return the images at some indices, in that order, with the same classes."""
        return Images(
            pixels=self.pixels[indices],
            labels=self.labels[indices],
            groups=self.groups[indices],
            test=self.test[indices],
            classes=self.classes,
            source=self.source,
        )
