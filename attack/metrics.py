"""How much of an image a recovery shows: SSIM, PSNR, and intervals over images."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor
from torch.nn import functional

from instances.measured import CONFIDENCE, ConfidenceInterval

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
RESAMPLES = 4_000
"""Of the bootstrap."""
DIGITS = 4
"""Of what is recorded of an interval."""


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

    Both have the shape (n, channels, height, width) and values in 0..1.
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


def estimate(values: NDArray[np.float64], groups: NDArray[np.int64]) -> ConfidenceInterval:
    """Return the mean over images with its interval, by a bootstrap over groups.

    Images of one photo or one person are alike, so whole groups are drawn. The quantiles are
    widened for few groups by Student's t (the expanded percentile interval of Hesterberg, "What
    Teachers Should Know about the Bootstrap", 2015); limits never leave the range of the values.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        One value per image.
    groups : ndarray of int64, shape (n,)
        Photo or person of each image; at least two different ones.

    Raises
    ------
    ValueError
        If all images are of one group, which tells nothing of others.
    """
    members = np.unique(groups, return_inverse=True)[1]
    sizes, sums = np.bincount(members), np.bincount(members, values).astype(np.float64)
    count = len(sizes)
    if count < 2:
        raise ValueError("images of one group: expected at least two")
    means = np.sort(_resampled_means(sizes, sums))
    wider = math.sqrt(count / (count - 1))
    below = stats.norm.cdf(stats.t.ppf((1 - CONFIDENCE) / 2, count - 1) * wider)
    low, high = np.quantile(means, [below, 1 - below])
    mean = float(np.mean(values))
    return _rounded(mean, min(mean, float(low)), max(mean, float(high)))


def _rounded(mean: float, low: float, high: float) -> ConfidenceInterval:
    """Return an interval with four decimals, its limits rounded outwards."""
    unit = 10**DIGITS
    return ConfidenceInterval(
        mean=round(mean, DIGITS),
        low=math.floor(low * unit) / unit,
        high=math.ceil(high * unit) / unit,
    )


def _resampled_means(sizes: NDArray[np.int64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over images in each of many draws of as many groups, with replacement."""
    generator = np.random.default_rng(len(sizes))
    draws = generator.integers(len(sizes), size=(RESAMPLES, len(sizes)))
    means: NDArray[np.float64] = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    return means


def share_estimate(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> ConfidenceInterval:
    """Return the share of true values with its Wilson score interval.

    Images of one group are alike, so they count for fewer: for as many independent ones as have
    the variance of the share between groups (Kish's effective sample size), and for one per group
    where all values are equal.
    """
    count, share = _independent(hits, groups), float(np.mean(hits))
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    below = 1 + z**2 / count
    centre = (share + z**2 / (2 * count)) / below
    half = z / below * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return _rounded(share, max(0.0, centre - half), min(1.0, centre + half))


def _independent(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Return how many independent images tell as much of the share as these do."""
    members = np.unique(groups, return_inverse=True)[1]
    count, share = members.max() + 1, float(np.mean(hits))
    if count == len(hits):
        return float(count)
    off = np.bincount(members, hits - share)
    variance = float((off**2).sum()) * count / max(1, count - 1) / len(hits) ** 2
    if not variance:
        return float(count)
    return float(np.clip(share * (1 - share) / variance, min(count, 1), len(hits)))
