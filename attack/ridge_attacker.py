"""The ridge attacker: every patch of pixels as a linear function of the maps around it.

The closed form costs seconds, needs no tuning but one penalty, and cannot diverge: it screens
subsets of maps, and serves quick checks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from attack.metrics import in_batches, ssim
from attack.received_maps import Alignment

NEIGHBOURHOOD = 5
"""Side of the patch of a map that a pixel is explained by; 3 where many maps are held."""
MANY_MAPS = 24
MOST_EQUATIONS = 200_000
PENALTIES = (1e-4, 1e-2, 1.0)
"""Relative to the mean diagonal of the normal equations."""
CHUNK = 32
"""Images whose patches are unfolded at a time."""

Recovery = Callable[[Tensor], Tensor]
"""From what is received, (n, channels, height, width), to images in 0..1."""


@dataclass(frozen=True)
class MapImagePairs:
    """What is received and the images that it came from.

    Attributes
    ----------
    features : Tensor
        Shape (n, channels, height, width).
    images : Tensor
        Shape (n, channels, height, width), values in 0..1.
    """

    features: Tensor
    images: Tensor


def fit_ridge(train: MapImagePairs, validation: MapImagePairs, aligned: Alignment) -> Recovery:
    """Solve for the linear recovery, and keep the penalty that does best in validation.

    Parameters
    ----------
    train, validation : MapImagePairs
        Of the attacker.
    aligned : Alignment
        Where the maps lie on the image.
    """
    side = NEIGHBOURHOOD if train.features.shape[1] <= MANY_MAPS else 3
    mean, scale = standardisation(train.features)

    def patches(features: Tensor) -> Tensor:
        return _patches((features.float() - mean) / scale, aligned, side)

    gram, moment = _normal_equations(train, patches, aligned)
    shape = validation.images.shape[1:]
    recoveries = [
        _recovery(_solve(gram, moment, penalty), patches, aligned, shape) for penalty in PENALTIES
    ]
    scores = [
        in_batches(ssim, recover(validation.features), validation.images).mean()
        for recover in recoveries
    ]
    return recoveries[max(range(len(scores)), key=scores.__getitem__)]


def standardisation(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel, shapes (1, channels, 1, 1).

    A channel that never changes gets deviation 1.
    """
    count = features.numel() / features.shape[1]
    mean, squares = torch.zeros(2, features.shape[1], dtype=torch.float64)
    for chunk in features.split(CHUNK):
        mean += chunk.double().sum(dim=(0, 2, 3)) / count
        squares += (chunk.double() ** 2).sum(dim=(0, 2, 3)) / count
    deviation = (squares - mean**2).clamp(min=0).sqrt()
    scale = torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation))
    return mean.float().reshape(1, -1, 1, 1), scale.float().reshape(1, -1, 1, 1)


def _patches(features: Tensor, aligned: Alignment, side: int) -> Tensor:
    """Return one row per position: the values around it and a one."""
    padded = functional.pad(features, [aligned.border] * 4)
    rows = functional.unfold(padded, side, padding=side // 2).transpose(1, 2).flatten(0, 1)
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)


def _blocks(images: Tensor, aligned: Alignment, positions: int) -> Tensor:
    """Return one row per position: the pixels of the block that belongs to it."""
    size = positions * aligned.stride
    extra = size - images.shape[2]
    padded = functional.pad(images, [0, extra, 0, extra], mode="replicate") if extra else images
    unfolded = functional.unfold(padded, aligned.stride, stride=aligned.stride)
    return unfolded.transpose(1, 2).flatten(0, 1)


def _normal_equations(
    train: MapImagePairs, patches: Callable[[Tensor], Tensor], aligned: Alignment
) -> tuple[Tensor, Tensor]:
    positions = train.features.shape[2] + 2 * aligned.border
    most = max(1, MOST_EQUATIONS // positions**2)
    gram: Tensor | float = 0.0
    moment: Tensor | float = 0.0
    pairs = zip(train.features[:most].split(CHUNK), train.images[:most].split(CHUNK), strict=True)
    for features, images in pairs:
        rows, targets = patches(features), _blocks(images, aligned, positions)
        gram = gram + (rows.T @ rows).double()
        moment = moment + (rows.T @ targets).double()
    assert isinstance(gram, Tensor)
    assert isinstance(moment, Tensor)
    return gram, moment


def _solve(gram: Tensor, moment: Tensor, penalty: float) -> Tensor:
    weight = penalty * gram.diagonal().mean()
    return torch.linalg.solve(
        gram + weight * torch.eye(len(gram), dtype=gram.dtype), moment
    ).float()


def _recovery(
    weights: Tensor, patches: Callable[[Tensor], Tensor], aligned: Alignment, shape: torch.Size
) -> Recovery:
    def recover(features: Tensor) -> Tensor:
        return torch.cat([recover_chunk(chunk) for chunk in features.split(CHUNK)])

    def recover_chunk(features: Tensor) -> Tensor:
        positions = features.shape[2] + 2 * aligned.border
        rows = patches(features) @ weights
        blocks = rows.reshape(len(features), positions**2, -1).transpose(1, 2)
        size = positions * aligned.stride
        images = functional.fold(blocks, size, aligned.stride, stride=aligned.stride)
        return images[:, :, : shape[1], : shape[2]].clamp(0, 1)

    return recover
