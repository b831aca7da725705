"""Labelled images in memory: what every loader returns and every training takes."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one size with their classes.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """

    pixels: NDArray[np.uint8]
    """Shape (n, channels, height, width), values from 0 to 255."""
    labels: NDArray[np.int64]
    """Shape (n,), index into `classes`."""
    groups: NDArray[np.int64]
    """Shape (n,). Images of one person or one photo share a number; any other has one of its own.
    """
    test: NDArray[np.bool_]
    """Shape (n,), true where the source itself names the image as test data."""
    classes: tuple[str, ...]
    """Names of the classes."""
    source: str
    """Where the images come from, such as "cifar10-jpeg-12k.zip"."""

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

    def first(self, most: int) -> "Images":
        """Return the first so many images, or all there are."""
        return self.take(np.arange(min(most, len(self))))

    def take(self, indices: NDArray[np.int64]) -> "Images":
        """Return the images at some indices, in that order, with the same classes."""
        per_image = ("pixels", "labels", "groups", "test")
        return replace(self, **{name: getattr(self, name)[indices] for name in per_image})
