"""Train a victim on its share of the images, with batch norm that is folded away at the end."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from attack.images import Images
from attack.splits import ImageSplits
from attack.tensors import as_floats, derived_seed, threads
from attack.victim import VictimNetwork
from optmodel.ground.rule_errors import InputError
from optmodel.problem import FcLayer, Network

BATCH = 64
"""Images in a step."""
PEAK_RATE = 2e-3
WEIGHT_DECAY = 1e-3
LABEL_SMOOTHING = 0.1
SHIFT = 2
"""Pixels by which images are moved at most while a victim trains."""
SMALL = 10_000_000
"""Multiplications per image up to which a second thread costs more than it brings."""
EXAM_SHARE = 10
"""One image in so many is kept from a victim whose classes are not those of the evaluation."""


@dataclass(frozen=True)
class TrainedVictim:
    """A victim and how well it does on images that it has not seen."""

    victim: VictimNetwork
    """In evaluation mode."""
    accuracy: float
    """Share of the unseen images that it labels right."""
    exam_images: int
    """How many these are."""


def lessons(splits: ImageSplits) -> tuple[Images, Images]:
    """Return what the victim learns from and what it is examined on.

    That is the evaluation's images, unless these show other classes, as other photos and other
    persons do: then a tenth of the victim's own.
    """
    own, unseen = splits.victim, splits.evaluation
    if set(unseen.labels) <= set(own.labels):
        return own, unseen
    exam = np.arange(len(own.labels)) % EXAM_SHARE == 0
    return own.take(np.flatnonzero(~exam)), own.take(np.flatnonzero(exam))


def train_victim(
    network: Network,
    splits: ImageSplits,
    epochs: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    batch: int = BATCH,
) -> TrainedVictim:
    """Train a network, in passes over its images of so many a step, to label images.

    Same seed, same weights on one kind of machine, whatever its number of cores. `progress` is
    told the steps done and the steps in all.

    Raises
    ------
    InputError
        If there are more classes than outputs, or the loss is not a number.
    """
    _refuse_more_classes_than_outputs(network, splits.victim)
    learned, exam = lessons(splits)
    torch.manual_seed(derived_seed("victim", seed))
    victim = VictimNetwork(network)
    pupil = _NormalisedVictim(victim)
    with threads(_threads_for(network)):
        _fit(pupil, as_floats(learned), torch.from_numpy(learned.labels), epochs, batch, progress)
    pupil.fold()
    victim.eval()
    right = victim.labels(as_floats(exam)) == torch.from_numpy(exam.labels)
    return TrainedVictim(victim, float(right.double().mean()), len(exam.labels))


def _refuse_more_classes_than_outputs(network: Network, images: Images) -> None:
    last, classes = network.layers[-1], len(images.classes)
    outputs = last.output_neurons if isinstance(last, FcLayer) else 0
    if outputs < classes:
        raise InputError(
            f"{images.source}: expected at most {outputs} classes, which is what '{network.id}' "
            f"tells apart, got {classes}; name another network or fewer classes"
        )


def _threads_for(network: Network) -> int:
    """Return how many threads train it: not what the machine has, as sums would round otherwise."""
    work = sum(one.multiplications_per_segment * one.input_maps for one in network.layers)
    return 1 if work <= SMALL else 2


class _NormalisedVictim(nn.Module):
    """A victim with a batch norm behind every conv, for training only."""

    def __init__(self, victim: VictimNetwork) -> None:
        super().__init__()
        self.victim = victim
        convs = {name: m for name, m in victim.layers.items() if isinstance(m, nn.Conv2d)}
        self.norms = nn.ModuleDict(
            {name: nn.BatchNorm2d(conv.out_channels) for name, conv in convs.items()}
        )

    def forward(self, images: Tensor) -> Tensor:
        signal = images
        *_, last = self.victim.layers
        for name, module in self.victim.layers.items():
            signal = module(signal.flatten(1) if isinstance(module, nn.Linear) else signal)
            if name in self.norms:
                signal = self.norms[name](signal)
            if isinstance(module, nn.Linear) and name != last:
                signal = functional.dropout(functional.relu(signal), 0.3, self.training)
        return signal

    def fold(self) -> None:
        """Fold every batch norm into its conv."""
        self.eval()
        for name, norm in self.norms.items():
            conv = self.victim.layers[name]
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            self.victim.layers[name] = fuse_conv_bn_eval(conv, norm)


def _fit(
    pupil: _NormalisedVictim,
    images: Tensor,
    labels: Tensor,
    epochs: int,
    batch: int,
    progress: Callable[[int, int], None],
) -> None:
    pupil.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pupil.train()
    per_epoch = -(-len(images) // batch)
    steps = per_epoch * epochs
    optimizer = torch.optim.AdamW(pupil.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for epoch in range(epochs):
        order = torch.randperm(len(images))
        for step, chosen in enumerate(order.split(batch)):
            if len(chosen) > 1:
                _step(pupil, optimizer, _moved(images[chosen]), labels[chosen])
            schedule.step()
            progress(epoch * per_epoch + step + 1, steps)


def _step(
    pupil: _NormalisedVictim, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> None:
    logits = pupil(images.contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    if not torch.isfinite(loss):
        raise InputError(
            f"victim: expected a finite loss, got {loss.item()}; check the images or take another "
            "seed"
        )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _moved(images: Tensor) -> Tensor:
    """Return images moved by up to `SHIFT` pixels; colour images are also mirrored at random."""
    height, width = images.shape[2:]
    padded = functional.pad(images, [SHIFT] * 4)
    down, right = (int(torch.randint(2 * SHIFT + 1, ())) for _ in range(2))
    moved = padded[:, :, down : down + height, right : right + width]
    if images.shape[1] == 3:
        flipped = torch.rand(len(images)) < 0.5
        moved = torch.where(flipped[:, None, None, None], moved.flip(3), moved)
    return moved
