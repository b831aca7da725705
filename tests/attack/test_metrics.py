"""SSIM and PSNR are scikit-image's; intervals are those of the textbooks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from attack.metrics import estimate, in_batches, psnr, share_estimate, ssim


def pairs(seed: int, channels: int, height: int, width: int, likeness: float, count: int = 3):
    """Images of noise and others that share so much with them."""
    draw = np.random.default_rng(seed)
    one, other = draw.random((2, count, channels, height, width))
    return one, likeness * one + (1 - likeness) * other


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 3]),
    st.integers(11, 33),
    st.integers(11, 33),
    st.floats(0, 1),
)
def test_ssim_and_psnr_are_those_of_scikit_image(seed, channels, height, width, likeness):
    one, other = pairs(seed, channels, height, width, likeness)
    got = in_batches(ssim, torch.from_numpy(one), torch.from_numpy(other), size=2)
    noise = in_batches(psnr, torch.from_numpy(one), torch.from_numpy(other))
    for k in range(len(one)):
        expected = structural_similarity(
            one[k],
            other[k],
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=0,
        )
        assert got[k] == pytest.approx(expected, abs=1e-9)
        if likeness < 0.99:
            expected_noise = peak_signal_noise_ratio(one[k], other[k], data_range=1)
            assert noise[k] == pytest.approx(expected_noise, abs=1e-9)


def test_single_precision_agrees_with_double():
    one, other = (torch.from_numpy(images) for images in pairs(0, 3, 32, 32, 0.5))
    assert torch.allclose(ssim(one.float(), other.float()).double(), ssim(one, other), atol=1e-4)


def test_equal_images_are_wholly_similar_and_the_noise_is_bounded():
    images = torch.rand(4, 3, 16, 20)
    assert torch.allclose(ssim(images, images), torch.ones(4), atol=1e-4)
    assert psnr(images, images).tolist() == [100] * 4


def test_ssim_can_be_climbed():
    images = torch.rand(2, 1, 12, 12)
    guess = torch.full_like(images, 0.5, requires_grad=True)
    before = ssim(guess, images).mean()
    (slope,) = torch.autograd.grad(before, guess)
    after = ssim(guess + 0.1 * slope / slope.norm(), images).mean()
    assert after > before


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (8, 10, 0.4901, 0.9434),
        (0, 10, 0.0, 0.2776),
        (10, 10, 0.7224, 1.0),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_shares_have_wilson_intervals(hits, count, low, high):
    """Limits with four decimals, rounded outwards."""
    got = share_estimate(np.arange(count) < hits, np.arange(count))
    assert (got.mean, got.low, got.high) == (hits / count, low, high)


def test_means_over_images_of_their_own_have_nearly_normal_intervals():
    got = estimate(np.tile([0.0, 1.0], 50), np.arange(100))
    half = 1.96 * np.sqrt(25 / 99) / 10
    assert (got.mean, got.low, got.high) == pytest.approx((0.5, 0.5 - half, 0.5 + half), abs=0.011)


@pytest.mark.parametrize(("groups", "size"), [(40, 1), (9, 20)])
def test_intervals_hold_the_mean_nineteen_times_in_twenty(groups, size):
    """Also where the images of a photo share most of what they deviate by."""
    draw = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        shared = np.repeat(draw.random(groups), size)
        values = 0.9 * shared + 0.1 * draw.random(groups * size)
        got = estimate(values, np.repeat(np.arange(groups), size))
        held += got.low <= 0.5 <= got.high
    assert 0.91 <= held / 300 <= 0.985


def test_images_of_one_photo_do_not_narrow_an_interval():
    """500 tiles of 9 photos tell of 9 photos, not of 500."""
    draw = np.random.default_rng(1)
    values, photos = np.repeat(draw.random(9), 55), np.repeat(np.arange(9), 55)
    as_photos, as_tiles = estimate(values, photos), estimate(values, np.arange(len(values)))
    assert as_photos.high - as_photos.low > 4 * (as_tiles.high - as_tiles.low)
    hits = values > 0.5
    shares, of_tiles = share_estimate(hits, photos), share_estimate(hits, np.arange(len(hits)))
    assert shares.high - shares.low > 4 * (of_tiles.high - of_tiles.low)


def test_limits_never_leave_the_range_of_the_values():
    """Two images, one wholly similar: no limit above 1."""
    got = estimate(np.array([1.0, 0.2]), np.arange(2))
    assert (got.low, got.mean, got.high) == pytest.approx((0.2, 0.6, 1.0))


def test_images_of_one_group_have_no_interval():
    with pytest.raises(ValueError, match="images of one group"):
        estimate(np.array([0.1, 0.2]), np.zeros(2, dtype=np.int64))


def test_equal_hits_of_few_photos_tell_of_as_few():
    photos = np.repeat(np.arange(5), 100)
    got = share_estimate(np.ones(500, dtype=np.bool_), photos)
    assert got.low == pytest.approx(share_estimate(np.ones(5, dtype=np.bool_), np.arange(5)).low)
