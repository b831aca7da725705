"""Split images into three parts that share no person and no photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attack.images import Images
from optmodel.files import InputError

VICTIM_SHARE = 0.5
ATTACKER_SHARE = 0.3
EVALUATION_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Splits:
    """Who sees which images.

    Attributes
    ----------
    victim : Images
        Train the victim.
    attacker : Images
        Train the attacker, who splits its own validation off.
    evaluation : Images
        Nobody trains on them: the victim's accuracy and the attacker's SSIM are measured here.
    """

    victim: Images
    attacker: Images
    evaluation: Images


def split(images: Images, seed: int, most_evaluation: int = 500) -> Splits:
    """Split images into three parts, none empty, no group in two of them.

    Where the source names test data, the evaluation comes from these alone, and victim and attacker
    halve the other images whose group is not among them. Otherwise they get about 50, 30 and
    20 %; what the evaluation does not need goes to the two others. Classes are spread evenly
    as far as the groups allow.

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
        parts = _deal(images, others, (0.5, 0.5), generator)
        victim, attacker = parts
    else:
        share = min(EVALUATION_SHARE, most_evaluation / max(len(images), 1))
        trained = (1 - share) / (VICTIM_SHARE + ATTACKER_SHARE)
        shares = (VICTIM_SHARE * trained, ATTACKER_SHARE * trained, share)
        victim, attacker, evaluation = _deal(images, everything, shares, generator)
    evaluation = _thinned(images, evaluation, most_evaluation, generator)
    return Splits(images.take(victim), images.take(attacker), images.take(evaluation))


def _deal(
    images: Images,
    indices: NDArray[np.int64],
    shares: Sequence[float],
    generator: np.random.Generator,
) -> list[NDArray[np.int64]]:
    """Deal whole groups, the largest first, each to the part that lacks most of its share.

    Groups of one size come class by class, so that every part gets its share of each class.
    """
    numbers, first, members, sizes = np.unique(
        images.groups[indices], return_index=True, return_inverse=True, return_counts=True
    )
    _require_groups(images, len(numbers), len(shares))
    shuffled = generator.permutation(len(numbers))
    labels = images.labels[indices][first]
    order = shuffled[np.lexsort((labels[shuffled], -sizes[shuffled]))]
    dealt = np.empty(len(numbers), dtype=np.int64)
    filled = [0] * len(shares)
    for group in order:
        part = min(range(len(shares)), key=lambda part: filled[part] / shares[part])
        dealt[group] = part
        filled[part] += int(sizes[group])
    return [indices[dealt[members] == part] for part in range(len(shares))]


def _require_groups(images: Images, groups: int, parts: int) -> None:
    if groups < parts:
        beside = " beside the test data and of nobody who is in it" if parts == 2 else ""
        raise InputError(
            f"{images.source}: expected images of at least {parts} persons or photos{beside}, so "
            f"that no two of victim, attacker and evaluation share one, got {groups}; add images"
        )


def _thinned(
    images: Images, indices: NDArray[np.int64], most: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return at most so many of the indices, drawn evenly over the classes."""
    if len(indices) <= most:
        return indices
    shuffled = generator.permutation(indices)
    by_class = shuffled[np.argsort(images.labels[shuffled], kind="stable")]
    chosen = np.linspace(0, len(indices), most, endpoint=False).astype(np.int64)
    return np.sort(by_class[chosen])
