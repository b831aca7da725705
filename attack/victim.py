"""A victim: the torch network of a network description, and what its layers put out."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from attack.metrics import RADIUS
from optmodel.ground.rule_errors import InputError
from optmodel.problem import ActLayer, ConvLayer, FcLayer, Network, PoolLayer, SlidingWindow

LEAST_SIDE = 2 * RADIUS + 1
"""Of images, in pixels: below, the window of SSIM does not fit."""
MOST_WEIGHTS = 400_000_000
"""Whose checkpoint, of 4 bytes each, can be read back."""

TAKEN = frozenset(dir(nn.ModuleDict()))
"""Names that no module in a dictionary of modules can have."""


def conv_padding(layer: ConvLayer, height: int) -> int:
    """Return the zero padding on each side with which a conv keeps to its described size.

    Raises
    ------
    InputError
        If no padding does.
    """
    twice = layer.output_height - height + layer.kernel - 1
    if twice < 0 or twice % 2:
        raise InputError(
            f"layer '{layer.name}': expected a size that kernel {layer.kernel} makes of {height} "
            f"with equal padding and stride 1, got {layer.output_height}; correct its size"
        )
    _refuse_other_windows(layer, height, SlidingWindow(layer.kernel, 1, twice // 2))
    return twice // 2


def _refuse_other_windows(layer: ConvLayer | PoolLayer, height: int, built: SlidingWindow) -> None:
    """Refuse a layer that states another window than the one built from its sizes.

    Raises
    ------
    InputError
        If its kernel, stride or padding is another.
    """
    for stated in layer.windows:
        asked = SlidingWindow(
            stated.side or built.side,
            stated.stride or built.stride,
            stated.padding if isinstance(stated.padding, int) else built.padding,
        )
        alike = replace(built, padding=stated.padding).makes(height, layer.output_height)
        if asked != built or not alike:
            raise InputError(
                f"layer '{layer.name}': expected kernel {built.side}, stride {built.stride} and "
                f"{built.padding} pixels of padding, as its size tells, got another window stated; "
                "attack a network whose convs have stride 1 and whose pools do not overlap"
            )


def _module_name(layer: str) -> str:
    """Return a name that torch takes for a module: no dot, and none of its own attributes."""
    escaped = layer.replace("%", "%25").replace(".", "%2E")
    return f"%{escaped}" if escaped in TAKEN else escaped


def require_attackable(network: Network) -> None:
    """Refuse a network that cannot be attacked, before its images are loaded.

    Raises
    ------
    InputError
        If images or maps are not square, images are too small for the window of SSIM, or there
        are too many weights.
    """
    sides = [("the image", network.image_height, network.image_width)]
    weights = 0
    for layer in network.layers:
        weights += layer.weights_per_segment * layer.input_maps
        if not isinstance(layer, FcLayer):
            sides.append((f"layer '{layer.name}'", layer.output_height, layer.output_width))
    for name, height, width in sides:
        if height != width:
            raise InputError(
                f"network '{network.id}': expected square images and maps, got {height} x {width} "
                f"of {name}; describe the network for square images"
            )
    if network.image_height < LEAST_SIDE:
        raise InputError(
            f"network '{network.id}': expected images of at least {LEAST_SIDE} x {LEAST_SIDE} "
            f"pixels, the window of SSIM, got {network.image_height} x {network.image_width}; "
            "attack a network of larger images"
        )
    if weights > MOST_WEIGHTS:
        raise InputError(
            f"network '{network.id}': expected at most {MOST_WEIGHTS:,} weights, got {weights:,}; "
            "correct its sizes"
        )


class VictimNetwork(nn.Module):
    """The network of a description, with weights; batch norm is folded into the convs.

    Raises
    ------
    InputError
        If a size is not one that stride 1 convs and max pools with equal steps make.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.layers = nn.ModuleDict()
        height = network.image_height
        for layer in network.layers:
            self.layers[_module_name(layer.name)] = self._module(layer, height)
            height = height if isinstance(layer, FcLayer) else layer.output_height

    def _module(self, layer: ConvLayer | ActLayer | PoolLayer | FcLayer, height: int) -> nn.Module:
        if isinstance(layer, ConvLayer):
            padding = conv_padding(layer, height)
            return nn.Conv2d(layer.input_maps, layer.output_maps, layer.kernel, padding=padding)
        if isinstance(layer, ActLayer):
            return nn.ReLU()
        if isinstance(layer, PoolLayer):
            step, rest = divmod(height, layer.output_height)
            if rest >= step:
                raise InputError(
                    f"layer '{layer.name}': expected a size that equal steps make of {height}, got "
                    f"{layer.output_height}; correct its size"
                )
            _refuse_other_windows(layer, height, SlidingWindow(step, step, 0))
            return nn.MaxPool2d(step)
        return nn.Linear(layer.input_neurons, layer.output_neurons)

    def module_of(self, layer: str) -> nn.Module:
        """Return the module of a layer, by the layer's name."""
        return self.layers[_module_name(layer)]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, channels, height, width)."""
        signal = images
        last = self.network.layers[-1].name
        for layer in self.network.layers:
            signal = self._apply_layer(layer.name, signal)
            if isinstance(layer, FcLayer) and layer.name != last:
                signal = functional.relu(signal)
        return signal

    def _apply_layer(self, name: str, signal: Tensor) -> Tensor:
        module = self.module_of(name)
        if isinstance(module, nn.Linear):
            signal = signal.flatten(1)
        return module(signal)

    def maps_behind(self, images: Tensor, count: int) -> Tensor:
        """Return what the first so many layers, all before the first fc, make of images 0..1."""
        for layer in self.network.layers[:count]:
            images = self._apply_layer(layer.name, images)
        return images

    def labels(self, images: Tensor, batch: int = 64) -> Tensor:
        """Return the label, an index of a class, that the network gives each image."""
        with torch.no_grad():
            return torch.cat([self(part).argmax(1) for part in images.split(batch)])
