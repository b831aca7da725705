"""How much of an image a recovery shows: SSIM, PSNR, and intervals over images."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

SIGMA = 1.5
"""Of the Gaussian window of SSIM, in pixels."""
RADIUS = 5
"""Of that window, cut at 3.5 sigma: 11 x 11 pixels."""
DATA_RANGE = 1.0
"""Of pixels: from black, 0, to white, 1."""
K1, K2 = 0.01, 0.03
"""The two constants of SSIM."""
SSIM_DEFINITION = (
    "Gaussian window, sigma 1.5, 11 x 11; data_range 1; K1 0.01, K2 0.03; biased covariance; mean "
    "over the pixels whose window lies in the image, then over the channels"
)
"""What is written beside every measured value."""
Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def ssim(one: Tensor, other: Tensor) -> Tensor:
    """Return the structural similarity of each pair of images.

    Parameters
    ----------
    one, other : Tensor
        Images of shape (n, channels, height, width), at least 11 x 11, values in 0..1.

    Returns
    -------
    Tensor
        Shape (n,), no unit; differentiable. The definition is `SSIM_DEFINITION` (Wang et al.,
        "Image quality assessment: from error visibility to structural similarity", 2004).
    """
    count = one.shape[0]
    stacked = torch.cat([one, other, one * one, other * other, one * other])
    mean_1, mean_2, square_1, square_2, product = _blur(stacked).split(count)
    covariance = product - mean_1 * mean_2
    variances = square_1 - mean_1**2 + square_2 - mean_2**2
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    above = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    below = (mean_1**2 + mean_2**2 + c1) * (variances + c2)
    return (above / below).mean(dim=(1, 2, 3))


def _blur(images: Tensor) -> Tensor:
    """Return the Gaussian mean around every pixel whose window lies in the image."""
    at = torch.arange(-RADIUS, RADIUS + 1, dtype=images.dtype, device=images.device)
    window = torch.exp(-0.5 * (at / SIGMA) ** 2)
    window = window / window.sum()
    count, channels, height, width = images.shape
    flat = images.reshape(count * channels, 1, height, width)
    rows = functional.conv2d(flat, window.reshape(1, 1, -1, 1))
    both = functional.conv2d(rows, window.reshape(1, 1, 1, -1))
    return both.reshape(count, channels, *both.shape[2:])


def psnr(one: Tensor, other: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each pair of images, in decibels, at most 100.

    Parameters
    ----------
    one, other : Tensor
        Images of shape (n, channels, height, width), values in 0..1.
    """
    error = ((one - other) ** 2).mean(dim=(1, 2, 3))
    return -10 * torch.log10(error.clamp(min=1e-10))


def in_batches(
    measure: Callable[[Tensor, Tensor], Tensor], one: Tensor, other: Tensor, size: int = 128
) -> NDArray[np.float64]:
    """Apply a measure of pairs to many images, a batch at a time; in 64-bit floats."""
    with torch.no_grad():
        pairs = zip(one.double().split(size), other.double().split(size), strict=True)
        parts = [measure(a, b) for a, b in pairs]
    return torch.cat(parts).numpy()


@dataclass(frozen=True)
class Estimate:
    """A mean over images with its 95 % confidence interval.

    Attributes
    ----------
    mean, low, high : float
        Mean, and the limits within which it lies with 95 % confidence.
    """

    mean: float
    low: float
    high: float


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Return the mean of at least two values with its interval, by the central limit theorem."""
    mean = float(np.mean(values))
    half = Z_95 * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)


def share_estimate(hits: NDArray[np.bool_]) -> Estimate:
    """Return the share of true values with its Wilson score interval."""
    count, share = len(hits), float(np.mean(hits))
    below = 1 + Z_95**2 / count
    centre = (share + Z_95**2 / (2 * count)) / below
    half = Z_95 / below * math.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))
