"""What a network takes: image size, and how many images fit."""

from optmodel.files import InputError
from optmodel.network import Network

MAX_BYTES = 4_000_000_000
"""Of all pixels of one source."""


def require_size(name: str, shape: tuple[int, ...], network: Network) -> None:
    """Refuse images that are stored in another shape (channels, height, width) than the network's.

    Raises
    ------
    InputError
        Naming both sizes.
    """
    wanted = (network.image_channels, network.image_height, network.image_width)
    if shape != wanted:
        raise InputError(
            f"{name}: expected images of {_size(*wanted)} for the network '{network.id}', got "
            f"{_size(*shape)}; name other images (a folder with one sub-folder "
            "for each class is resized) or another network"
        )


def _size(channels: int, height: int, width: int) -> str:
    return f"{channels} channel{'s' if channels > 1 else ''} of {height}x{width} pixels"


def require_room(name: str, images: int, image_bytes: int) -> None:
    """Refuse more images than fit into memory.

    Raises
    ------
    InputError
        Naming the amount.
    """
    if images * image_bytes > MAX_BYTES:
        raise InputError(
            f"{name}: expected at most {MAX_BYTES / 1e9:.0f} GB of pixels, got "
            f"{images:,} images of {image_bytes:,} bytes; use fewer images"
        )
