"""What the attacker holds: output maps, sums before ReLU, partial sums, or maps of several layers.

Every view is asked for some maps of one layer, and gives one tensor per image. The attacker knows
which images it sent and what came out, and nothing of the network: a black box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from attack.victim import Victim, conv_padding
from optmodel.files import InputError
from optmodel.network import ActLayer, ConvLayer, FcLayer, Network, PoolLayer

ViewKind = Literal["output", "sums", "partial", "layers"]
VIEW_KINDS: tuple[str, ...] = get_args(ViewKind)
BATCH = 64
"""Images that pass through the victim at a time."""


@dataclass(frozen=True)
class View:
    """What one device, or several that collude, hold of a layer.

    Attributes
    ----------
    kind : {"output", "sums", "partial", "layers"}
        The output maps of the layer; the sums of its conv before ReLU; the partial sums that each
        sender of that conv sends, unsummed; the same maps of every activation up to the layer.
    senders : int
        Among how many devices the input maps of the conv are dealt; for "partial" only.
    colluders : int
        Devices that pool their shares.
    """

    kind: ViewKind = "output"
    senders: int = 1
    colluders: int = 1

    def describe(self) -> str:
        """Return the view in a few words."""
        texts = {
            "output": "output maps",
            "sums": "sums before ReLU",
            "partial": f"partial sums of {self.senders} senders",
            "layers": "maps of all activations up to the layer",
        }
        pooled = f", pooled by {self.colluders} devices" if self.colluders > 1 else ""
        return texts[self.kind] + pooled


MapLayer = ConvLayer | ActLayer | PoolLayer


def map_layers(network: Network) -> list[MapLayer]:
    """Return the layers that put out feature maps, first to last."""
    return [layer for layer in network.layers if not isinstance(layer, FcLayer)]


def find_layer(network: Network, name: str) -> MapLayer:
    """Return the layer that a row of an SSIM table, or the name of a layer, stands for.

    The last word of a row names the layer: CIFAR ReLU22 is relu22. A row whose last word does not
    is that of its first layer.

    Raises
    ------
    InputError
        If there is none.
    """
    layers = map_layers(network)
    last_word = name.split()[-1].lower() if name.split() else ""
    named = [layer for layer in layers if layer.name in (name, last_word)]
    of_the_row = [layer for layer in layers if layer.ssim_row == name]
    if not named and not of_the_row:
        rows = dict.fromkeys(layer.ssim_row for layer in layers)
        raise InputError(
            f"--rows: expected rows or layers of '{network.id}', got '{name}'; name some of "
            f"{', '.join([*rows, *(layer.name for layer in layers)])}"
        )
    return [*named, *of_the_row][0]


def conv_before(network: Network, layer: MapLayer) -> ConvLayer:
    """Return the last conv up to a layer.

    Raises
    ------
    InputError
        If there is none.
    """
    layers = map_layers(network)
    convs = [one for one in layers[: layers.index(layer) + 1] if isinstance(one, ConvLayer)]
    if not convs:
        raise InputError(
            f"--view: expected a conv before layer '{layer.name}', got none; take --view output"
        )
    return convs[-1]


def input_of(network: Network, layer: MapLayer) -> str:
    """Return the name of the layer before one, "image" for the first."""
    layers = map_layers(network)
    index = layers.index(layer)
    return layers[index - 1].name if index else "image"


def layer_received(network: Network, layer: MapLayer, view: View) -> MapLayer:
    """Return the layer whose maps have the size of what is received, and lie where it lies.

    Raises
    ------
    InputError
        If the view is of sums and there is no conv before the layer.
    """
    if view.kind == "output":
        return layer
    if view.kind == "layers":
        return _activations(network, layer)[0]
    return conv_before(network, layer)


def received(
    victim: Victim, images: Tensor, layer: MapLayer, view: View, held: Sequence[int]
) -> Tensor:
    """Return what the holder of some maps receives.

    Parameters
    ----------
    victim : Victim
        The network that the helpers compute.
    images : Tensor
        Shape (n, channels, height, width), values in 0..1.
    layer : ConvLayer, ActLayer or PoolLayer
        Whose maps are held.
    view : View
        In which form.
    held : sequence of int
        Indices of the maps, from 0.

    Returns
    -------
    Tensor
        Shape (n, held maps times tensors per map, height, width), 32-bit floats.
    """
    with torch.no_grad():
        parts = [_received(victim, part, layer, view, list(held)) for part in images.split(BATCH)]
    return torch.cat(parts)


def _received(
    victim: Victim, images: Tensor, layer: MapLayer, view: View, held: list[int]
) -> Tensor:
    network = victim.network
    if view.kind == "output":
        return victim.outputs(images, [layer.name])[layer.name][:, held]
    if view.kind == "layers":
        return _several_layers(victim, images, layer, held)
    conv = conv_before(network, layer)
    if view.kind == "sums":
        return victim.outputs(images, [conv.name])[conv.name][:, held]
    before = input_of(network, conv)
    return _partial_sums(victim, victim.outputs(images, [before])[before], conv, view.senders, held)


def _several_layers(victim: Victim, images: Tensor, layer: MapLayer, held: list[int]) -> Tensor:
    """Return the held maps of every activation up to a layer, all at the size of the largest."""
    seen = _activations(victim.network, layer)
    outputs = victim.outputs(images, [one.name for one in seen])
    size = outputs[seen[0].name].shape[2:]
    maps = [outputs[one.name][:, sorted({p % one.output_maps for p in held})] for one in seen]
    return torch.cat([functional.interpolate(one, size=tuple(size)) for one in maps], dim=1)


def _activations(network: Network, layer: MapLayer) -> list[MapLayer]:
    """Return the activations up to a layer; the layer itself if there are none."""
    upto = [*takewhile(lambda one: one is not layer, map_layers(network)), layer]
    return [one for one in upto if isinstance(one, ActLayer)] or [layer]


def _partial_sums(
    victim: Victim, signal: Tensor, conv: ConvLayer, senders: int, held: list[int]
) -> Tensor:
    """Return what each sender adds to each held map; sender k computes segments k mod s."""
    module = victim.layers[conv.name]
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
class Alignment:
    """Where the maps of a layer lie on the image.

    Attributes
    ----------
    stride : int
        Pixels between neighbouring values of a map.
    border : int
        Values to add on each side so that the map covers the whole image.
    """

    stride: int
    border: int


def alignment(network: Network, layer: MapLayer) -> Alignment:
    """Return how the maps of a layer lie on the image, from the sizes of the layers alone."""
    height, stride, margin = network.image_height, 1, 0
    for one in map_layers(network):
        if isinstance(one, ConvLayer):
            margin += stride * (one.kernel // 2 - conv_padding(one, height))
        elif isinstance(one, PoolLayer):
            stride *= height // one.output_height
        height = one.output_height
        if one is layer:
            break
    return Alignment(stride, -(-margin // stride))
