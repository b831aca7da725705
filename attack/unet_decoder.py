"""The decoder of the strong attacker: a small U-Net from what is received to the image.

It works at the size of the maps and below, where convs are cheap and see far, and grows to the size
of the image by pixel shuffles. Large maps are folded first: four neighbouring values become four
channels, at a quarter of the cost. The output starts at the mean grey.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from attack.inverse_network import RecoveryTask, start_grey

LEAK = 0.1
FOLDED_SIZE = 32
"""Side from which on maps are folded."""
LOWEST_SIZE = 8
"""Maps are halved while they are larger than this, at most `MOST_HALVINGS` times."""
MOST_HALVINGS = 2


def _conv(received: int, maps: int, side: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(received, maps, side, padding=side // 2, bias=False),
        nn.BatchNorm2d(maps),
        nn.LeakyReLU(LEAK),
    )


class _Residual(nn.Module):
    def __init__(self, maps: int) -> None:
        super().__init__()
        self.first = _conv(maps, maps)
        self.second = nn.Sequential(
            nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps)
        )

    def forward(self, signal: Tensor) -> Tensor:
        return functional.leaky_relu(signal + self.second(self.first(signal)), LEAK)


class UNetDecoder(nn.Module):
    """U-Net with residual blocks, so many maps wide inside."""

    def __init__(self, task: RecoveryTask, width: int) -> None:
        super().__init__()
        self.border, self.size = task.geometry.border, task.size
        side = task.side + 2 * self.border
        self.fold = 2 if side >= FOLDED_SIZE else 1
        side = -(-side // self.fold)
        received = task.received * self.fold**2
        halvings = min(MOST_HALVINGS, max(0, int(math.log2(side / LOWEST_SIZE))))
        inner = [width * 2] * halvings
        self.enter = nn.Sequential(_conv(received, width), _Residual(width))
        sizes = [width, *inner]
        self.down = nn.ModuleList(
            nn.Sequential(_conv(a, b), _Residual(b)) for a, b in zip(sizes, inner, strict=False)
        )
        self.up = nn.ModuleList(
            nn.Sequential(_conv(a + b, a), _Residual(a))
            for a, b in zip(sizes[-2::-1], sizes[:0:-1], strict=True)
        )
        self.grow = nn.ModuleList(
            nn.Sequential(_conv(width, 2 * width), nn.PixelShuffle(2), _conv(width // 2, width))
            for _ in range(round(math.log2(task.geometry.stride * self.fold)))
        )
        self.leave = nn.Conv2d(width, task.channels, 3, padding=1)
        start_grey(self.leave, task.mean)

    def forward(self, features: Tensor) -> Tensor:
        """Return images in 0..1, shape (n, channels, size, size)."""
        whole = functional.pad(features, [self.border] * 4)
        odd = -whole.shape[2] % self.fold
        signal = self.enter(
            functional.pixel_unshuffle(functional.pad(whole, [0, odd, 0, odd]), self.fold)
        )
        skipped = []
        for step in self.down:
            skipped.append(signal)
            signal = step(functional.avg_pool2d(signal, 2))
        for step in self.up:
            beside = skipped.pop()
            larger = functional.interpolate(signal, size=beside.shape[2:])
            signal = step(torch.cat([beside, larger], dim=1))
        for step in self.grow:
            signal = step(signal)
        return torch.sigmoid(self.leave(signal)[:, :, : self.size, : self.size].float())
