"""Measure one cell of an SSIM table: some maps of a layer, one attacker, all metrics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attack.attacker_training import FittedAttacker, Shape, fit_attacker
from attack.attacker_view import AttackerView
from attack.blind_guesses import BlindGuess, blind_guesses
from attack.budgets import AttackBudget
from attack.images import Images
from attack.map_subsets import random_subset, worst_subset
from attack.metrics import Estimate, estimate, in_batches, psnr, share_estimate, ssim
from attack.received_maps import (
    MapLayer,
    alignment,
    conv_before,
    find_layer,
    layer_received,
    received,
    row_of,
)
from attack.ridge_attacker import MapImagePairs, fit_ridge
from attack.tensors import as_floats, derived_seed
from attack.victim import VictimNetwork
from instances.measured import Interval, MeasuredCell, sealed

DIGITS = 4
SEARCH_PIXELS = 400 * 32 * 32
"""Of the images on which the search for the worst subset fits, and of those on which it scores."""


@dataclass(frozen=True)
class CellKey:
    """Which cell.

    Attributes
    ----------
    row : str
        Row of the table, or a layer, as the user named it.
    maps : int
        Maps that one device holds.
    subset : str
        "random 1", "random 2", ..., "worst", or "all" where a device holds every map.
    """

    row: str
    maps: int
    subset: str


@dataclass(frozen=True, eq=False)
class AttackScene:
    """What all cells share; sent to every worker once.

    Attributes
    ----------
    victim : VictimNetwork
        The network attacked.
    training, validation : Images
        The attacker's own images.
    evaluation : Images
        On which all is measured.
    budget : AttackBudget
        The attacker's means.
    view : AttackerView
        What is held.
    seed : int
        Of subsets and trainings.
    """

    victim: VictimNetwork
    training: Images
    validation: Images
    evaluation: Images
    budget: AttackBudget
    view: AttackerView
    seed: int

    def training_images(self) -> Tensor:
        """Return what the attacker fits on; colour images also mirrored, if it trains."""
        images = as_floats(self.training)
        if self.budget.method == "strong" and images.shape[1] == 3:
            images = torch.cat([images, images.flip(3)])
        return images


def measure_cell(scene: AttackScene, key: CellKey) -> MeasuredCell:
    """Attack one cell.

    Parameters
    ----------
    scene : AttackScene
        What all cells share.
    key : CellKey
        Which maps of which layer.

    Returns
    -------
    MeasuredCell
        Same scene and key, same cell, on any worker of one kind of machine.
    """
    return _measured(scene, key, attack_cell(scene, key))


@dataclass(frozen=True, eq=False)
class CellRecovery:
    """What became of the attack on one cell.

    Attributes
    ----------
    layer : ConvLayer, ActLayer or PoolLayer
        Whose maps were held.
    held : tuple of int
        Indices of these maps, from 0.
    fitted : FittedAttacker
        The attacker.
    images, recovery : Tensor
        The images of the evaluation and what was recovered of them; the blind guess where all
        trainings did worse than it. Shape (n, channels, height, width), values in 0..1.
    groups : ndarray of int64, shape (n,)
        Photo or person of each image.
    """

    layer: MapLayer
    held: tuple[int, ...]
    fitted: FittedAttacker
    images: Tensor
    recovery: Tensor
    groups: NDArray[np.int64]

    def similarity(self) -> Interval:
        """Return the SSIM of the recovered images with the private ones."""
        return self.interval_of(in_batches(ssim, self.recovery, self.images))

    def interval_of(self, values: NDArray[np.float64]) -> Interval:
        """Return the mean of one value per image, with its interval over photos and persons."""
        return interval(estimate(values, self.groups))


def attack_cell(scene: AttackScene, key: CellKey) -> CellRecovery:
    """Recover the images of the evaluation from the maps of one cell.

    Same scene and key, same images, on any worker of one kind of machine.
    """
    torch.set_num_threads(1)
    layer = find_layer(scene.victim.network, key.row)
    held = held_maps(scene, layer, key)
    training, validation, evaluation = (
        MapImagePairs(_held(scene, part, layer, held), images)
        for part, images in _parts(scene).items()
    )
    guess = best_guess(scene)
    blind = float(guess.similarity(validation.images).mean())
    seed = derived_seed(scene.seed, key, held)
    fitted = fit_attacker(scene.budget, training, validation, _shape(scene, layer), blind, seed)
    recovery = recovered(fitted, guess, evaluation)
    return CellRecovery(layer, held, fitted, evaluation.images, recovery, scene.evaluation.groups)


def recovered(fitted: FittedAttacker, guess: BlindGuess, evaluation: MapImagePairs) -> Tensor:
    """Return the recovered images; the blind guess where all trainings did worse than it."""
    if fitted.collapsed:
        return guess.for_images(evaluation.images)
    return fitted.recover(evaluation.features)


def best_guess(scene: AttackScene) -> BlindGuess:
    """Return the guess that does best on the images on which the attacker validates."""
    images = as_floats(scene.validation)
    guesses = blind_guesses(scene.training, scene.seed)
    return max(guesses, key=lambda guess: float(guess.similarity(images).mean()))


def held_maps(scene: AttackScene, layer: MapLayer, key: CellKey) -> tuple[int, ...]:
    """Return the maps of a cell; those of all colluding devices together."""
    maps = layer.output_maps
    count = min(maps, key.maps * scene.view.colluders)
    if count == maps:
        return tuple(range(maps))
    if key.subset != "worst":
        return random_subset(maps, count, scene.seed, key.subset)
    search = _Search(scene, layer)
    return worst_subset(maps, count, search.score, search.single_scores(), scene.seed)


class _Search:
    """The quick attacker that compares subsets, on the attacker's own images."""

    def __init__(self, scene: AttackScene, layer: MapLayer) -> None:
        self.scene, self.layer = scene, layer
        self.aligned = _shape(scene, layer).aligned

    def score(self, held: Sequence[int]) -> float:
        fit, check = (self._few(part, held) for part in ("training", "validation"))
        recover = fit_ridge(fit, check, self.aligned)
        return float(in_batches(ssim, recover(check.features), check.images).mean())

    def _few(self, part: str, held: Sequence[int]) -> MapImagePairs:
        images = _parts(self.scene)[part]
        few = images[: max(1, SEARCH_PIXELS // images[0, 0].numel())]
        return MapImagePairs(_held(self.scene, part, self.layer, held, len(few)), few)

    def single_scores(self) -> tuple[float, ...]:
        return _single_scores(self.scene, self.layer)


@lru_cache(maxsize=4)
def _single_scores(scene: AttackScene, layer: MapLayer) -> tuple[float, ...]:
    search = _Search(scene, layer)
    return tuple(search.score([p]) for p in range(layer.output_maps))


@lru_cache(maxsize=1)
def _parts(scene: AttackScene) -> dict[str, Tensor]:
    return {
        "training": scene.training_images(),
        "validation": as_floats(scene.validation),
        "evaluation": as_floats(scene.evaluation),
    }


def _held(
    scene: AttackScene, part: str, layer: MapLayer, held: Sequence[int], most: int | None = None
) -> Tensor:
    """Return what the holder receives for the first images of a part, or for all.

    Where whole maps are held, all maps of a layer are computed once.
    """
    if scene.view.kind == "output":
        return _all_maps(scene, layer)[part][:most, list(held)]
    return received(scene.victim, _parts(scene)[part][:most], layer, scene.view, held)


@lru_cache(maxsize=1)
def _all_maps(scene: AttackScene, layer: MapLayer) -> dict[str, Tensor]:
    """Return all maps of a layer for all images, in 16-bit floats."""
    every = range(layer.output_maps)
    return {
        part: torch.cat(
            [
                received(scene.victim, chunk, layer, scene.view, every).half()
                for chunk in images.split(256)
            ]
        )
        for part, images in _parts(scene).items()
    }


def _shape(scene: AttackScene, layer: MapLayer) -> Shape:
    network = scene.victim.network
    seen = layer_received(network, layer, scene.view)
    return Shape(alignment(network, seen), conv_before(network, seen).kernel)


def _measured(scene: AttackScene, key: CellKey, attacked: CellRecovery) -> MeasuredCell:
    images, recovery = attacked.images, attacked.recovery
    same = scene.victim.labels(recovery) == scene.victim.labels(images)
    cell: MeasuredCell = sealed(
        MeasuredCell,
        row=row_of(attacked.layer),
        layer=attacked.layer.name,
        maps=key.maps,
        subset=key.subset,
        held=attacked.held,
        ssim=attacked.similarity(),
        psnr_db=attacked.interval_of(in_batches(psnr, recovery, images)),
        same_label=interval(share_estimate(same.numpy(), attacked.groups)),
        trainings=attacked.fitted.attempts,
        blind=attacked.fitted.collapsed,
    )
    return cell


def interval(value: Estimate) -> Interval:
    """Return an estimate with four decimals, its limits rounded outwards."""
    unit = 10**DIGITS
    return Interval(
        mean=round(value.mean, DIGITS),
        low=math.floor(value.low * unit) / unit,
        high=math.ceil(value.high * unit) / unit,
    )
