"""The CNNs that instances use: the paper's four, blocks of them, synthetic ones.

A network is described by a short list of steps and traced into layers: the tracer keeps the
number of maps and the image size, so that both always match.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optmodel.problem import ActLayer, ConvLayer, FcLayer, Layer, Network, PoolLayer


@dataclass(frozen=True)
class Conv:
    """A convolution followed by a ReLU."""

    suffix: str
    """Names the layers: conv11, relu11."""
    maps: int
    """Output maps."""
    kernel: int
    """Side of the kernel, in pixels."""
    row: str
    """Row of the SSIM table for conv, ReLU and the pool that may follow."""
    padding: Literal["same", "valid"] = "same"
    """Whether the image keeps its size."""


@dataclass(frozen=True)
class Pool:
    """A pooling layer that halves height and width."""

    suffix: str


@dataclass(frozen=True)
class Fc:
    """A fully connected layer with its activation folded in."""

    suffix: str
    neurons: int


Step = Conv | Pool | Fc


def trace(name: str, channels: int, side: int, steps: Sequence[Step]) -> Network:
    """Turn steps into a network for square images.

    A pool keeps the SSIM row of the conv before it: pooled maps count as its finished maps.

    Parameters
    ----------
    name : str
        Id of the network.
    channels, side : int
        Channels of the image, and its side in pixels.
    steps : sequence of Conv, Pool or Fc
        First to last; the first one is a Conv.
    """
    layers: list[Layer] = []
    maps, size, neurons, row = channels, side, 0, ""
    for step in steps:
        if isinstance(step, Conv):
            size -= 0 if step.padding == "same" else step.kernel - 1
            row = step.row
            layers += _conv_and_relu(step, maps, size)
            maps = step.maps
        elif isinstance(step, Pool):
            size //= 2
            pool = f"pool{step.suffix}"
            layers.append(PoolLayer(kind="pool", name=pool, input_maps=maps, **_output(size, row)))
        else:
            layers.append(
                FcLayer(
                    kind="fc",
                    name=f"fc{step.suffix}",
                    input_maps=1 if neurons else maps,
                    input_neurons=neurons or maps * size * size,
                    output_neurons=step.neurons,
                )
            )
            neurons = step.neurons
    return Network(
        id=name, image_channels=channels, image_height=side, image_width=side, layers=tuple(layers)
    )


def _conv_and_relu(step: Conv, maps: int, size: int) -> list[Layer]:
    output = _output(size, step.row)
    conv = ConvLayer(
        kind="conv",
        name=f"conv{step.suffix}",
        input_maps=maps,
        output_maps=step.maps,
        kernel=step.kernel,
        **output,
    )
    relu = ActLayer(kind="act", name=f"relu{step.suffix}", input_maps=step.maps, **output)
    return [conv, relu]


def _output(size: int, row: str) -> dict[str, Any]:
    """Return the fields of a layer's output maps, which are square."""
    return {"output_height": size, "output_width": size, "ssim_row": row}


def _fcs(*neurons: int) -> list[Step]:
    return [Fc(str(k), n) for k, n in enumerate(neurons, start=1)]


def lenet() -> Network:
    """LeNet on 28x28 grey images with 8 and 8 maps (Table I, Section III)."""
    steps: list[Step] = [
        Conv("1", 8, 5, "MNIST Conv1", "valid"),
        Pool("1"),
        Conv("2", 8, 5, "MNIST Conv2", "valid"),
        Pool("2"),
        *_fcs(120, 84, 10),
    ]
    return trace("lenet", 1, 28, steps)


_CIFAR_BLOCKS = {1: (64, "CIFAR ReLU11"), 2: (128, "CIFAR ReLU22"), 3: (128, "CIFAR ReLU32")}


def _cifar_block(block: int) -> list[Step]:
    maps, row = _CIFAR_BLOCKS[block]
    return [Conv(f"{block}1", maps, 3, row), Conv(f"{block}2", maps, 3, row), Pool(str(block))]


def cifar_cnn() -> Network:
    """Return the CIFAR network: six convs in three blocks, two fcs, on 32x32 colour images."""
    steps = [step for block in _CIFAR_BLOCKS for step in _cifar_block(block)]
    return trace("cifar_cnn", 3, 32, [*steps, *_fcs(512, 10)])


def cifar_block1() -> Network:
    """First block of the CIFAR network with one fc behind it, on 32x32 colour images."""
    return trace("cifar_block1", 3, 32, [*_cifar_block(1), *_fcs(10)])


def cifar_block3() -> Network:
    """Third block of the CIFAR network with its two fcs, behind a first conv of 16 maps.

    The image is 16x16; the first conv stands for what the earlier blocks put out.
    """
    first = Conv("0", 16, 3, "CIFAR ReLU22")
    return trace("cifar_block3", 3, 16, [first, Pool("0"), *_cifar_block(3), *_fcs(64, 10)])


_VGG_MAPS = (64, 128, 256, 512, 512)
_VGG16 = ((2, "CAR ReLU11"), (2, "CAR ReLU22"), (3, "CAR ReLU33"), *[(3, "CAR ReLU43")] * 2)
_VGG19 = (
    *((2, "CELEBA ReLU11"), (2, "CELEBA ReLU22"), (4, "CELEBA ReLU34")),
    *[(4, "CELEBA ReLU44")] * 2,
)
"""Convs of each block, and the row of the SSIM table for what the block puts out."""


def _vgg_blocks(blocks: Sequence[tuple[int, str]], *wanted: int) -> list[Step]:
    """Return some blocks of a VGG, counted from 1."""
    steps: list[Step] = []
    for block in wanted:
        convs, row = blocks[block - 1]
        steps += [Conv(f"{block}{k}", _VGG_MAPS[block - 1], 3, row) for k in range(1, convs + 1)]
        steps.append(Pool(str(block)))
    return steps


def vgg16() -> Network:
    """VGG16 on 128x128 colour images, with the leakage that Table I measures on Stanford Cars."""
    blocks = _vgg_blocks(_VGG16, 1, 2, 3, 4, 5)
    return trace("vgg16", 3, 128, [*blocks, *_fcs(4096, 4096, 1000)])


def vgg19() -> Network:
    """VGG19 on 128x128 colour images, with the leakage that Table I measures on CelebA."""
    blocks = _vgg_blocks(_VGG19, 1, 2, 3, 4, 5)
    return trace("vgg19", 3, 128, [*blocks, *_fcs(4096, 4096, 1000)])


def vgg16_block1() -> Network:
    """First block of VGG16 with one fc behind it, on 128x128 colour images."""
    return trace("vgg16_block1", 3, 128, [*_vgg_blocks(_VGG16, 1), *_fcs(10)])


def vgg16_blocks12() -> Network:
    """First two blocks of VGG16 with one fc behind them, on 128x128 colour images."""
    blocks = _vgg_blocks(_VGG16, 1, 2)
    return trace("vgg16_blocks12", 3, 128, [*blocks, *_fcs(10)])


def vgg16_truncated() -> Network:
    """First two blocks of VGG16 with one fc of 64 outputs behind them, on 128x128 colour images.

    Small enough to train and to attack on two cores.
    """
    blocks = _vgg_blocks(_VGG16, 1, 2)
    return trace("vgg16_truncated", 3, 128, [*blocks, *_fcs(64)])


def vgg16_block4() -> Network:
    """Fourth block of VGG16 with two fcs, on 32x32 images behind a first conv of 32 maps."""
    first = Conv("0", 32, 3, "CAR ReLU33")
    block = _vgg_blocks(_VGG16, 4)
    return trace("vgg16_block4", 3, 32, [first, Pool("0"), *block, *_fcs(256, 10)])


def vgg19_block5() -> Network:
    """Fifth block of VGG19 with two fcs, on 16x16 images behind a first conv of 32 maps."""
    first = Conv("0", 32, 3, "CELEBA ReLU44")
    block = _vgg_blocks(_VGG19, 5)
    return trace("vgg19_block5", 3, 16, [first, Pool("0"), *block, *_fcs(512, 10)])


NETWORKS: dict[str, Callable[[], Network]] = {
    build.__name__: build
    for build in (
        *(lenet, cifar_cnn, cifar_block1, cifar_block3),
        *(vgg16, vgg16_block1, vgg16_blocks12, vgg16_truncated, vgg16_block4),
        *(vgg19, vgg19_block5),
    )
}
"""Networks by the name that `--network` takes."""

SYNTHETIC = {f"synthetic{convs}": convs for convs in (2, 3, 4)}
"""Random small networks by name: how many convs they have."""

_SYNTHETIC_ROWS = ("MNIST Conv1", "MNIST Conv2", "CIFAR ReLU22", "CIFAR ReLU32")


def synthetic(name: str, draw: random.Random) -> Network:
    """Return a random network with 2 to 4 convs of 4 to 8 maps and one or two fcs.

    Parameters
    ----------
    name : str
        A key of `SYNTHETIC`.
    draw : random.Random
        Where the sizes come from.
    """
    steps: list[Step] = []
    for k in range(1, SYNTHETIC[name] + 1):
        steps.append(Conv(str(k), draw.randint(4, 8), draw.choice((3, 5)), _SYNTHETIC_ROWS[k - 1]))
        if draw.random() < 0.5:
            steps.append(Pool(str(k)))
    fcs = [draw.choice((16, 32, 64))] * draw.randint(0, 1)
    return trace(name, draw.choice((1, 3)), draw.choice((16, 24, 32)), [*steps, *_fcs(*fcs, 10)])
