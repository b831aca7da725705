"""What the attacker holds: the maps that a layer puts out, or partial sums of a conv.

The maps that a conv puts out are its sums, before any activation. Every view is asked for some
maps of one layer, and gives one tensor per image. The attacker knows which images it sent and what
came out, and nothing of the network: a black box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from attack.attacker_view import AttackerView
from attack.victim import VictimNetwork, conv_padding
from instances.measured import SUMS, sums_row
from optmodel.ground.rule_errors import OptionError
from optmodel.problem import ActLayer, ConvLayer, FcLayer, Network, PoolLayer

BATCH = 64
"""Images that pass through the victim at a time."""


MapLayer = ConvLayer | ActLayer | PoolLayer


def map_layers(network: Network) -> list[MapLayer]:
    """Return the layers that put out feature maps, first to last."""
    return [layer for layer in network.layers if not isinstance(layer, FcLayer)]


def find_layer(network: Network, name: str) -> MapLayer:
    """Return the layer that a row of an SSIM table, or the name of a layer, stands for.

    The last word of a row names the layer: CIFAR ReLU22, or ReLU22, is relu22. A row whose last
    word does not is that of its first finished maps. A row of sums is that of the conv before.

    Raises
    ------
    OptionError
        If there is none.
    """
    layers = map_layers(network)
    wanted = (name, name.lower())
    of_the_row = [layer for layer in layers if row_of(layer) == name]
    if name.endswith(SUMS) and of_the_row:
        return _conv_of(network, name.removesuffix(SUMS)) or of_the_row[0]
    named = [layer for layer in of_the_row if layer.name == _last_word(name)]
    found = [*(layer for layer in layers if layer.name in wanted), *named, *of_the_row]
    if not found:
        rows = dict.fromkeys(row_of(layer) for layer in layers)
        raise OptionError(
            "rows",
            f"expected rows or layers of '{network.id}', got '{name}'; name some of "
            f"{', '.join([*rows, *(layer.name for layer in layers)])}",
        )
    return found[0]


def _conv_of(network: Network, row: str) -> ConvLayer | None:
    """Return the conv before the layer that stands for a row of finished maps, if there is one."""
    finished = [layer for layer in map_layers(network) if row_of(layer) == row]
    return conv_before(network, find_layer(network, row)) if finished else None


def row_of(layer: MapLayer) -> str:
    """Return the row of a measured table that tells what the output maps of a layer give away.

    What a conv puts out is sums before ReLU, which tell more than the finished maps.
    """
    return sums_row(layer.ssim_row) if isinstance(layer, ConvLayer) else layer.ssim_row


def _last_word(row: str) -> str:
    return row.split()[-1].lower() if row.split() else ""


def conv_before(network: Network, layer: MapLayer) -> ConvLayer:
    """Return the last conv up to a layer.

    Raises
    ------
    OptionError
        If there is none.
    """
    layers = map_layers(network)
    convs = [one for one in layers[: layers.index(layer) + 1] if isinstance(one, ConvLayer)]
    if not convs:
        raise OptionError(
            "view", f"expected a conv before layer '{layer.name}', got none; take --view output"
        )
    return convs[-1]


def received(
    victim: VictimNetwork, images: Tensor, layer: MapLayer, view: AttackerView, held: Sequence[int]
) -> Tensor:
    """Return what the holder of some maps of a layer, indexed from 0, receives.

    From images in 0..1, shape (n, channels, height, width), 32-bit floats of shape (n, held maps
    times tensors per map, height, width).
    """
    with torch.no_grad():
        parts = [_received(victim, part, layer, view, list(held)) for part in images.split(BATCH)]
    return torch.cat(parts)


def _received(
    victim: VictimNetwork, images: Tensor, layer: MapLayer, view: AttackerView, held: list[int]
) -> Tensor:
    layers = victim.network.layers
    if view.kind == "output":
        return victim.maps_behind(images, layers.index(layer) + 1)[:, held]
    conv = conv_before(victim.network, layer)
    signal = victim.maps_behind(images, layers.index(conv))
    return _partial_sums(victim, signal, conv, view.senders, held)


def _partial_sums(
    victim: VictimNetwork, signal: Tensor, conv: ConvLayer, senders: int, held: list[int]
) -> Tensor:
    """Return what each sender adds to each held map; sender k computes segments k mod s."""
    module = victim.module_of(conv.name)
    assert isinstance(module, torch.nn.Conv2d)
    padding = conv_padding(conv, signal.shape[2])
    parts = [
        functional.conv2d(
            signal[:, k::senders], module.weight[held][:, k::senders], None, 1, padding
        )
        for k in range(min(senders, conv.input_maps))
    ]
    return torch.cat(parts, dim=1)


@dataclass(frozen=True)
class MapGeometry:
    """Where received maps lie on the image, and by which conv they came there."""

    stride: int
    """Pixels between neighbouring values of a map."""
    border: int
    """Values to add on each side so that the map covers the whole image."""
    kernel: int
    """Side of the kernel of the last conv before them."""


def map_geometry(network: Network, layer: MapLayer, view: AttackerView) -> MapGeometry:
    """Return how what is received of a layer lies on the image, from the layers' sizes alone.

    Raises
    ------
    OptionError
        If there is no conv up to the layer.
    """
    conv = conv_before(network, layer)
    last = layer if view.kind == "output" else conv
    height, stride, margin = network.image_height, 1, 0
    for one in map_layers(network):
        if isinstance(one, ConvLayer):
            margin += stride * (one.kernel // 2 - conv_padding(one, height))
        elif isinstance(one, PoolLayer):
            stride *= height // one.output_height
        height = one.output_height
        if one is last:
            break
    return MapGeometry(stride, -(-margin // stride), conv.kernel)
