"""Victim, attacker and evaluation share no person or photo; equal seeds give equal parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import examples

from attack.images import Images
from attack.splits import ImageSplits, require_enough, split, spread, with_validation
from optmodel.ground.rule_errors import InputError


def images_of(groups: list[int], labels: list[int], test: list[bool]) -> Images:
    """Images whose one pixel, of four bytes, tells which they are."""
    count = len(groups)
    return Images(
        pixels=np.arange(count, dtype="<u4").view(np.uint8).reshape(count, 1, 2, 2),
        labels=np.array(labels, dtype=np.int64),
        groups=np.array(groups, dtype=np.int64),
        test=np.array(test, dtype=np.bool_),
        classes=("cat", "dog", "cow"),
        source="made",
    )


def singles(count: int, tested: int = 0) -> Images:
    labels = [number % 3 for number in range(count)]
    return images_of(list(range(count)), labels, [number < tested for number in range(count)])


def numbers(part: Images) -> list[int]:
    """Which images they are."""
    return np.ascontiguousarray(part.pixels).reshape(len(part), 4).view("<u4")[:, 0].tolist()


def parts(splits: ImageSplits) -> tuple[Images, Images, Images]:
    return splits.victim, splits.attacker, splits.evaluation


@st.composite
def any_images(draw: st.DrawFn) -> Images:
    """Images of at least five groups, of which at most two hold test data, or none."""
    groups = draw(st.lists(st.integers(0, 12), min_size=5, max_size=60))
    groups += [20, 21, 22, 23, 24]
    labels = draw(st.lists(st.integers(0, 2), min_size=len(groups), max_size=len(groups)))
    tested = draw(st.sets(st.integers(0, 1)) | st.just({20}))
    coins = draw(st.lists(st.booleans(), min_size=len(groups), max_size=len(groups)))
    test = [group in tested and coin for group, coin in zip(groups, coins, strict=True)]
    return images_of(groups, labels, test)


@examples(200)
@given(any_images(), st.integers(0, 9), st.integers(1, 20))
def test_no_group_is_in_two_parts_and_none_is_empty(images, seed, most):
    splits = split(images, seed, most)
    groups = [set(part.groups.tolist()) for part in parts(splits)]
    assert all(groups)
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    everyone = [number for part in parts(splits) for number in numbers(part)]
    assert len(set(everyone)) == len(everyone)
    assert len(splits.evaluation) <= most


@examples(100)
@given(any_images(), st.integers(0, 9))
def test_where_there_is_test_data_nothing_else_is_evaluated_on(images, seed):
    splits = split(images, seed)
    assert splits.evaluation.test.all() == images.test.any()
    assert not splits.victim.test.any()
    assert not splits.attacker.test.any()


@examples(50)
@given(any_images(), st.integers(0, 9))
def test_equal_seeds_give_equal_parts(images, seed):
    one, other = split(images, seed, 10), split(images, seed, 10)
    for part, again in zip(parts(one), parts(other), strict=True):
        assert numbers(part) == numbers(again)


def test_another_seed_gives_other_parts():
    images = singles(60, tested=20)
    one, other = (parts(split(images, seed, 10)) for seed in (0, 1))
    for part, again in zip(one, other, strict=True):
        assert numbers(part) != numbers(again)


def test_without_test_data_the_parts_get_50_30_and_20_percent_of_each_class():
    splits = split(singles(300), 0)
    counts = [np.bincount(part.labels).tolist() for part in parts(splits)]
    assert counts == [[50, 50, 50], [30, 30, 30], [20, 20, 20]]


def test_what_the_evaluation_does_not_need_goes_to_the_two_others():
    splits = split(singles(900), 0, most_evaluation=100)
    assert [len(part) for part in parts(splits)] == pytest.approx([500, 300, 100], abs=1)


def test_test_data_are_thinned_evenly_and_the_others_halved():
    splits = split(singles(330, tested=90), 0, most_evaluation=30)
    counts = [np.bincount(part.labels).tolist() for part in parts(splits)]
    assert counts == [[40, 40, 40], [40, 40, 40], [10, 10, 10]]


def test_who_is_in_the_test_data_trains_nothing():
    images = images_of([0, 0, 1, 2, 3], [0] * 5, [True, False, False, False, False])
    splits = split(images, 0)
    assert numbers(splits.evaluation) == [0]
    assert sorted(numbers(splits.victim) + numbers(splits.attacker)) == [2, 3, 4]


def test_fifty_photos_of_different_size_are_dealt_to_about_50_30_and_20_percent():
    sizes = np.random.default_rng(0).integers(1, 78, 50)
    groups = np.repeat(np.arange(50), sizes)
    images = images_of(groups.tolist(), [0] * len(groups), [False] * len(groups))
    splits = split(images, 0)
    shares = [len(part) / len(images) for part in parts(splits)]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_a_large_group_is_dealt_first_so_that_the_others_can_make_up_for_it():
    groups = [0] * 50 + list(range(1, 51))
    images = images_of(groups, [0] * 100, [False] * 100)
    for seed in range(5):
        assert [len(part) for part in parts(split(images, seed))] == [50, 30, 20]


def test_persons_with_unequally_many_images_are_dealt_by_class_too():
    sizes = np.random.default_rng(0).integers(1, 21, 60)
    groups = np.repeat(np.arange(60), sizes)
    labels = np.repeat(np.arange(60) % 3, sizes)
    images = images_of(groups.tolist(), labels.tolist(), [False] * len(groups))
    of_all = np.bincount(labels)
    for part, share in zip(parts(split(images, 0)), (0.5, 0.3, 0.2), strict=True):
        assert np.bincount(part.labels) / of_all == pytest.approx([share] * 3, abs=0.04)


def tallies(images: Images, drawn: NDArray[np.int64]) -> dict[str, dict[int, list[int]]]:
    """How many were drawn, and how many there are, of each class and of each group of a class."""
    pairs = list(zip(images.labels.tolist(), images.groups.tolist(), strict=True))
    found: dict[str, dict[int, list[int]]] = {"classes": {}}
    for key, name in [((c, g), f"class {c}") for c, g in set(pairs)]:
        had = [pairs[k] for k in drawn].count(key)
        found.setdefault(name, {})[key[1]] = [had, pairs.count(key)]
    for name in [name for name in found if name != "classes"]:
        found["classes"][int(name[6:])] = np.sum(list(found[name].values()), axis=0).tolist()
    return found


def is_even(counts: dict[int, list[int]]) -> bool:
    """Whether no class (or group) that has images left has two fewer than another."""
    left = [had for had, there in counts.values() if had < there]
    return not left or max(had for had, _ in counts.values()) - min(left) <= 1


@examples(100)
@given(any_images(), st.integers(0, 9), st.data())
def test_every_prefix_of_a_spread_is_even_over_classes_and_groups(images, seed, data):
    drawn = spread(images, len(images), seed)
    assert sorted(drawn.tolist()) == list(range(len(images)))
    count = data.draw(st.integers(0, len(images)))
    assert spread(images, count, seed).tolist() == drawn[:count].tolist()
    assert all(map(is_even, tallies(images, drawn[:count]).values()))


def test_the_parts_come_spread_though_the_source_is_sorted_by_class():
    labels = np.repeat([0, 1, 2], 100)
    images = images_of(list(range(300)), labels.tolist(), [False] * 300)
    for part in parts(split(images, 0)):
        assert np.bincount(part.labels[:30]).tolist() == [10, 10, 10]


def test_test_data_are_thinned_over_the_groups_too():
    groups = [0] * 40 + [1] * 40 + [2] * 5 + [3, 4, 5, 6]
    images = images_of(groups, [0] * 89, [True] * 85 + [False] * 4)
    evaluation = split(images, 0, most_evaluation=15).evaluation
    assert np.bincount(evaluation.groups).tolist() == [5, 5, 5]


@examples(100)
@given(any_images(), st.integers(0, 9), st.sampled_from([0.1, 0.3]))
def test_whole_groups_validate_where_there_are_four(images, seed, share):
    training, validation = with_validation(images, share, seed)
    assert not set(training.groups) & set(validation.groups)
    assert sorted(numbers(training) + numbers(validation)) == sorted(numbers(images))
    count = len(set(images.groups))
    least = max(1, min(3, count // 4))
    assert len(set(validation.groups)) == max(least, round(share * count))


def test_a_tenth_of_each_class_validates_where_no_two_images_belong_together():
    training, validation = with_validation(singles(300), 0.1, 0)
    assert np.bincount(training.labels).tolist() == [90, 90, 90]
    assert np.bincount(validation.labels).tolist() == [10, 10, 10]


def test_of_three_photos_some_tiles_of_each_validate():
    images = images_of([0] * 20 + [1] * 20 + [2] * 20, [0] * 20 + [1] * 20 + [2] * 20, [False] * 60)
    training, validation = with_validation(images, 0.1, 0)
    assert np.bincount(validation.groups).tolist() == [2, 2, 2]
    assert len(training) == 54


def test_of_two_images_one_validates():
    training, validation = with_validation(singles(2), 0.1, 0)
    assert len(training) == len(validation) == 1


@pytest.mark.parametrize(
    ("images", "said"),
    [(singles(120), "evaluation, got 2"), (singles(70, tested=40), "attacker, got 15")],
)
def test_too_few_images_for_any_figure_are_refused(images, said):
    with pytest.raises(InputError, match=f"made: expected at least 30 images for the {said}"):
        require_enough(split(images, 0))


def test_150_images_are_enough():
    require_enough(split(singles(150), 0))


def test_fewer_than_three_groups_are_refused():
    images = images_of([4, 4, 5, 5], [0, 1, 0, 1], [False] * 4)
    with pytest.raises(InputError, match=r"made: expected images of at least 3 .* got 2; add"):
        split(images, 0)


def test_test_data_with_everybody_in_it_are_refused():
    images = images_of([4, 4, 5, 5], [0, 1, 0, 1], [True, False] * 2)
    with pytest.raises(InputError, match=r"made: expected .* 2 .* beside the test data.* got 0;"):
        split(images, 0)


def test_no_images_at_all_are_refused():
    with pytest.raises(InputError, match=r"at least 3 .* got 0; add images"):
        split(singles(3).take(np.array([], dtype=np.int64)), 0)
