"""Images sorted into one sub-folder for each class, below train/ and test/ or not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attack.data.file_tree import FileTree, Parts
from attack.data.image_files import SUFFIXES, as_pixels, check_headers, decode, is_image, resized
from attack.data.size_limits import require_room
from attack.images import Images
from optmodel.ground.rule_errors import InputError
from optmodel.problem import Network

SPLIT_NAMES = {"train", "test", "val", "valid", "validation"}
"""Folders that cannot be meant as classes."""


@dataclass(frozen=True)
class _ClassImage:
    """Where an image lies, and what the folders say about it."""

    tree: FileTree
    parts: Parts
    is_test: bool

    @property
    def label(self) -> str:
        return self.parts[0]

    @property
    def group(self) -> Parts:
        """The folder between class and image, whatever the class; else the image itself."""
        own = (*self.tree.root, *self.parts)
        return self.parts[1:2] if len(self.parts) == 3 else own


def read_class_folders(tree: FileTree, network: Network) -> Images:
    """Read `class/image` or `class/group/image`, resized to the network's image.

    Raises
    ------
    InputError
        If there are fewer than two classes, one is empty, or a file is no usable image.
    """
    entries = list(_entries(tree))
    classes = _classes(tree, entries)
    shape = (network.image_channels, network.image_height, network.image_width)
    require_room(tree.title(), len(entries), int(np.prod(shape)))
    check_headers(tree.title(), [(entry.tree, entry.parts) for entry in entries], network)
    pixels = np.empty((len(entries), *shape), dtype=np.uint8)
    for place, entry in zip(pixels, entries, strict=True):
        title = entry.tree.title(entry.parts)
        image = decode(entry.tree.read(entry.parts), title, network)
        place[:] = as_pixels(resized(image, network))
    labels = {name: number for number, name in enumerate(classes)}
    groups = {group: number for number, group in enumerate(sorted({e.group for e in entries}))}
    return Images(
        pixels=pixels,
        labels=np.array([labels[entry.label] for entry in entries], dtype=np.int64),
        groups=np.array([groups[entry.group] for entry in entries], dtype=np.int64),
        test=np.array([entry.is_test for entry in entries], dtype=np.bool_),
        classes=classes,
        source=tree.path.resolve().name,
    )


def _entries(tree: FileTree) -> Iterator[_ClassImage]:
    """Yield the images of all classes, sorted by path."""
    folders = tree.subfolders()
    if SPLIT_NAMES.isdisjoint(name.lower() for name in folders):
        yield from _entries_of(tree, is_test=False)
        return
    if folders != ["test", "train"]:
        raise InputError(
            f"{tree.title()}: expected the folders 'train' and 'test', or one for each class, got "
            f"{_listed(folders)}; rename or move them"
        )
    for parts in tree.files:
        if len(parts) == 1 and is_image(parts[0]):
            _require_place(tree, parts)
    for name in folders:
        yield from _entries_of(tree.below(name), is_test=name == "test")


def _entries_of(tree: FileTree, is_test: bool) -> Iterator[_ClassImage]:
    filled = {parts[0] for parts in tree.files if len(parts) > 1}
    for name in tree.subfolders():
        if name not in filled:
            raise InputError(
                f"{tree.title((name,))}: expected images of the class '{name}', got none; add some "
                "or remove the folder"
            )
    for parts in tree.files:
        if len(parts) == 1 and not is_image(parts[0]):
            continue
        _require_place(tree, parts)
        yield _ClassImage(tree, parts, is_test)


def _require_place(tree: FileTree, parts: Parts) -> None:
    """Refuse what is no image or has no class; a text beside the class folders is no harm."""
    if not is_image(parts[-1]):
        raise InputError(
            f"{tree.title(parts)}: expected an image ({', '.join(SUFFIXES)}), got another kind of "
            "file; convert or remove it"
        )
    if len(parts) == 1:
        raise InputError(
            f"{tree.title(parts)}: expected images in class sub-folders, got one beside them; move "
            "it into one"
        )
    if len(parts) > 3:
        raise InputError(
            f"{tree.title(parts)}: expected class/image or class/group/image, got "
            f"{len(parts) - 1} folders; move it up"
        )


def _classes(tree: FileTree, entries: list[_ClassImage]) -> tuple[str, ...]:
    """Return the classes in order, of which at least two must have training images."""
    trained = {entry.label for entry in entries if not entry.is_test}
    unseen = {entry.label for entry in entries} - trained
    if unseen:
        raise InputError(
            f"{tree.title(('train',))}: expected every class of 'test', got no "
            f"{_listed(sorted(unseen))}; add images or remove the class from 'test'"
        )
    if len(trained) < 2:
        raise InputError(
            f"{tree.title()}: expected sub-folders for at least two classes, got "
            f"{_listed(sorted(trained)) or 'none'}; sort the images into "
            "classes, or name the folder of photos itself"
        )
    return tuple(sorted(trained))


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
