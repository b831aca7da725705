"""Subsets are drawn from seeds; the worst is the worst of the candidates."""

from functools import partial

import pytest
from few_images import scene_of

from attack.cell_attack import CellKey, held_maps, quick_score
from attack.map_subsets import CANDIDATES, random_subset, worst_subset
from attack.received_maps import find_layer

SINGLE = [0.1, 0.9, 0.3, 0.8, 0.2, 0.7]


def test_same_seeds_same_subset():
    assert random_subset(128, 8, 0, "random 1") == random_subset(128, 8, 0, "random 1")
    drawn = {random_subset(128, 8, seed, name) for seed in (0, 1) for name in ("a", "b")}
    assert len(drawn) == 4


@pytest.mark.parametrize(("maps", "count"), [(1, 1), (8, 3), (8, 8)])
def test_subsets_hold_so_many_different_maps_in_order(maps, count):
    drawn = random_subset(maps, count, 0)
    assert list(drawn) == sorted(set(drawn))
    assert len(drawn) == count
    assert set(drawn) <= set(range(maps))


def test_the_worst_is_the_worst_of_all_candidates():
    asked = []

    def score(held):
        asked.append(held)
        return -sum(held)

    worst = worst_subset(6, 3, score, SINGLE, seed=0)
    assert score(worst) == max(map(score, set(asked)))
    assert (1, 3, 5) in asked
    assert 2 <= len(set(asked)) <= CANDIDATES + 1


def test_the_best_single_maps_win_where_the_attacker_thinks_so():
    assert worst_subset(6, 3, lambda held: sum(SINGLE[p] for p in held), SINGLE, 0) == (1, 3, 5)


def test_one_map_alone_needs_no_more_scores():
    def never(_held):
        raise AssertionError

    assert worst_subset(6, 1, never, SINGLE, 0) == (1,)


@pytest.mark.parametrize("count", [1, 3])
def test_the_quick_attacker_finds_no_random_subset_better_than_the_worst(
    few_data, few_victim, count
):
    scene = scene_of(few_data, few_victim)
    layer = find_layer(few_data.network, "conv2")
    score = partial(quick_score, scene, layer)
    worst = held_maps(scene, layer, CellKey("conv2", count, "worst"))
    drawn = [held_maps(scene, layer, CellKey("conv2", count, f"random {k}")) for k in range(1, 4)]
    candidates = [random_subset(8, count, "search", 0, k) for k in range(CANDIDATES)]
    assert len(set(drawn)) > 1
    assert score(worst) >= max(map(score, candidates))
    assert held_maps(scene, layer, CellKey("conv2", count, "worst")) == worst
