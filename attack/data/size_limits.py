"""What a network takes: image size, how many images fit, and how much is unpacked for them."""

from optmodel.ground.rule_errors import InputError
from optmodel.problem import Network

MAX_BYTES = 4_000_000_000
"""Of all pixels of one source."""
FREE_BYTES, BYTES_PER_BYTE = 1_000_000_000, 100
"""That an archive may unpack to, and that it may for each of its own bytes."""
FREE_PIXELS, PIXELS_PER_BYTE = 300_000_000, 50
"""That the image files of one source may hold, and that they may for each of their bytes.

A photo has up to 10 pixels per byte; a white PNG of 64 megapixels has 1,000.
"""


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


def require_unpackable(name: str, packed_bytes: int, unpacked_bytes: int) -> None:
    """Refuse an archive that unpacks to far more than it is large.

    Raises
    ------
    InputError
        Naming both amounts.
    """
    most = FREE_BYTES + BYTES_PER_BYTE * packed_bytes
    if unpacked_bytes > most:
        raise InputError(
            f"{name}: expected an archive of {packed_bytes:,} bytes to unpack to at most {most:,}, "
            f"got {unpacked_bytes:,}; pack only the images, or name the unpacked folder"
        )


def require_decodable(name: str, file_bytes: int, pixels: int) -> None:
    """Refuse image files that hold far more pixels, all together, than they are large.

    Raises
    ------
    InputError
        Naming both amounts.
    """
    most = FREE_PIXELS + PIXELS_PER_BYTE * file_bytes
    if pixels > most:
        raise InputError(
            f"{name}: expected at most {most:,} pixels in image files of {file_bytes:,} bytes, got "
            f"{pixels:,}; shrink the images, or name fewer"
        )
