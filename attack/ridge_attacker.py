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
from attack.received_maps import MapGeometry

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
    """What is received and the images that it came from."""

    features: Tensor
    """Shape (n, channels, height, width)."""
    images: Tensor
    """Shape (n, channels, height, width), values in 0..1."""

    def similarity_of(self, recover: Recovery) -> float:
        """Return the mean SSIM of the images with what is recovered of them."""
        return float(in_batches(ssim, recover(self.features), self.images).mean())


def fit_ridge(train: MapImagePairs, validation: MapImagePairs, geometry: MapGeometry) -> Recovery:
    """Solve for the linear recovery, and keep the penalty that does best in validation.

    The pairs are the attacker's.
    """
    side = NEIGHBOURHOOD if train.features.shape[1] <= MANY_MAPS else 3
    mean, scale = standardisation(train.features)

    def patches(features: Tensor) -> Tensor:
        return _patches((features.float() - mean) / scale, geometry, side)

    gram, moment = _normal_equations(train, patches, geometry)
    shape = validation.images.shape[1:]
    weights = (_solve(gram, moment, penalty) for penalty in PENALTIES)
    recoveries = [_recovery(one, patches, geometry, shape) for one in weights]
    return max(recoveries, key=validation.similarity_of)


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


def _patches(features: Tensor, geometry: MapGeometry, side: int) -> Tensor:
    """Return one row per position: the values around it and a one."""
    padded = functional.pad(features, [geometry.border] * 4)
    rows = functional.unfold(padded, side, padding=side // 2).transpose(1, 2).flatten(0, 1)
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)


def _blocks(images: Tensor, geometry: MapGeometry, positions: int) -> Tensor:
    """Return one row per position: the pixels of the block that belongs to it."""
    size = positions * geometry.stride
    extra = size - images.shape[2]
    padded = functional.pad(images, [0, extra, 0, extra], mode="replicate") if extra else images
    unfolded = functional.unfold(padded, geometry.stride, stride=geometry.stride)
    return unfolded.transpose(1, 2).flatten(0, 1)


def _normal_equations(
    train: MapImagePairs, patches: Callable[[Tensor], Tensor], geometry: MapGeometry
) -> tuple[Tensor, Tensor]:
    positions = train.features.shape[2] + 2 * geometry.border
    most = max(1, MOST_EQUATIONS // positions**2)
    gram = moment = torch.zeros((), dtype=torch.float64)
    pairs = zip(train.features[:most].split(CHUNK), train.images[:most].split(CHUNK), strict=True)
    for features, images in pairs:
        rows, targets = patches(features), _blocks(images, geometry, positions)
        gram = gram + (rows.T @ rows).double()
        moment = moment + (rows.T @ targets).double()
    return gram, moment


def _solve(gram: Tensor, moment: Tensor, penalty: float) -> Tensor:
    weight = penalty * gram.diagonal().mean()
    return torch.linalg.solve(
        gram + weight * torch.eye(len(gram), dtype=gram.dtype), moment
    ).float()


def _recovery(
    weights: Tensor, patches: Callable[[Tensor], Tensor], geometry: MapGeometry, shape: torch.Size
) -> Recovery:
    def recover(features: Tensor) -> Tensor:
        return torch.cat([recover_chunk(chunk) for chunk in features.split(CHUNK)])

    def recover_chunk(features: Tensor) -> Tensor:
        positions = features.shape[2] + 2 * geometry.border
        rows = patches(features) @ weights
        blocks = rows.reshape(len(features), positions**2, -1).transpose(1, 2)
        size = positions * geometry.stride
        images = functional.fold(blocks, size, geometry.stride, stride=geometry.stride)
        return images[:, :, : shape[1], : shape[2]].clamp(0, 1)

    return recover
