"""Images keep their parts together, and their fingerprint tells them apart."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from image_files import noise

from attack.images import Images

IMAGES = Images(
    pixels=noise(0, 4, 1, 2, 3),
    labels=np.array([0, 1, 1, 0]),
    groups=np.array([7, 7, 8, 9]),
    test=np.array([False, True, False, True]),
    classes=("cat", "dog"),
    source="made",
)


def test_take_keeps_what_belongs_together_in_the_order_asked_for():
    taken = IMAGES.take(np.array([3, 1]))
    assert len(taken) == 2
    assert (taken.pixels == IMAGES.pixels[[3, 1]]).all()
    assert taken.labels.tolist() == [0, 1]
    assert taken.groups.tolist() == [9, 7]
    assert taken.test.tolist() == [True, True]
    assert (taken.classes, taken.source) == (IMAGES.classes, IMAGES.source)


def test_the_fingerprint_is_the_sha256_of_shape_pixels_and_labels():
    content = b"(4, 1, 2, 3)" + IMAGES.pixels.tobytes() + IMAGES.labels.astype("<i8").tobytes()
    assert IMAGES.fingerprint == hashlib.sha256(content).hexdigest()


def test_the_fingerprint_does_not_depend_on_the_layout_in_memory_or_the_source():
    other = replace(IMAGES, pixels=np.asfortranarray(IMAGES.pixels), source="another")
    assert other.fingerprint == IMAGES.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"pixels": IMAGES.pixels ^ 1},
        {"pixels": IMAGES.pixels.reshape(4, 1, 3, 2)},
        {"labels": np.array([0, 1, 0, 0])},
    ],
)
def test_the_fingerprint_tells_other_images_apart(changed):
    assert replace(IMAGES, **changed).fingerprint != IMAGES.fingerprint


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"pixels": IMAGES.pixels[:, 0]}, "pixels"),
        ({"pixels": IMAGES.pixels.astype(float)}, "pixels"),
        ({"labels": np.array([0, 1])}, "labels"),
        ({"labels": np.array([0, 1, 2, 0])}, "labels"),
        ({"groups": IMAGES.groups.astype(np.int32)}, "groups"),
        ({"test": np.zeros(4, dtype=int)}, "test"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changed, named):
    with pytest.raises(ValueError, match=f"^{named}: "):
        replace(IMAGES, **changed)
