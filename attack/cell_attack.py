"""Measure one cell of an SSIM table: some maps of a layer, one attacker, all metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from attack.attacker_training import FittedAttacker, fit_attacker
from attack.attacker_view import AttackerView
from attack.blind_guesses import BlindGuess
from attack.budgets import AttackBudget
from attack.images import Images
from attack.map_subsets import random_subset, worst_subset
from attack.metrics import estimate, in_batches, psnr, share_estimate, ssim
from attack.received_maps import MapLayer, find_layer, map_geometry, received, row_of
from attack.ridge_attacker import MapImagePairs, fit_ridge
from attack.tensors import as_floats, derived_seed
from attack.victim import VictimNetwork
from instances.measured import ConfidenceInterval, MeasuredCell, sealed

SEARCH_PIXELS = 400 * 32 * 32
"""Of the images on which the search for the worst subset fits, and of those on which it scores."""


@dataclass(frozen=True)
class CellKey:
    """Which cell."""

    row: str
    """Row of the table, or a layer, as the user named it."""
    maps: int
    """Maps that one device holds."""
    subset: str
    """"random 1", "random 2", ..., "worst", or "all" where a device holds every map."""


@dataclass(frozen=True, eq=False)
class AttackScene:
    """What all cells share; sent to every worker once."""

    victim: VictimNetwork
    """The network attacked."""
    training: Images
    """The attacker's own."""
    validation: Images
    """The attacker's own, too."""
    evaluation: Images
    """On which all is measured."""
    budget: AttackBudget
    """The attacker's means."""
    view: AttackerView
    """What is held."""
    seed: int
    """Of subsets and trainings."""
    guesses: tuple[BlindGuess, ...]
    """What the training images tell of any image."""


def measure_cell(scene: AttackScene, key: CellKey) -> MeasuredCell:
    """Attack one cell and measure what was recovered.

    Same scene and key, same cell, on any worker of one kind of machine.
    """
    found = attack_cell(scene, key)
    images, groups = _parts(scene)["evaluation"], scene.evaluation.groups
    same = scene.victim.labels(found.images) == scene.victim.labels(images)
    cell: MeasuredCell = sealed(
        MeasuredCell,
        row=row_of(found.layer),
        layer=found.layer.name,
        maps=key.maps,
        subset=key.subset,
        held=found.held,
        ssim=found.similarity,
        psnr_db=estimate(in_batches(psnr, found.images, images), groups),
        same_label=share_estimate(same.numpy(), groups),
        trainings=found.fitted.attempts,
        blind=found.fitted.collapsed,
    )
    return cell


@dataclass(frozen=True, eq=False)
class CellRecovery:
    """What became of the attack on one cell."""

    layer: MapLayer
    """Whose maps were held."""
    held: tuple[int, ...]
    """Indices of these maps, from 0."""
    fitted: FittedAttacker
    """The attacker."""
    images: Tensor
    """What was recovered of the evaluation's images; the blind guess where all trainings did worse.

    Shape (n, channels, height, width), values in 0..1.
    """
    similarity: ConfidenceInterval
    """SSIM of the recovered images with the private ones."""


def attack_cell(scene: AttackScene, key: CellKey) -> CellRecovery:
    """Recover the images of the evaluation from the maps of one cell.

    Same scene and key, same images, on any worker of one kind of machine.
    """
    torch.set_num_threads(1)
    layer = find_layer(scene.victim.network, key.row)
    held = held_maps(scene, layer, key)
    training, validation, evaluation = (_pairs(scene, part, layer, held) for part in _parts(scene))
    guess = best_guess(scene)
    blind = float(guess.similarity(validation.images).mean())
    geometry = map_geometry(scene.victim.network, layer, scene.view)
    seed = derived_seed(scene.seed, key, held)
    fitted = fit_attacker(scene.budget, training, validation, geometry, blind, seed)
    if fitted.collapsed:
        recovered = guess.for_images(evaluation.images)
    else:
        recovered = fitted.recover(evaluation.features)
    values = in_batches(ssim, recovered, evaluation.images)
    similarity = estimate(values, scene.evaluation.groups)
    return CellRecovery(layer, held, fitted, recovered, similarity)


def best_guess(scene: AttackScene) -> BlindGuess:
    """Return the guess that does best on the images on which the attacker validates."""
    images = as_floats(scene.validation)
    return max(scene.guesses, key=lambda guess: float(guess.similarity(images).mean()))


def held_maps(scene: AttackScene, layer: MapLayer, key: CellKey) -> tuple[int, ...]:
    """Return the maps of a cell; those of all colluding devices together."""
    maps = layer.output_maps
    count = min(maps, key.maps * scene.view.colluders)
    if count == maps:
        return tuple(range(maps))
    if key.subset != "worst":
        return random_subset(maps, count, scene.seed, key.subset)
    score = partial(quick_score, scene, layer)
    return worst_subset(maps, count, score, _single_scores(scene, layer), scene.seed)


def quick_score(scene: AttackScene, layer: MapLayer, held: Sequence[int]) -> float:
    """Return the SSIM that the ridge reaches with some maps on few of the attacker's own images."""
    few = max(1, SEARCH_PIXELS // scene.training.pixels[0, 0].size)
    fit, check = (_pairs(scene, part, layer, held, few) for part in ("training", "validation"))
    geometry = map_geometry(scene.victim.network, layer, scene.view)
    return check.similarity_of(fit_ridge(fit, check, geometry))


@lru_cache(maxsize=4)
def _single_scores(scene: AttackScene, layer: MapLayer) -> tuple[float, ...]:
    return tuple(quick_score(scene, layer, [p]) for p in range(layer.output_maps))


@lru_cache(maxsize=1)
def _parts(scene: AttackScene) -> dict[str, Tensor]:
    """Return the images; the attacker fits on colour images also mirrored, if it trains."""
    training = as_floats(scene.training)
    if scene.budget.method == "strong" and training.shape[1] == 3:
        training = torch.cat([training, training.flip(3)])
    return {
        "training": training,
        "validation": as_floats(scene.validation),
        "evaluation": as_floats(scene.evaluation),
    }


def _pairs(
    scene: AttackScene, part: str, layer: MapLayer, held: Sequence[int], most: int | None = None
) -> MapImagePairs:
    """Return the first images of a part, or all, with what the holder receives of them.

    Where whole maps are held, all maps of a layer are computed once.
    """
    images = _parts(scene)[part][:most]
    if scene.view.kind == "output":
        return MapImagePairs(_all_maps(scene, layer)[part][:most, list(held)], images)
    return MapImagePairs(received(scene.victim, images, layer, scene.view, held), images)


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
