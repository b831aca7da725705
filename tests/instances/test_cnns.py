"""The built-in CNNs have the layers, sizes and work of the paper's networks."""

import random
import re
from collections import Counter

import pytest

from instances.cnns import NETWORKS, SYNTHETIC, synthetic
from instances.ssim import read_ssim_table
from optmodel.problem.network import Network


def shapes(network: Network, kind: str) -> list[tuple[int, int, int]]:
    """Return (input maps, output maps, side) of the conv, act or pool layers."""
    layers = [layer for layer in network.layers if layer.kind == kind]
    assert all(layer.output_height == layer.output_width for layer in layers)
    return [(layer.input_maps, layer.output_maps, layer.output_height) for layer in layers]


def neurons(network: Network) -> list[tuple[int, int]]:
    fcs = [layer for layer in network.layers if layer.kind == "fc"]
    return [(fc.input_neurons, fc.output_neurons) for fc in fcs]


def multiplications(network: Network) -> int:
    """Return the multiplications of all segments of all layers."""
    return sum(one.input_maps * one.multiplications_per_segment for one in network.layers)


@pytest.mark.parametrize(
    ("name", "convs", "pools", "fcs"),
    [("lenet", 2, 2, 3), ("cifar_cnn", 6, 3, 2), ("vgg16", 13, 5, 3), ("vgg19", 16, 5, 3)],
)
def test_a_paper_network_has_the_layers_of_section_ii_a(name, convs, pools, fcs):
    kinds = Counter(layer.kind for layer in NETWORKS[name]().layers)
    assert kinds == {"conv": convs, "act": convs, "pool": pools, "fc": fcs}


@pytest.mark.parametrize(
    ("name", "channels", "side"),
    [
        *(("lenet", 1, 28), ("cifar_cnn", 3, 32), ("cifar_block1", 3, 32)),
        *(("vgg16", 3, 128), ("vgg19", 3, 128)),
    ],
)
def test_images_have_the_size_of_section_iii(name, channels, side):
    network = NETWORKS[name]()
    size = (network.image_channels, network.image_height, network.image_width)
    assert size == (channels, side, side)


def test_lenet_is_traced_by_hand():
    lenet = NETWORKS["lenet"]()
    assert shapes(lenet, "conv") == [(1, 8, 24), (8, 8, 8)]
    assert shapes(lenet, "act") == [(8, 8, 24), (8, 8, 8)]
    assert shapes(lenet, "pool") == [(8, 8, 12), (8, 8, 4)]
    assert neurons(lenet) == [(128, 120), (120, 84), (84, 10)]
    names = "conv1 relu1 pool1 conv2 relu2 pool2 fc1 fc2 fc3"
    assert [layer.name for layer in lenet.layers] == names.split()


def test_the_cifar_network_is_traced_by_hand():
    cifar = NETWORKS["cifar_cnn"]()
    assert shapes(cifar, "conv") == [
        *((3, 64, 32), (64, 64, 32), (64, 128, 16), (128, 128, 16)),
        *[(128, 128, 8)] * 2,
    ]
    assert shapes(cifar, "pool") == [(64, 64, 16), (128, 128, 8), (128, 128, 4)]
    assert neurons(cifar) == [(2048, 512), (512, 10)]


VGG16_CONVS = [
    *((3, 64, 128), (64, 64, 128), (64, 128, 64), (128, 128, 64)),
    *((128, 256, 32), *[(256, 256, 32)] * 2),
    *((256, 512, 16), *[(512, 512, 16)] * 2),
    *[(512, 512, 8)] * 3,
]
VGG_FCS = [(512 * 4 * 4, 4096), (4096, 4096), (4096, 1000)]


def test_vgg16_is_traced_by_hand():
    vgg16 = NETWORKS["vgg16"]()
    assert shapes(vgg16, "conv") == VGG16_CONVS
    assert [side for _, _, side in shapes(vgg16, "pool")] == [64, 32, 16, 8, 4]
    assert neurons(vgg16) == VGG_FCS


def test_vgg19_has_a_fourth_conv_in_the_last_three_blocks():
    vgg19 = NETWORKS["vgg19"]()
    more = [(256, 256, 32), (512, 512, 16), (512, 512, 8)]
    assert Counter(shapes(vgg19, "conv")) == Counter(VGG16_CONVS) + Counter(more)
    assert neurons(vgg19) == VGG_FCS
    blocks = Counter(layer.name[:5] for layer in vgg19.layers if layer.kind == "conv")
    assert blocks == {"conv1": 2, "conv2": 2, "conv3": 4, "conv4": 4, "conv5": 4}


@pytest.mark.parametrize(
    ("name", "total"),
    [
        # 25*1*8*24^2 + 25*8*8*8^2 + 128*120 + 120*84 + 84*10
        ("lenet", 115_200 + 102_400 + 15_360 + 10_080 + 840),
        # 28.3e6 for the first conv; 302e6 for each conv that doubles the maps, and 604e6 for each
        # that keeps them, or a quarter of it in the last block; 54.4e6 in the fcs: 5.1e9
        ("vgg16", 28_311_552 + 3 * 301_989_888 + 6 * 603_979_776 + 3 * 150_994_944 + 54_427_648),
    ],
)
def test_the_multiplications_of_a_network_add_up(name, total):
    assert multiplications(NETWORKS[name]()) == total


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("lenet", "MNIST Conv1, MNIST Conv2"),
        ("cifar_cnn", "CIFAR ReLU11, CIFAR ReLU22, CIFAR ReLU32"),
        ("vgg16", "CAR ReLU11, CAR ReLU22, CAR ReLU33, CAR ReLU43, CAR ReLU43"),
        ("vgg19", "CELEBA ReLU11, CELEBA ReLU22, CELEBA ReLU34, CELEBA ReLU44, CELEBA ReLU44"),
    ],
)
def test_all_layers_of_a_block_belong_to_its_row_of_table_i(name, rows):
    """Rows of the first block, the second, and so on."""
    layers = [layer for layer in NETWORKS[name]().layers if layer.kind != "fc"]
    found = {(int(re.search(r"\d", layer.name)[0]), layer.ssim_row) for layer in layers}
    assert found == set(enumerate(rows.split(", "), start=1))


def test_block_1_of_the_cifar_network_is_its_first_block():
    whole, block = NETWORKS["cifar_cnn"](), NETWORKS["cifar_block1"]()
    assert block.layers[:5] == whole.layers[:5]
    assert neurons(block) == [(64 * 16 * 16, 10)]


def test_block_3_of_the_cifar_network_has_its_maps_and_rows():
    block = NETWORKS["cifar_block3"]()
    assert shapes(block, "conv") == [(3, 16, 16), (16, 128, 8), (128, 128, 8)]
    assert [layer.ssim_row for layer in block.layers[3:8]] == ["CIFAR ReLU32"] * 5


def test_blocks_1_and_2_of_vgg16_are_its_first_blocks():
    whole = NETWORKS["vgg16"]()
    first, both = NETWORKS["vgg16_block1"](), NETWORKS["vgg16_blocks12"]()
    assert first.layers[:5] == whole.layers[:5]
    assert neurons(first) == [(64 * 64 * 64, 10)]
    assert both.layers[:10] == whole.layers[:10]
    assert neurons(both) == [(128 * 32 * 32, 10)]


def test_block_4_of_vgg16_has_its_maps_and_rows_behind_a_narrow_conv():
    block = NETWORKS["vgg16_block4"]()
    assert shapes(block, "conv") == [(3, 32, 32), (32, 512, 16), (512, 512, 16), (512, 512, 16)]
    assert shapes(block, "pool") == [(32, 32, 16), (512, 512, 8)]
    assert [layer.ssim_row for layer in block.layers[3:10]] == ["CAR ReLU43"] * 7
    assert neurons(block) == [(512 * 8 * 8, 256), (256, 10)]


def test_block_5_of_vgg19_has_its_maps_and_rows_behind_a_narrow_conv():
    block = NETWORKS["vgg19_block5"]()
    assert shapes(block, "conv") == [(3, 32, 16), (32, 512, 8), *[(512, 512, 8)] * 3]
    assert shapes(block, "pool") == [(32, 32, 8), (512, 512, 4)]
    assert [layer.ssim_row for layer in block.layers[:12]] == ["CELEBA ReLU44"] * 12
    assert block.layers[4:12] == NETWORKS["vgg19"]().layers[29:37]
    assert neurons(block) == [(512 * 4 * 4, 512), (512, 10)]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_goes_by_its_name_and_has_rows_of_table_i(name):
    rows, network = {row.row for row in read_ssim_table().rows}, NETWORKS[name]()
    assert network.id == name
    assert {layer.ssim_row for layer in network.layers if layer.kind != "fc"} <= rows


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_networks_are_small_and_have_the_number_of_convs_in_their_name(name):
    for seed in range(50):
        network = synthetic(name, random.Random(seed))
        convs = shapes(network, "conv")
        assert len(convs) == int(name.removeprefix("synthetic"))
        assert all(4 <= maps <= 8 for _, maps, _ in convs)
        assert 1 <= len(neurons(network)) <= 2
        assert network.layers[-1].output_neurons == 10


def test_synthetic_networks_follow_their_seed():
    def draw(seed: int) -> Network:
        return synthetic("synthetic3", random.Random(seed))

    assert draw(1) == draw(1)
    assert len({draw(seed).model_dump_json() for seed in range(10)}) > 5
