"""Few of the images that ship, as a folder that the commands read; scenes made of them."""

import dataclasses
from pathlib import Path

import numpy as np
from image_files import idx

from attack.budgets import AttackBudget
from attack.cell_attack import AttackScene
from attack.data import load_images
from attack.scene_setting import LoadedImages, set_scene, view_of
from attack.victim_training import TrainedVictim
from instances.cnns import NETWORKS

TRAINING, TEST = 300, 60


def write_few_images(folder: Path, training: int = TRAINING, test: int = TEST) -> Path:
    """Write the first so many of the images that ship as IDX files."""
    images = load_images(None, NETWORKS["lenet"]())
    folder.mkdir()
    for part, chosen in (("train", ~images.test), ("t10k", images.test)):
        kept = np.flatnonzero(chosen)[: training if part == "train" else test]
        content = {"images-idx3": images.pixels[kept, 0], "labels-idx1": images.labels[kept]}
        for name, values in content.items():
            (folder / f"{part}-{name}-ubyte").write_bytes(idx(values.astype(np.uint8)))
    return folder


def scene_of(
    data: LoadedImages,
    trained: TrainedVictim,
    budget: AttackBudget | None = None,
    kind: str = "output",
    senders: int = 1,
    colluders: int = 1,
) -> AttackScene:
    """Return a scene of the smoke budget, or of another that has no name."""
    scene = set_scene(data, trained, "smoke", view_of(kind, senders, colluders))
    return dataclasses.replace(scene, budget=budget or scene.budget)
