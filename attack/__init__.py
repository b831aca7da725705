"""Measure what a share of feature maps gives away of the image: data, victims, attackers."""

from typing import TYPE_CHECKING

from optmodel.ground.lazy_face import offer

if TYPE_CHECKING:
    from attack.data import load_images
    from attack.images import Images
    from attack.splits import split, spread, with_validation

__all__ = ["Images", "load_images", "split", "spread", "with_validation"]

offer(
    __name__,
    {
        "attack.data": "load_images",
        "attack.images": "Images",
        "attack.splits": "split spread with_validation",
    },
)
