"""From images to torch: pixels as floats, and the seed and device of a piece of work."""

import hashlib

import torch
from torch import Tensor

from attack.images import Images


def as_floats(images: Images) -> Tensor:
    """Return pixels in 0..1, shape (n, channels, height, width), 32-bit floats."""
    return torch.from_numpy(images.pixels).float().div_(255)


def derived_seed(*parts: object) -> int:
    """Return a seed that depends on every part and on nothing else, 0 to 2^31 - 1."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def best_device() -> torch.device:
    """Return the first GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
