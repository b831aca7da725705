"""Train an attacker: loss, early stopping, restarts when a training collapses or diverges."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from attack.budgets import Budget
from attack.decoder import Decoder
from attack.inverse import InverseNetwork
from attack.metrics import in_batches, ssim
from attack.ridge import Pairs, Recovery, fit_ridge, standardisation
from attack.tensors import derived_seed, own_device
from attack.views import Alignment

PAPER_RATE = 1e-3
PEAK_RATE = 4e-3
RISE = 0.2
"""Share of the steps in which the rate rises to its peak."""
EDGE_WEIGHT = 0.5
"""Of the mean absolute error beside 1 - SSIM in the loss of the strong attacker."""
BATCH_PIXELS = 32 * 32
"""Of images that come in full batches; of larger ones a step takes fewer."""
LEAST_BATCH = 2
LOOKS = 8
"""Times that a training is validated."""
PATIENCE = 3
"""Looks without a better validation after which a training ends."""
MARGIN = 1e-4
"""By which a recovery must beat the best blind guess, in SSIM, not to count as collapsed."""


@dataclass(frozen=True)
class Shape:
    """What a recovery network must know of the layer and of the images.

    Attributes
    ----------
    aligned : Alignment
        Where the maps lie on the image.
    kernel : int
        Side of the kernel of the conv behind the maps.
    """

    aligned: Alignment
    kernel: int


@dataclass(frozen=True)
class Fitted:
    """A trained attacker.

    Attributes
    ----------
    recover : Recovery
        From received maps to images.
    attempts : int
        Trainings that it took; one that collapsed is repeated from another seed.
    collapsed : bool
        Whether the last one collapsed too: no better than a blind guess in validation.
    """

    recover: Recovery
    attempts: int
    collapsed: bool


def fit_attacker(
    budget: Budget, train: Pairs, validation: Pairs, shape: Shape, blind_ssim: float, seed: int
) -> Fitted:
    """Fit the attacker of a budget, again from another seed while it does no better than blind.

    Parameters
    ----------
    budget : Budget
        Method, steps, restarts.
    train, validation : Pairs
        What the attacker has.
    shape : Shape
        Of the layer.
    blind_ssim : float
        SSIM of the best blind guess on the validation images.
    seed : int
        Same seed, same recovery.
    """
    if budget.method == "ridge":
        recover = fit_ridge(train, validation, shape.aligned)
        return Fitted(recover, 1, _score(recover, validation) < blind_ssim + MARGIN)
    for attempt in range(1, budget.restarts + 2):
        torch.manual_seed(derived_seed(seed, attempt))
        recover, score = _train(budget, train, validation, shape)
        collapsed = not score >= blind_ssim + MARGIN
        if not collapsed:
            break
    return Fitted(recover, attempt, collapsed)


def _score(recover: Recovery, validation: Pairs) -> float:
    return float(in_batches(ssim, recover(validation.features), validation.images).mean())


def _train(budget: Budget, train: Pairs, validation: Pairs, shape: Shape) -> tuple[Recovery, float]:
    """Return the recovery that was best in validation, and its SSIM there (NaN if it diverged)."""
    device = own_device()
    network = _network(budget, train, shape)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer, schedule = _optimizer(budget, network)
    mean, scale = standardisation(train.features)
    recover = _recovery(network, device, mean, scale)
    best, best_score, waited = network, math.nan, 0
    looks = _looks(budget.steps)
    for step, chosen in enumerate(_batches(train.images, budget), start=1):
        features = _prepared(train.features[chosen], mean, scale)
        batch = Pairs(features.to(device), train.images[chosen].to(device))
        loss = _loss(budget, network, batch)
        if not torch.isfinite(loss):
            return recover, math.nan
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step in looks:
            score = _score(recover, validation)
            waited += 1
            if not score <= best_score:
                best, best_score, waited = copy.deepcopy(network), score, 0
            if waited >= PATIENCE:
                break
    return _recovery(best, device, mean, scale), best_score


def _looks(steps: int) -> set[int]:
    """Return the steps after which to validate; the rate falls, so most lie late."""
    return {max(1, round(steps * math.sqrt(k / LOOKS))) for k in range(1, LOOKS + 1)}


def _network(budget: Budget, train: Pairs, shape: Shape) -> nn.Module:
    received, side = train.features.shape[1:3]
    channels, size = train.images.shape[1:3]
    mean = float(train.images.mean())
    if budget.method == "paper":
        return InverseNetwork(received, side, shape.aligned, shape.kernel, channels, size, mean)
    return Decoder(received, side, shape.aligned, channels, size, budget.width, mean)


def _optimizer(
    budget: Budget, network: nn.Module
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    if budget.method == "paper":
        adam = torch.optim.Adam(network.parameters(), PAPER_RATE, amsgrad=True)
        return adam, torch.optim.lr_scheduler.ConstantLR(adam, factor=1.0, total_iters=0)
    adamw = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=1e-3)
    return adamw, torch.optim.lr_scheduler.LambdaLR(adamw, partial(_one_cycle, budget.steps))


def _one_cycle(steps: int, step: int) -> float:
    """Return the share of the peak rate: a straight rise, then half a cosine down to nothing."""
    risen = max(1.0, RISE * steps)
    if step < risen:
        return (step + 1) / (risen + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - risen) / max(1.0, steps - risen))))


def _prepared(features: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    normalised = ((features.float() - mean) / scale).bfloat16()
    return normalised.contiguous(memory_format=torch.channels_last)


def _batches(images: Tensor, budget: Budget) -> list[Tensor]:
    """Return the images of each step: every image once before any comes again."""
    count, _, height, width = images.shape
    size = max(LEAST_BATCH, min(budget.batch, budget.batch * BATCH_PIXELS // (height * width)))
    epochs = -(-budget.steps * size // count)
    order = torch.cat([torch.randperm(count) for _ in range(epochs)])
    return list(order.split(size))[: budget.steps]


def _loss(budget: Budget, network: nn.Module, batch: Pairs) -> Tensor:
    with torch.autocast(batch.images.device.type, torch.bfloat16):
        recovered = network(batch.features).float()
    if budget.method == "paper":
        return ((recovered - batch.images) ** 2).mean()
    error = (recovered - batch.images).abs().mean()
    return 1 - ssim(recovered, batch.images).mean() + EDGE_WEIGHT * error


def _recovery(
    network: nn.Module, device: torch.device, mean: Tensor, scale: Tensor
) -> Callable[[Tensor], Tensor]:
    def recover(features: Tensor) -> Tensor:
        network.eval()
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            parts = [
                network(_prepared(part, mean, scale).to(device)).float().cpu()
                for part in features.split(128)
            ]
        network.train()
        return torch.cat(parts)

    return recover
