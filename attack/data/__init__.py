"""Load images: folders, zips, IDX files, CIFAR-10 batches, and the images that ship."""

from attack.data.load import load_images

__all__ = ["load_images"]
