"""The inverse networks of He, Zhang and Lee (ACSAC 2019): transposed convs from maps to image.

The output has a sigmoid and a bias that starts at the mean grey, and hidden layers leak: with ReLU
and without that bias most trainings collapse to a black image.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attack.received_maps import MapGeometry

LAST_HIDDEN_MAPS = 64
"""Before the last transposed conv; 128 in all hidden layers before it, as in the published code."""
LEAK = 0.1


@dataclass(frozen=True)
class RecoveryTask:
    """What a network that recovers images is built for."""

    received: int
    """Channels received."""
    side: int
    """Side of the received maps, in values."""
    channels: int
    """Of the image."""
    size: int
    """Side of the image, in pixels."""
    mean: float
    """Mean pixel of the attacker's images, 0..1."""
    geometry: MapGeometry
    """Where the maps lie on the image."""


class InverseNetwork(nn.Module):
    """Transposed convs that undo, last to first, what made the maps.

    Behind a conv without padding the first one grows the maps by what the conv cut off; then one of
    stride 2 undoes each pool; where the convs are padded, one of stride 1 makes the image.
    """

    def __init__(self, task: RecoveryTask) -> None:
        super().__init__()
        self.size, kernel = task.size, task.geometry.kernel
        doublings = round(math.log2(task.geometry.stride))
        cut = min(task.geometry.border, kernel // 2)
        strides = [1, *[2] * doublings] if cut else [*[2] * doublings, 1]
        layers: list[nn.Module] = []
        maps, side = task.received, task.side
        for k, stride in enumerate(strides, start=1):
            last = k == len(strides)
            target = task.size if last else side * stride + (2 * cut if k == 1 else 0)
            before_last = k == len(strides) - 1
            out = task.channels if last else LAST_HIDDEN_MAPS * (1 if before_last else 2)
            layers.append(_transposed_conv(maps, out, kernel, stride, side, target))
            layers += [] if last else [nn.LeakyReLU(LEAK)]
            maps, side = out, target
        start_grey(layers[-1], task.mean)
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return images in 0..1, shape (n, channels, size, size)."""
        signal = self.layers(features).float()
        if signal.shape[2] != self.size:
            signal = nn.functional.interpolate(signal, size=(self.size, self.size), mode="bilinear")
        return torch.sigmoid(signal)


def _transposed_conv(
    received: int, maps: int, kernel: int, stride: int, side: int, target: int
) -> nn.ConvTranspose2d:
    """Return a transposed conv that makes maps of the target side, or the nearest that it can."""
    excess = (side - 1) * stride + kernel - target
    padding = max(0, -(-excess // 2))
    rest = min(2 * padding - excess, stride - 1)
    return nn.ConvTranspose2d(received, maps, kernel, stride, padding, output_padding=rest)


def start_grey(layer: nn.Module, mean: float) -> None:
    """Set the bias of the layer before the sigmoid so that it starts at the mean grey."""
    assert isinstance(layer.bias, Tensor)
    kept = min(max(mean, 0.01), 0.99)
    nn.init.constant_(layer.bias, math.log(kept / (1 - kept)))
