"""Guesses that need no feature map: the mean image and the black image.

An attacker who recovers less than these has not been measured, it has failed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attack.metrics import Estimate, estimate, in_batches, psnr, ssim


@dataclass(frozen=True)
class BlindGuess:
    """A guess at every image.

    Attributes
    ----------
    name : {"mean image", "black image"}
        What it shows.
    image : Tensor
        Shape (1, channels, height, width), values in 0..1.
    """

    name: str
    image: Tensor

    def for_images(self, images: Tensor) -> Tensor:
        """Return the guess once per image."""
        return self.image.expand_as(images)

    def similarity(self, images: Tensor) -> Estimate:
        """Return the SSIM of the guess with the images."""
        return estimate(in_batches(ssim, self.for_images(images), images))

    def noise(self, images: Tensor) -> Estimate:
        """Return the PSNR of the guess with the images, in decibels."""
        return estimate(in_batches(psnr, self.for_images(images), images))


def blind_guesses(attacker_images: Tensor) -> list[BlindGuess]:
    """Return both guesses; the mean is that of the attacker's images."""
    mean = attacker_images.mean(dim=0, keepdim=True)
    return [BlindGuess("mean image", mean), BlindGuess("black image", torch.zeros_like(mean))]
