"""Load images: folders, zips, IDX files, CIFAR-10 batches, and the images that ship."""

from attack.data.image_loader import load_images

__all__ = ["load_images"]
