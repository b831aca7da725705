"""Guesses that need no feature map: the mean image, a black one, the one most similar to all.

An attacker who recovers less than these has not been measured, it has failed.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attack.images import Images
from attack.metrics import in_batches, ssim
from attack.tensors import as_floats, derived_seed

STEPS, RATE = 300, 0.1
"""Of the climb to the most similar image."""
BATCH_PIXELS, MOST_IN_BATCH, FEWEST_IN_BATCH = 32 * 32 * 32, 32, 4
"""Pixels of one of its steps, and how many images these may be: on large ones SSIM takes long."""


@dataclass(frozen=True)
class BlindGuess:
    """A guess at every image."""

    name: str
    """What it shows."""
    image: Tensor
    """Shape (1, channels, height, width), values in 0..1."""

    def for_images(self, images: Tensor) -> Tensor:
        """Return the guess once per image."""
        return self.image.expand_as(images)

    def similarity(self, images: Tensor) -> NDArray[np.float64]:
        """Return the SSIM of the guess with each image."""
        return in_batches(ssim, self.for_images(images), images)


def blind_guesses(known: Images, seed: int) -> tuple[BlindGuess, ...]:
    """Return what whoever knows the attacker's images can guess: their mean, black, the best.

    The seed is that of the order in which the best guess learns from them.
    """
    images = as_floats(known)
    mean = images.mean(dim=0, keepdim=True)
    return (
        BlindGuess("mean image", mean),
        BlindGuess("black image", torch.zeros_like(mean)),
        BlindGuess("most similar image", _most_similar(images, seed)),
    )


def _most_similar(images: Tensor, seed: int) -> Tensor:
    """Return the one image whose mean SSIM with all images is highest, climbed to from the mean."""
    draw = torch.Generator().manual_seed(derived_seed("blind", seed))
    level = images.mean(dim=0, keepdim=True).clamp(0.01, 0.99).logit().requires_grad_()
    optimizer = torch.optim.Adam([level], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    pixels = images.shape[2] * images.shape[3]
    size = min(MOST_IN_BATCH, max(FEWEST_IN_BATCH, BATCH_PIXELS // pixels))
    for _ in range(STEPS):
        batch = images[torch.randint(len(images), (size,), generator=draw)]
        loss = -ssim(level.sigmoid().expand_as(batch), batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return level.sigmoid().detach()
