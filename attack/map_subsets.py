"""Which maps are held: random subsets, and the worst one that a search with the ridge finds."""

from collections.abc import Callable, Sequence

import numpy as np

from attack.tensors import derived_seed

CANDIDATES = 8
"""Random subsets among which the search looks, beside the one of the best single maps."""

Score = Callable[[Sequence[int]], float]
"""From held maps to the SSIM that a quick attacker reaches."""


def random_subset(maps: int, count: int, *seeds: object) -> tuple[int, ...]:
    """Return so many of the maps 0 .. maps - 1, in increasing order; same seeds, same subset."""
    draw = np.random.default_rng(derived_seed("subset", maps, count, *seeds))
    return tuple(sorted(draw.permutation(maps)[:count].tolist()))


def worst_subset(
    maps: int, count: int, score: Score, single: Sequence[float], seed: int
) -> tuple[int, ...]:
    """Return the subset from which a quick attacker recovers most, among likely ones.

    The candidates are the maps that give most away alone, by their `single` scores, and random
    subsets.
    """
    best_alone = tuple(sorted(np.argsort(-np.asarray(single), kind="stable")[:count].tolist()))
    drawn = [random_subset(maps, count, "search", seed, k) for k in range(CANDIDATES)]
    candidates = list(dict.fromkeys([best_alone, *drawn]))
    if count == 1:
        return best_alone
    return max(candidates, key=score)
