"""A segment of each layer costs what Eq. 2-4 and 6 say, by hand."""

import pytest
from pydantic import ValidationError
from strategies import conv

from instances.cnns import lenet, vgg16
from instances.generate import Recipe, generate
from optmodel.problem.arrays import Problem
from optmodel.problem.network import FcLayer, Layer, Network, PoolLayer


def layer(network: Network, name: str) -> Layer:
    return next(one for one in network.layers if one.name == name)


@pytest.mark.parametrize(
    ("name", "segments", "multiplications", "weights", "numbers"),
    [
        # conv: S^2 * P_l * o^2 multiplications and S^2 * P_l weights
        ("conv1", 1, 5 * 5 * 8 * 24 * 24, 5 * 5 * 8, 24 * 24),
        ("relu1", 8, 0, 0, 24 * 24),
        ("pool1", 8, 0, 0, 12 * 12),
        ("conv2", 8, 5 * 5 * 8 * 8 * 8, 5 * 5 * 8, 8 * 8),
        ("relu2", 8, 0, 0, 8 * 8),
        ("pool2", 8, 0, 0, 4 * 4),
        # first fc: 8 maps of 4 x 4 in, 120 out, an eighth to each segment
        ("fc1", 8, 8 * 4 * 4 * 120 // 8, 8 * 4 * 4 * 120 // 8, 120),
        ("fc2", 1, 120 * 84, 120 * 84, 84),
        ("fc3", 1, 84 * 10, 84 * 10, 10),
    ],
)
def test_segments_and_outputs_of_lenet_cost_what_eq_2_to_4_and_6_say(
    name, segments, multiplications, weights, numbers
):
    one = layer(lenet(), name)
    assert one.input_maps == segments
    assert one.multiplications_per_segment == multiplications
    assert one.weights_per_segment == weights
    for word_bits in (8, 32):
        assert one.bits_per_output(word_bits) == numbers * word_bits


def test_a_segment_of_vgg16_costs_what_eq_2_to_4_say():
    conv22 = layer(vgg16(), "conv22")
    assert conv22.input_maps == 128
    assert conv22.multiplications_per_segment == 4_718_592  # 3^2 * 128 * 64^2
    assert conv22.weights_per_segment == 1_152  # 3^2 * 128
    assert conv22.bits_per_output(32) == 131_072  # 32 * 64^2


def test_height_and_width_both_count():
    one = conv("conv", (1, 2), (5, 7), "row", 3)
    assert one.multiplications_per_segment == 3 * 3 * 2 * 5 * 7
    assert one.bits_per_output(32) == 32 * 5 * 7


@pytest.mark.parametrize(("kind", "output_maps"), [("conv", 8), ("act", 8), ("pool", 8), ("fc", 1)])
def test_a_layer_of_lenet_puts_out_eight_maps_and_an_fc_one(kind, output_maps):
    assert {one.output_maps for one in lenet().layers if one.kind == kind} == {output_maps}


def test_weights_take_four_bytes_and_transfers_follow_the_kind_of_layer():
    instance = generate(Recipe(("lenet",), devices=2), "lenet")
    layers = {task.name: task for task in Problem.of(instance).tasks[0].layers}
    assert layers["conv2"].weight_bytes == 4 * 5 * 5 * 8
    assert layers["fc2"].weight_bytes == 4 * 120 * 84
    assert {name: task.transfer for name, task in layers.items()} == {
        "conv1": "broadcast",
        "relu1": "mapwise",
        "pool1": "mapwise",
        "conv2": "broadcast",
        "relu2": "mapwise",
        "pool2": "mapwise",
        "fc1": "broadcast",
        "fc2": "broadcast",
        "fc3": "broadcast",
    }
    assert [name for name, task in layers.items() if task.whole] == ["fc1"]


@pytest.mark.parametrize(("convs_only", "index"), [(False, 6), (True, None)])
def test_the_first_fc_is_found(convs_only, index):
    network = lenet()
    if convs_only:
        network = network.model_copy(update={"layers": network.layers[:6]})
    assert network.first_fc == index


def test_an_odd_number_of_pixels_is_divided_among_the_segments_of_the_first_fc():
    fc = FcLayer(kind="fc", name="fc", input_maps=3, input_neurons=3 * 5 * 5, output_neurons=7)
    assert fc.multiplications_per_segment * 3 == 3 * 5 * 5 * 7


def test_more_work_than_can_be_counted_exactly_is_refused():
    huge = conv("conv", (1, 65_536), (2, 2), "row", 65_536)
    with pytest.raises(ValidationError, match="expected at most 1e\\+15 multiplications"):
        Network(id="huge", image_channels=1, image_height=2, image_width=2, layers=(huge,))


def test_a_pool_may_change_the_size_and_an_act_may_not():
    size = {"input_maps": 1, "output_height": 2, "output_width": 2, "ssim_row": "row"}
    pool = PoolLayer(kind="pool", name="pool", **size)
    image = {"image_channels": 1, "image_height": 4, "image_width": 4}
    assert Network(id="pool", layers=(pool,), **image).layers == (pool,)
    act = {"kind": "act", "name": "act", **size}
    with pytest.raises(ValidationError, match="expected 4 x 4"):
        Network.model_validate({"id": "act", "layers": (act,), **image})
