"""Photos larger than the network's image, cut into tiles that share none of their pixels."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from attack.data.limits import require_room
from attack.data.pictures import SUFFIXES, as_pixels, decode, is_image
from attack.data.tree import Parts, Tree
from attack.images import Images
from optmodel.files import InputError
from optmodel.network import Network

LEAST_DEVIATION = 20
"""Standard deviation of a tile's pixels below which it is dropped: sky is too easy to recover."""


def read_tiles(tree: Tree, network: Network) -> Images:
    """Cut every photo of a folder into tiles of the network's size; photo is group and class.

    Raises
    ------
    InputError
        If there are no photos, one is unusable or too small, or fewer than two have detail.
    """
    photos = [parts for parts in tree.files if is_image(parts[0])]
    _require_names(tree, photos)
    tiles: dict[str, NDArray[np.uint8]] = {}
    for parts in photos:
        found = _rough(_cut(tree, parts, network))
        if len(found):
            tiles[_stem(parts)] = found
        require_room(tree.title(), sum(map(len, tiles.values())), found[0:1].nbytes)
    if len(tiles) < 2:
        raise InputError(
            f"{tree.title()}: expected at least two photos with detail, got {len(tiles)} of "
            f"{len(photos)}; add photos"
        )
    labels = np.repeat(np.arange(len(tiles)), [len(found) for found in tiles.values()])
    return Images(
        pixels=np.concatenate(list(tiles.values())),
        labels=labels,
        groups=labels.copy(),
        test=np.zeros(len(labels), dtype=np.bool_),
        classes=tuple(tiles),
        source=tree.path.resolve().name,
    )


def _require_names(tree: Tree, photos: list[Parts]) -> None:
    if not photos:
        raise InputError(
            f"{tree.title()}: expected images ({', '.join(SUFFIXES)}), got none; name a folder "
            "with one sub-folder of images for each class, or with photos"
        )
    twice = [stem for stem, count in Counter(map(_stem, photos)).items() if count > 1]
    if twice:
        raise InputError(
            f"{tree.title()}: expected one photo of each name, got two '{twice[0]}'; rename one"
        )


def _stem(parts: Parts) -> str:
    return parts[0].rpartition(".")[0]


def _cut(tree: Tree, parts: Parts, network: Network) -> NDArray[np.uint8]:
    """Return a photo's tiles, row by row, shape (n, channels, height, width)."""
    title = tree.title(parts)
    photo = as_pixels(decode(tree.read(parts), title, network))
    channels, height, width = photo.shape
    rows, columns = height // network.image_height, width // network.image_width
    if rows * columns < 2:
        raise InputError(
            f"{title}: expected a photo of at least two tiles of {network.image_height}x"
            f"{network.image_width} pixels, got {height}x{width}; sort the images into one "
            "sub-folder for each class, or remove it"
        )
    whole = photo[:, : rows * network.image_height, : columns * network.image_width]
    grid = whole.reshape(channels, rows, network.image_height, columns, network.image_width)
    tiles = grid.transpose(1, 3, 0, 2, 4)
    return tiles.reshape(-1, channels, network.image_height, network.image_width)


def _rough(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    deviations = np.array([tile.std() for tile in tiles])
    return tiles[deviations >= LEAST_DEVIATION]
