"""Load images of whatever kind a path names."""

from pathlib import Path

from attack.data.cifar_batches import NAMES as BATCH_NAMES
from attack.data.cifar_batches import holds_batches, read_batches
from attack.data.class_folders import read_class_folders
from attack.data.file_tree import FileTree, open_tree
from attack.data.idx_files import NAMES as IDX_NAMES
from attack.data.idx_files import holds_idx, read_idx_folder
from attack.data.image_files import is_image
from attack.data.photo_tiles import read_tiles
from attack.data.shipped_images import load_shipped
from attack.images import Images
from optmodel.ground.rule_errors import InputError
from optmodel.problem import Network

KINDS = (
    "a folder or .zip of images with one sub-folder for each class, a folder of photos, or a "
    "folder with IDX files or CIFAR-10 batches"
)


def load_images(path: Path | None, network: Network) -> Images:
    """Load images for a network, in an order that does not depend on the file system.

    Parameters
    ----------
    path : Path or None
        A folder or .zip with one sub-folder of images for each class, possibly below train/ and
        test/; a folder or .zip of photos, which are cut into tiles; a folder with IDX files or
        with CIFAR-10 batches; None for the subset of Fashion-MNIST that ships.
    network : Network
        Tells size and channels of the images.

    Raises
    ------
    InputError
        If the images cannot be used; the message names the file.
    """
    if path is None:
        return load_shipped(network)
    if path.is_dir() and holds_idx(path):
        return read_idx_folder(path, network)
    if path.is_dir() and holds_batches(path):
        return read_batches(path, network)
    if not path.is_dir():
        _require_archive(path)
    with open_tree(path) as tree:
        inner = _unwrapped(tree)
        read = read_class_folders if inner.subfolders() else read_tiles
        return read(inner, network)


def _require_archive(path: Path) -> None:
    """Refuse what is neither a folder nor an archive, and name what should be named instead."""
    if not path.exists():
        raise InputError(f"{path}: expected {KINDS}, got nothing; check the name")
    if path.name.removesuffix(".gz") in IDX_NAMES or path.name in BATCH_NAMES:
        raise InputError(
            f"{path}: expected the folder that holds it and its like, got one file; name "
            f"'{path.parent}'"
        )
    if path.suffix.lower() != ".zip":
        raise InputError(f"{path}: expected {KINDS}, got another file; name one of these")


def _unwrapped(tree: FileTree) -> FileTree:
    """Return the only folder of a tree if it holds nothing but folders: the name of an archive."""
    folders = tree.subfolders()
    if len(folders) != 1 or _has_images(tree):
        return tree
    inner = tree.below(folders[0])
    return tree if _has_images(inner) or not inner.subfolders() else _unwrapped(inner)


def _has_images(tree: FileTree) -> bool:
    return any(len(parts) == 1 and is_image(parts[0]) for parts in tree.files)
