"""Split images into parts that share no person and no photo, and draw some evenly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attack.images import Images
from optmodel.ground.rule_errors import InputError

VICTIM_SHARE = 0.5
ATTACKER_SHARE = 0.3
EVALUATION_SHARE = 0.2
LEAST_IMAGES = 30
"""Of attacker and evaluation: fewer have no normally distributed mean, nor a validation."""
LEAST_GROUPS = 4
"""Persons or photos of which some can be kept whole for the validation."""
VALIDATING_GROUPS = 3
"""Of these that validate at least, where that is no more than a quarter of all."""


@dataclass(frozen=True, eq=False)
class ImageSplits:
    """Who sees which images."""

    victim: Images
    """Train the victim."""
    attacker: Images
    """Train the attacker, who splits its own validation off."""
    evaluation: Images
    """Nobody trains on them: the victim's accuracy and the attacker's SSIM are measured here."""


def split(images: Images, seed: int, most_evaluation: int = 500) -> ImageSplits:
    """Split images into three parts, none empty, no group in two of them.

    Where the source names test data, the evaluation comes from these alone, and victim and attacker
    halve the other images whose group is not among them. Otherwise they get about 50, 30 and
    20 %; what the evaluation does not need goes to the two others. Classes are spread evenly
    as far as the groups allow. Each part comes in the order of `spread`: its first images, however
    many, are of all classes and groups.

    Parameters
    ----------
    images : Images
        What to split.
    seed : int
        Draws who gets what; equal seeds give equal parts.
    most_evaluation : int
        Most images for the evaluation.

    Raises
    ------
    InputError
        If there are too few groups.
    """
    generator = np.random.default_rng(seed)
    everything = np.arange(len(images))
    if images.test.any():
        evaluation = everything[images.test]
        others = everything[~np.isin(images.groups, images.groups[images.test])]
        victim, attacker = _deal(images, others, (0.5, 0.5), generator)
    else:
        share = min(EVALUATION_SHARE, most_evaluation / max(len(images), 1))
        trained = (1 - share) / (VICTIM_SHARE + ATTACKER_SHARE)
        shares = (VICTIM_SHARE * trained, ATTACKER_SHARE * trained, share)
        victim, attacker, evaluation = _deal(images, everything, shares, generator)
    return ImageSplits(
        _drawn(images.take(victim), len(victim), seed),
        _drawn(images.take(attacker), len(attacker), seed),
        _drawn(images.take(evaluation), most_evaluation, seed),
    )


def require_enough(splits: ImageSplits) -> None:
    """Refuse parts of which no figure would mean anything: interval and validation take some.

    Raises
    ------
    InputError
        Naming how many there are and how many it takes.
    """
    for name, part in (("attacker", splits.attacker), ("evaluation", splits.evaluation)):
        if len(part) < LEAST_IMAGES:
            raise InputError(
                f"{part.source}: expected at least {LEAST_IMAGES} images for the {name}, got "
                f"{len(part)}; add images: without test data the evaluation gets one in five"
            )
    if len(np.unique(splits.evaluation.groups)) < 2:
        raise InputError(
            f"{splits.evaluation.source}: expected images of at least two persons or photos for "
            "the evaluation, got those of one, which tell nothing of others; add images"
        )


def spread(images: Images, count: int, seed: int) -> NDArray[np.int64]:
    """Draw images evenly over the classes and, within each class, evenly over the groups.

    The first k of the images drawn are as even as all of them, for every k: of two classes, or
    two groups of one class, that have images left, neither has two more than the other.

    Parameters
    ----------
    images : Images
        Of which to draw, in any order.
    count : int
        How many; all where there are fewer.
    seed : int
        Draws which; equal seeds give equal indices.

    Returns
    -------
    ndarray of int64, shape (min(count, n),)
        Indices into `images`, none twice.
    """
    generator = np.random.default_rng(seed)
    groups = np.unique(images.groups, return_inverse=True)[1]
    of_class = images.labels * len(images) + groups
    drawn = generator.permutation(len(images))
    drawn = drawn[np.argsort(_repetitions(of_class[drawn]), kind="stable")]
    turns = _repetitions(images.labels[drawn])
    return drawn[np.lexsort((generator.permutation(len(images)), turns))][:count]


def _repetitions(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value came before."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    repetitions = np.empty(len(values), dtype=np.int64)
    repetitions[order] = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    return repetitions


def _drawn(images: Images, count: int, seed: int) -> Images:
    return images.take(spread(images, count, seed))


def with_validation(images: Images, share: float, seed: int) -> tuple[Images, Images]:
    """Split images into those to train on and those to validate on, whole groups each.

    Parameters
    ----------
    images : Images
        At least two.
    share : float
        Of the groups that validate, 0..1; three groups at least, but no more than a quarter of
        all if that is more than the share. With fewer than four groups, images validate, of
        groups that are also trained on.
    seed : int
        Draws which; equal seeds give equal parts.

    Returns
    -------
    training, validation : Images
        Neither empty, both in the order of `spread`.
    """
    mixed = _drawn(images, len(images), seed)
    found, first, members = np.unique(mixed.groups, return_index=True, return_inverse=True)
    if len(found) < LEAST_GROUPS:
        units, turns = len(images), np.arange(len(images))
        validating = round(share * units)
    else:
        units, turns = len(found), np.argsort(np.argsort(first))[members]
        validating = max(round(share * units), min(VALIDATING_GROUPS, units // LEAST_GROUPS))
    chosen = turns < min(max(validating, 1), units - 1)
    return mixed.take(np.flatnonzero(~chosen)), mixed.take(np.flatnonzero(chosen))


def _deal(
    images: Images,
    indices: NDArray[np.int64],
    shares: Sequence[float],
    generator: np.random.Generator,
) -> list[NDArray[np.int64]]:
    """Deal whole groups, the largest first, each to the part that lacks most of its share.

    That is its share of the group's class and of all images, added up. Groups of one size come
    class by class.
    """
    numbers, first, members, sizes = np.unique(
        images.groups[indices], return_index=True, return_inverse=True, return_counts=True
    )
    _require_groups(images, len(numbers), len(shares))
    shuffled = generator.permutation(len(numbers))
    labels = images.labels[indices][first]
    order = shuffled[np.lexsort((labels[shuffled], -sizes[shuffled]))]
    dealt = np.empty(len(numbers), dtype=np.int64)
    of_class = np.bincount(labels, sizes, len(images.classes))
    filled = np.zeros((2, len(images.classes), len(shares)))
    for group in order:
        label, size = labels[group], sizes[group]
        part = int(np.argmin(filled[:, label].sum(axis=0)))
        dealt[group] = part
        filled[0, label, part] += size / of_class[label] / shares[part]
        filled[1, :, part] += size / len(indices) / shares[part]
    return [indices[dealt[members] == part] for part in range(len(shares))]


def _require_groups(images: Images, groups: int, parts: int) -> None:
    if groups < parts:
        beside = " beside the test data and of nobody who is in it" if parts == 2 else ""
        raise InputError(
            f"{images.source}: expected images of at least {parts} persons or photos{beside}, so "
            f"that no two of victim, attacker and evaluation share one, got {groups}; add images"
        )
