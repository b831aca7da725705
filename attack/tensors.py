"""From images to torch: pixels as floats, and the seed, device and threads of a piece of work."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from distributed import get_worker
from torch import Tensor

from attack.images import Images


def as_floats(images: Images) -> Tensor:
    """Return pixels in 0..1, shape (n, channels, height, width), 32-bit floats."""
    return torch.from_numpy(images.pixels).float().div_(255)


def derived_seed(*parts: object) -> int:
    """Return a seed that depends on every part and on nothing else, 0 to 2^31 - 1."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def own_device() -> torch.device:
    """Return the GPU of this worker if there are any, else the CPU.

    Workers of a cluster on one machine are numbered; they take the GPUs in turn.
    """
    gpus = torch.cuda.device_count()
    if not gpus:
        return torch.device("cpu")
    try:
        number = int(str(get_worker().name))
    except ValueError:  # no worker, or one with a name of its own
        number = 0
    return torch.device("cuda", number % gpus)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute on so many threads for a while; their number decides how sums round."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
