"""Train an attacker: loss, early stopping, restarts when a training collapses or diverges."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attack.budgets import AttackBudget
from attack.inverse_network import InverseNetwork, RecoveryTask
from attack.metrics import ssim
from attack.received_maps import MapGeometry
from attack.ridge_attacker import MapImagePairs, Recovery, fit_ridge, standardisation
from attack.tensors import derived_seed, own_device
from attack.unet_decoder import UNetDecoder

PAPER_RATE = 1e-3
PEAK_RATE = 3e-3
WARM_STEPS = 50
"""Of the U-Net, in which the rate rises to its peak."""
FALLS = (1.0, 0.25, 0.06)
"""Shares of the peak rate: the next one follows when the validation stops improving."""
LOOK_STEPS, LOOK_IMAGES = 125, 800
"""Between two validations of the U-Net, at least."""
USUAL_LOOKS = 14
"""Validations until a training stops, about: 9 to 19 in trials on LeNet's conv2."""
LEAST_GAIN = 1e-3
"""In SSIM, by which a validation must beat all before it for the rate to stay."""
EDGE_WEIGHT = 0.5
"""Of the mean absolute error beside 1 - SSIM in the loss of the strong attacker."""
BATCH_PIXELS = 32 * 32
"""Of images that come in full batches; of larger ones a step takes fewer."""
LEAST_BATCH = 2
LOOKS = 8
"""Times that a training of fixed length is validated."""
MARGIN = 1e-4
"""By which a recovery must beat the best blind guess, in SSIM, not to count as collapsed."""


@dataclass(frozen=True)
class FittedAttacker:
    """A trained attacker."""

    recover: Recovery
    """From received maps to images."""
    attempts: int
    """Trainings that it took; one that collapsed is repeated from another seed."""
    collapsed: bool
    """Whether the last one collapsed too: no better than a blind guess in validation."""


def fit_attacker(
    budget: AttackBudget,
    train: MapImagePairs,
    validation: MapImagePairs,
    geometry: MapGeometry,
    blind_ssim: float,
    seed: int,
) -> FittedAttacker:
    """Fit the attacker of a budget, again from another seed while it does no better than blind.

    `blind_ssim` is that of the best blind guess on the validation's images. Same seed, same
    recovery.
    """
    if budget.method == "ridge":
        recover = fit_ridge(train, validation, geometry)
        score = validation.similarity_of(recover)
        return FittedAttacker(recover, 1, score < blind_ssim + MARGIN)
    for attempt in range(1, budget.restarts + 2):
        torch.manual_seed(derived_seed(seed, attempt))
        recover, score = _train(budget, train, validation, geometry)
        collapsed = not score >= blind_ssim + MARGIN
        if not collapsed:
            break
    return FittedAttacker(recover, attempt, collapsed)


def _train(
    budget: AttackBudget, train: MapImagePairs, validation: MapImagePairs, geometry: MapGeometry
) -> tuple[Recovery, float]:
    """Return the recovery that was best in validation, and its SSIM there (NaN if it diverged)."""
    device = own_device()
    network = _network(budget, train, geometry)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _optimizer(budget, network)
    mean, scale = standardisation(train.features)
    recover = _recovery(network, device, mean, scale)
    size = _batch_size(budget, train.images)
    course = _TrainingCourse(budget, size)
    best = copy.deepcopy(network)
    for step, chosen in enumerate(_batches(len(train.images), size, budget.steps), start=1):
        for group in optimizer.param_groups:
            group["lr"] = course.rate(step)
        features = _prepared(train.features[chosen], mean, scale)
        batch = MapImagePairs(features.to(device), train.images[chosen].to(device))
        loss = _loss(budget, network, batch)
        if not torch.isfinite(loss):
            return recover, math.nan
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if course.must_look(step) and course.is_best(validation.similarity_of(recover)):
            best.load_state_dict(network.state_dict())
        if course.over:
            break
    return _recovery(best, device, mean, scale), course.best


def expected_steps(budget: AttackBudget, images: Tensor) -> int:
    """Return how many steps a training takes; of one that stops by itself, as many as is usual."""
    course = _TrainingCourse(budget, _batch_size(budget, images))
    return budget.steps if course.fixed else min(budget.steps, USUAL_LOOKS * course.every)


class _TrainingCourse:
    """The course of a training: its rate, when to validate, when it is over.

    The inverse networks train for a fixed number of steps at one rate. The U-Net trains until its
    validation stops improving at the lowest rate: each time it does, the rate falls.
    """

    def __init__(self, budget: AttackBudget, size: int) -> None:
        self.fixed, self.steps = budget.method == "paper", budget.steps
        often = max(LOOK_STEPS, LOOK_IMAGES // size)
        self.every = max(1, self.steps // LOOKS) if self.fixed else often
        self.best, self.over = math.nan, False
        self._fallen = 0

    def rate(self, step: int) -> float:
        """Return the rate of a step, counted from 1."""
        if self.fixed:
            return PAPER_RATE
        return PEAK_RATE * FALLS[self._fallen] * min(1.0, step / WARM_STEPS)

    def must_look(self, step: int) -> bool:
        """Tell whether to validate after a step."""
        return step % self.every == 0 or step == self.steps

    def is_best(self, score: float) -> bool:
        """Take a validation, and tell whether none was better."""
        better = not score <= self.best
        stopped = score <= self.best + LEAST_GAIN
        self.best = score if better else self.best
        if stopped and not self.fixed:
            self._fallen += 1
            self.over = self._fallen == len(FALLS)
        return better


def _network(budget: AttackBudget, train: MapImagePairs, geometry: MapGeometry) -> nn.Module:
    (received, side), (channels, size) = train.features.shape[1:3], train.images.shape[1:3]
    task = RecoveryTask(received, side, channels, size, float(train.images.mean()), geometry)
    return InverseNetwork(task) if budget.method == "paper" else UNetDecoder(task, budget.width)


def _optimizer(budget: AttackBudget, network: nn.Module) -> torch.optim.Optimizer:
    if budget.method == "paper":
        return torch.optim.Adam(network.parameters(), PAPER_RATE, amsgrad=True)
    return torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=1e-3)


def _prepared(features: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    normalised = (features.float() - mean) / scale
    return normalised.contiguous(memory_format=torch.channels_last)


def _batch_size(budget: AttackBudget, images: Tensor) -> int:
    height, width = images.shape[2:]
    return max(LEAST_BATCH, min(budget.batch, budget.batch * BATCH_PIXELS // (height * width)))


def _batches(count: int, size: int, steps: int) -> Iterator[Tensor]:
    """Yield the images of each step: every image once before any comes again."""
    left = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(left) < size:
            left = torch.cat([left, torch.randperm(count)])
        yield left[:size]
        left = left[size:]


def _loss(budget: AttackBudget, network: nn.Module, batch: MapImagePairs) -> Tensor:
    recovered = network(batch.features)
    if budget.method == "paper":
        return ((recovered - batch.images) ** 2).mean()
    error = (recovered - batch.images).abs().mean()
    return 1 - ssim(recovered, batch.images).mean() + EDGE_WEIGHT * error


def _recovery(
    network: nn.Module, device: torch.device, mean: Tensor, scale: Tensor
) -> Callable[[Tensor], Tensor]:
    def recover(features: Tensor) -> Tensor:
        network.eval()
        with torch.no_grad():
            parts = [
                network(_prepared(part, mean, scale).to(device)).cpu()
                for part in features.split(128)
            ]
        network.train()
        return torch.cat(parts)

    return recover
