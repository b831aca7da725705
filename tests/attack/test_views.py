"""What the attacker holds in each view, and where it lies on the image."""

import pytest
import torch

from attack.attacker_view import AttackerView
from attack.received_maps import (
    MapGeometry,
    conv_before,
    find_layer,
    map_geometry,
    map_layers,
    received,
    row_of,
)
from attack.victim import VictimNetwork
from instances.cnns import NETWORKS
from optmodel.ground.rule_errors import InputError


@pytest.fixture(scope="module")
def lenet() -> VictimNetwork:
    torch.manual_seed(0)
    return VictimNetwork(NETWORKS["lenet"]()).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("senders", [1, 2, 3, 8, 20])
@pytest.mark.parametrize("name", ["conv1", "conv2"])
def test_partial_sums_of_all_senders_and_the_bias_add_up_to_the_sums(lenet, images, name, senders):
    layer, held = find_layer(lenet.network, name), [1, 4, 6]
    parts = received(lenet, images, layer, AttackerView("partial", senders), held)
    from_each = parts.unflatten(1, (-1, len(held)))
    assert from_each.shape[1] == min(senders, layer.input_maps)
    bias = lenet.layers[name].bias[held].detach().reshape(1, -1, 1, 1)
    sums = received(lenet, images, layer, AttackerView(), held)
    assert torch.allclose(from_each.sum(1) + bias, sums, atol=1e-5)


def test_partial_sums_keep_the_padding_of_their_conv():
    victim = VictimNetwork(NETWORKS["cifar_block1"]()).eval()
    images, layer = torch.rand(2, 3, 32, 32), find_layer(victim.network, "relu12")
    parts = received(victim, images, layer, AttackerView("partial", 5), [0, 63])
    assert parts.shape == (2, 10, 32, 32)
    bias = victim.layers["conv12"].bias[[0, 63]].detach().reshape(1, -1, 1, 1)
    sums = received(victim, images, find_layer(victim.network, "conv12"), AttackerView(), [0, 63])
    assert torch.allclose(parts.unflatten(1, (5, 2)).sum(1) + bias, sums, atol=1e-4)


def test_sums_become_the_output_of_the_activation(lenet, images):
    conv, relu = (find_layer(lenet.network, name) for name in ("MNIST Conv2 sums", "MNIST Conv2"))
    assert (conv.name, relu.name) == ("conv2", "relu2")
    sums = received(lenet, images, conv, AttackerView(), [0, 5])
    assert (sums < 0).any()
    assert torch.equal(sums.relu(), received(lenet, images, relu, AttackerView(), [0, 5]))


@pytest.mark.parametrize("kind", ["output", "partial"])
def test_more_images_than_a_batch_come_out_in_their_order(lenet, kind):
    many = torch.rand(70, 1, 28, 28)
    layer = find_layer(lenet.network, "conv2")
    whole = received(lenet, many, layer, AttackerView(kind), [2])
    assert torch.allclose(
        whole[66:], received(lenet, many[66:], layer, AttackerView(kind), [2]), atol=1e-5
    )


@pytest.mark.parametrize(
    ("network", "layer", "expected"),
    [
        ("lenet", "conv1", (1, 2, 5)),
        ("lenet", "pool1", (2, 1, 5)),
        ("lenet", "conv2", (2, 3, 5)),
        ("cifar_cnn", "relu11", (1, 0, 3)),
        ("cifar_cnn", "relu22", (2, 0, 3)),
        ("cifar_cnn", "relu32", (4, 0, 3)),
        ("vgg16", "relu43", (8, 0, 3)),
    ],
)
def test_maps_lie_on_the_image_where_sizes_and_kernels_put_them(network, layer, expected):
    described = NETWORKS[network]()
    found = map_geometry(described, find_layer(described, layer), AttackerView())
    assert found == MapGeometry(*expected)


@pytest.mark.parametrize(
    ("network", "name", "layer"),
    [
        ("lenet", "MNIST Conv1", "relu1"),
        ("lenet", "MNIST Conv1 sums", "conv1"),
        ("lenet", "MNIST Conv2", "relu2"),
        ("lenet", "MNIST Conv2 sums", "conv2"),
        ("lenet", "conv2", "conv2"),
        ("lenet", "pool2", "pool2"),
        ("lenet", "relu1", "relu1"),
        ("cifar_cnn", "CIFAR ReLU22", "relu22"),
        ("cifar_cnn", "CIFAR ReLU22 sums", "conv22"),
        ("cifar_cnn", "ReLU22", "relu22"),
        # A row that names no layer is that of its first layer: block 3 of the CIFAR network stands
        # behind a conv0 whose row is that of block 2.
        ("cifar_block3", "CIFAR ReLU22", "relu0"),
        ("cifar_block3", "CIFAR ReLU22 sums", "conv0"),
    ],
)
def test_rows_and_layers_are_found_by_name(network, name, layer):
    assert find_layer(NETWORKS[network](), name).name == layer


def test_convs_have_a_row_of_their_own():
    rows = {layer.name: row_of(layer) for layer in map_layers(NETWORKS["lenet"]())}
    assert rows["conv1"] == "MNIST Conv1 sums"
    assert rows["relu1"] == rows["pool1"] == "MNIST Conv1"


@pytest.mark.parametrize("name", ["fc1", "conv9", "", "  ", "Conv1,Conv2", "MNIST Conv9 conv2"])
def test_unknown_rows_are_refused_with_those_there_are(name):
    with pytest.raises(InputError, match=r"^rows: expected rows or layers of 'lenet', got .*conv1"):
        find_layer(NETWORKS["lenet"](), name)


def test_a_layer_before_any_conv_has_no_sums(lenet):
    relu, *_ = [layer for layer in lenet.network.layers if layer.kind == "act"]
    first = relu.model_copy(update={"name": "relu0", "input_maps": 1})
    network = lenet.network.model_copy(update={"layers": (first, *lenet.network.layers)})
    with pytest.raises(InputError, match=r"^view: expected a conv before layer 'relu0'"):
        conv_before(network, first)


def test_views_say_what_they_are():
    assert AttackerView("partial", 8).describe() == "partial sums of 8 senders"
    assert AttackerView(colluders=2).describe() == "output maps, pooled by 2 devices"
