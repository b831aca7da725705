"""Photos larger than the network's image, cut into tiles that share none of their pixels."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attack.data.file_tree import FileTree, Parts
from attack.data.image_files import SUFFIXES, as_pixels, check_headers, decode, is_image
from attack.data.size_limits import require_room
from attack.images import Images
from optmodel.ground.rule_errors import InputError
from optmodel.problem import Network

LEAST_DEVIATION = 20
"""Standard deviation of a tile's pixels below which it is dropped: sky is too easy to recover."""
THUMBNAIL_SIDE = 16
"""Pixels."""
LEAST_LIKENESS = 0.99
"""Correlation of the thumbnails of one picture in two sizes; of 50 photos at 500 and 1,500 pixels
they had 0.9995 at least, two different ones 0.88 at most."""


def read_tiles(tree: FileTree, network: Network) -> Images:
    """Cut every photo of a folder into tiles of the network's size; photo is group and class.

    Raises
    ------
    InputError
        If there are no photos, one is unusable or too small, two show the same picture, or fewer
        than two have detail.
    """
    photos = [parts for parts in tree.files if is_image(parts[0])]
    _require_names(tree, photos)
    check_headers(tree.title(), [(tree, parts) for parts in photos], network)
    thumbnails = _Thumbnails(tree, len(photos))
    tiles: dict[str, NDArray[np.uint8]] = {}
    for parts in photos:
        photo = decode(tree.read(parts), tree.title(parts), network)
        thumbnails.add(photo, parts)
        found = _rough(_cut(as_pixels(photo), tree.title(parts), network))
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


def _require_names(tree: FileTree, photos: list[Parts]) -> None:
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


class _Thumbnails:
    """Small grey copies of the photos so far, in which a photo is known again at another size."""

    def __init__(self, tree: FileTree, most: int) -> None:
        self.tree = tree
        self.seen: list[Parts] = []
        self.copies = np.zeros((most, THUMBNAIL_SIDE**2))

    def add(self, photo: Image.Image, parts: Parts) -> None:
        """Refuse a photo that shows what another does: tiles of both would be split apart."""
        small = photo.convert("L").resize((THUMBNAIL_SIDE,) * 2, Image.Resampling.BOX)
        values = np.asarray(small, dtype=np.float64).ravel()
        values -= values.mean()
        values /= max(float(np.linalg.norm(values)), 1.0)
        alike = np.flatnonzero(self.copies @ values >= LEAST_LIKENESS)
        if len(alike):
            raise InputError(
                f"{self.tree.title(parts)}: expected photos of different things, got the picture "
                f"of '{self.seen[alike[0]][0]}' again, in this or another size; keep one of each "
                "such two"
            )
        self.copies[len(self.seen)] = values
        self.seen.append(parts)


def _cut(photo: NDArray[np.uint8], title: str, network: Network) -> NDArray[np.uint8]:
    """Return a photo's tiles, row by row, shape (n, channels, height, width)."""
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
