"""Which maps are held: random subsets, and the worst one that a search with the ridge finds."""

from collections.abc import Callable, Sequence

import numpy as np

from attack.tensors import derived_seed

CANDIDATES = 8
"""Random subsets among which the search looks, beside the one of the best single maps."""

Score = Callable[[Sequence[int]], float]
"""From held maps to the SSIM that a quick attacker reaches."""


def random_subset(maps: int, count: int, *seeds: object) -> tuple[int, ...]:
    """Return so many maps, drawn without repetition, in increasing order.

    Parameters
    ----------
    maps : int
        From which to draw, 0 .. maps - 1.
    count : int
        How many.
    *seeds : object
        Same seeds, same subset.
    """
    draw = np.random.default_rng(derived_seed("subset", maps, count, *seeds))
    return tuple(sorted(draw.permutation(maps)[:count].tolist()))


def worst_subset(
    maps: int, count: int, score: Score, single: Sequence[float], seed: int
) -> tuple[int, ...]:
    """Return the subset from which a quick attacker recovers most, among likely ones.

    The candidates are the maps that give most away alone, and random subsets.

    Parameters
    ----------
    maps, count : int
        Maps of the layer, and how many are held.
    score : callable
        The quick attacker.
    single : sequence of float
        Its score of each map alone.
    seed : int
        Of the random candidates.
    """
    best_alone = tuple(sorted(np.argsort(-np.asarray(single), kind="stable")[:count].tolist()))
    drawn = [random_subset(maps, count, "search", seed, k) for k in range(CANDIDATES)]
    candidates = list(dict.fromkeys([best_alone, *drawn]))
    if count == 1:
        return best_alone
    return max(candidates, key=score)
