"""Write down what a scene consists of: the settings of a measured table."""

import dataclasses
import hashlib
import platform
from importlib.metadata import version

import numpy as np

from attack.blind_guesses import BlindGuess
from attack.cell_attack import AttackScene
from attack.checkpoint import network_fingerprint
from attack.metrics import SSIM_DEFINITION, estimate, in_batches, psnr
from attack.scene_setting import LoadedImages
from attack.tensors import as_floats
from attack.victim_training import TrainedVictim
from instances.measured import (
    CONFIDENCE,
    BlindLevel,
    MeasuredAttacker,
    MeasuredImages,
    MeasuredSettings,
    MeasuredVictim,
    sealed,
)

SOFTWARE = ("numpy", "scikit-image", "torch")


def describe(
    loaded: LoadedImages, trained: TrainedVictim, scene: AttackScene, budget: str
) -> MeasuredSettings:
    """Return the settings of a table that a budget of that name measures."""
    levels = tuple(_blind_level(scene, guess) for guess in scene.guesses)
    settings: MeasuredSettings = sealed(
        MeasuredSettings,
        images=MeasuredImages(
            source=loaded.images.source,
            fingerprint=loaded.images.fingerprint,
            victim=len(loaded.splits.victim),
            attacker=len(scene.training) + len(scene.validation),
            evaluation=len(scene.evaluation),
            evaluation_groups=len(np.unique(scene.evaluation.groups)),
        ),
        victim=_victim(trained),
        attacker=_attacker(scene, budget),
        seed=scene.seed,
        ssim_definition=SSIM_DEFINITION,
        confidence=CONFIDENCE,
        blind=levels,
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in SOFTWARE},
        },
    )
    return settings


def _blind_level(scene: AttackScene, guess: BlindGuess) -> BlindLevel:
    images, groups = as_floats(scene.evaluation), scene.evaluation.groups
    noise = in_batches(psnr, guess.for_images(images), images)
    return BlindLevel(
        guess=guess.name,
        ssim=estimate(guess.similarity(images), groups),
        psnr_db=estimate(noise, groups),
    )


def _victim(trained: TrainedVictim) -> MeasuredVictim:
    network = trained.victim.network
    weights = hashlib.sha256()
    for name, tensor in trained.victim.state_dict().items():
        weights.update(name.encode())
        weights.update(tensor.contiguous().numpy().tobytes())
    return MeasuredVictim(
        network=network.id,
        description=network_fingerprint(network),
        weights=weights.hexdigest(),
        accuracy=round(trained.accuracy, 4),
        exam_images=trained.exam_images,
    )


def _attacker(scene: AttackScene, name: str) -> MeasuredAttacker:
    view = scene.view
    return MeasuredAttacker(
        budget=name,
        view=view.kind,
        senders=view.senders,
        colluders=view.colluders,
        **dataclasses.asdict(scene.budget),
    )
