"""Sizes of maps are those that a window makes: checked against counting its places."""

import json
from itertools import product

import pytest
from places import CASES

from instances.cnns import lenet
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError
from optmodel.problem.instance import Instance
from optmodel.problem.map_sizes import SMALL_PADDING, SlidingWindow
from optmodel.problem.network import Network

SIZES = range(1, 10)
SIDE_56 = {"output_height": 56, "output_width": 56}


def places(size: int, side: int, stride: int, before: int = 0, after: int = 0) -> int:
    """Count where a window can stand on a padded map, step by step."""
    return sum(
        start + side <= size + before + after for start in range(0, size + before + after, stride)
    )


def made(size: int, side: int, stride: int, padding: str | int | None) -> set[int]:
    """Return every size that a window can make of one, by counting."""
    if isinstance(padding, int):
        return {places(size, side, stride, padding, padding)} - {0}
    same = len(range(0, size, stride))
    if padding == "same":
        return {same}
    valid = places(size, side, stride)
    if padding == "valid":
        return {valid} - {0}
    small = {places(size, side, stride, 0, more) for more in range(SMALL_PADDING + 1)} - {0}
    if not valid:
        return set(range(1, max(same, *small) + 1)) if small else {same}
    both = product(range(side), repeat=2)
    padded = {places(size, side, stride, *ends) for ends in both}
    return {one for one in padded if one <= same} | small


@pytest.mark.parametrize("padding", ["same", "valid", None, 0, 1, 2, 5])
@pytest.mark.parametrize("side", range(1, 8))
def test_a_window_makes_the_sizes_that_counting_its_places_gives(side, padding):
    for size in SIZES:
        some = set()
        for stride in range(1, 25):
            expected = made(size, side, stride, padding)
            some |= expected
            window = SlidingWindow(side, stride, padding)
            assert {one for one in range(1, 21) if window.makes(size, one)} == expected
        window = SlidingWindow(side, None, padding)
        assert {one for one in range(1, 21) if window.makes(size, one)} == some


def one_layer(**fields: object) -> dict[str, object]:
    """Return a network of one layer on an image of 224 x 224."""
    layer = {"name": "one", "input_maps": 1, "output_height": 55, "output_width": 55}
    layer |= {"ssim_row": "row", "kind": "conv", **fields}
    if layer["kind"] == "conv":
        layer |= {"output_maps": 1, "kernel": fields.get("kernel", 11)}
    image = {"image_channels": 1, "image_height": 224, "image_width": 224}
    return {"id": "network", **image, "layers": [layer]}


def read(**fields: object) -> Network:
    return parse_model(json.dumps(one_layer(**fields)).encode(), Network, "network")


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"stride": 4},
        {"padding": 2},
        {"stride": 4, "padding": 2},
        {"stride": [4, 4], "padding": [2, 2]},
        {"stride": 4, "padding": "same", **SIDE_56},
        {"stride": 4, "padding": "valid", "output_height": 54, "output_width": 54},
        {"stride": [4, 1], "padding": [2, 138], "output_width": 490},
        {"kind": "pool"},
        {"kind": "pool", "kernel": 4, **SIDE_56},
        {"kind": "pool", "kernel": [3, 5], "stride": 4, "padding": [0, 1], **SIDE_56},
        {"kind": "pool", "stride": 2, "padding": "same", "output_height": 112, "output_width": 112},
    ],
)
def test_a_size_that_the_layer_makes_is_read_and_written_as_stated(stated):
    network = read(**stated)
    written = json.loads(network.model_dump_json())["layers"][0]
    assert written == one_layer(**stated)["layers"][0]


@pytest.mark.parametrize(
    ("wrong", "field", "expected", "got"),
    [
        ({"output_height": 550}, "output_height", "kernel 11 makes of 224 with some stride", "550"),
        ({"output_width": 65}, "output_width", "kernel 11 makes of 224 with some stride", "65"),
        ({"stride": 4, "output_height": 57}, "output_height", "54 to 56 (kernel 11, str", "57"),
        ({"stride": 4, "padding": "same"}, "output_height", "56 (kernel 11, stride 4, pad", "55"),
        ({"stride": [4, 5], "padding": 2}, "output_width", "44 (kernel 11, stride 5", "55"),
        (
            {"kernel": 300},
            "output_height",
            "kernel 300 makes of 224 with some stride, padding 'sam",
            "55",
        ),
        ({"kernel": 300, "padding": 2}, "output_height", "kernel 300 to fit into 224", "55"),
        ({"kind": "pool", "output_width": 226}, "output_width", "at most 225 (a pool", "226"),
        ({"kind": "pool", "kernel": 3, "stride": 2}, "output_height", "111 to 113", "55"),
        ({"kind": "pool", "padding": "same"}, "kernel", "a value beside padding", "nothing"),
        ({"stride": 0}, "stride", "a whole number from 1 to 65536, or [hei", "0"),
        ({"stride": [1, 2, 3]}, "stride", "a whole number from 1 to 65536, or [hei", "[1, 2, 3]"),
        ({"stride": 2.5}, "stride", "a whole number from 1", "2.5"),
        ({"padding": "full"}, "padding", "'same', 'valid', a whole number", "'full'"),
        ({"padding": [1, -1]}, "padding", "'same', 'valid', a whole number", "[1, -1]"),
        ({"padding": True}, "padding", "'same', 'valid', a whole number", "True"),
        ({"groups": 2}, "groups", "no such field (layers are dense, in a chain)", "one"),
    ],
)
def test_another_size_is_refused_with_what_is_possible(wrong, field, expected, got):
    with pytest.raises(InputError) as refused:
        read(**wrong)
    rule = refused.value.rule
    assert rule.field == f"layers[0].{field}"
    assert expected in rule.expected
    assert rule.got == got


def test_a_whole_number_may_be_written_with_a_fraction_of_0():
    stated = {"stride": 4.0, "padding": [2.0, 2]}
    assert read(**stated) == read(stride=4, padding=[2, 2])


def test_what_is_not_stated_is_not_written():
    for layer in json.loads(lenet().model_dump_json())["layers"]:
        assert not {"stride", "padding"} & layer.keys()
        assert "kernel" not in layer or layer["kind"] == "conv"


@pytest.mark.parametrize(
    ("case", "field", "expected", "got"),
    [
        ("net-pool_bigger", "layers[1].output_height", "at most 25", "100"),
        ("net-kernel_bigger_than_image", "layers[0].output_height", "kernel 100 makes of 28", "24"),
        ("net-groups", "layers[0].groups", "no such field (layers are dense", "one"),
    ],
)
def test_a_network_that_cannot_be_is_refused(case, field, expected, got):
    file = CASES / f"{case}.json"
    with pytest.raises(InputError) as refused:
        parse_model(file.read_bytes(), Instance, str(file))
    rule = refused.value.rule
    assert rule.field == f"networks[0].{field}"
    assert expected in rule.expected
    assert rule.got == got


def test_deleting_a_field_of_another_kind_of_layer_is_not_the_advice():
    file = CASES / "net-groups.json"
    with pytest.raises(
        InputError, match=r"groups, dilation, depthwise, branches.*cannot be planned"
    ):
        parse_model(file.read_bytes(), Instance, str(file))
