"""A victim: the torch network of a network description, and what its layers put out."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from optmodel.files import InputError
from optmodel.network import ActLayer, ConvLayer, FcLayer, Network, PoolLayer


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
    return twice // 2


class Victim(nn.Module):
    """The network of a description, with weights.

    Parameters
    ----------
    network : Network
        The one source of truth on layers and sizes; batch norm is folded into the convs.

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
            self.layers[layer.name] = self._module(layer, height)
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
            return nn.MaxPool2d(step)
        return nn.Linear(layer.input_neurons, layer.output_neurons)

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
        module = self.layers[name]
        if isinstance(module, nn.Linear):
            signal = signal.flatten(1)
        return module(signal)

    def outputs(self, images: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Return what the wanted layers put out, by their names.

        Parameters
        ----------
        images : Tensor
            Shape (n, channels, height, width), values in 0..1.
        wanted : iterable of str
            Names of layers before the first fc, or "image" for the images themselves.
        """
        names = set(wanted)
        found = {"image": images} if "image" in names else {}
        signal = images
        for layer in self.network.layers:
            if names <= found.keys():
                break
            signal = self._apply_layer(layer.name, signal)
            if layer.name in names:
                found[layer.name] = signal
        return found

    def labels(self, images: Tensor, batch: int = 64) -> Tensor:
        """Return the label, an index of a class, that the network gives each image."""
        with torch.no_grad():
            return torch.cat([self(part).argmax(1) for part in images.split(batch)])
