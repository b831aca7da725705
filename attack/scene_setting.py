"""Set the scene of an attack: load images, split them, train or read the victim, pick the means."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rich.progress import Progress

from attack.attacker_view import VIEW_KINDS, AttackerView, ViewKind
from attack.blind_guesses import blind_guesses
from attack.budgets import BUDGETS
from attack.cell_attack import AttackScene
from attack.checkpoint import read_checkpoint
from attack.data import load_images
from attack.images import Images
from attack.splits import ImageSplits, require_enough, split, with_validation
from attack.victim import require_attackable
from attack.victim_training import TrainedVictim, train_victim
from instances.networks import find_network
from optmodel.ground.command_line import errors, require_choice
from optmodel.ground.rule_errors import OptionError
from optmodel.problem import Network

MOST_VICTIM_IMAGES = 10_000
VALIDATION_SHARE = 0.1
"""Of the attacker's images, or photos, that validate."""


@dataclass(frozen=True)
class LoadedImages:
    """Images of a network, split."""

    network: Network
    """The victim's."""
    images: Images
    """All of them."""
    splits: ImageSplits
    """Of victim, attacker and evaluation."""
    seed: int
    """Of the splits."""


def load_data(network: str, path: Path | None, seed: int) -> LoadedImages:
    """Load and split the images of a network.

    Raises
    ------
    InputError
        If the network is unknown or the images cannot be used.
    """
    description = find_network(network)
    require_attackable(description)
    images = load_images(path, description)
    splits = split(images, seed)
    require_enough(splits)
    few = ImageSplits(splits.victim.first(MOST_VICTIM_IMAGES), splits.attacker, splits.evaluation)
    return LoadedImages(description, images, few, seed)


def victim_of(data: LoadedImages, checkpoint: Path | None, epochs: int) -> TrainedVictim:
    """Return a victim, read from a checkpoint or trained now, with a progress bar.

    Raises
    ------
    InputError
        If the checkpoint does not fit or the training fails.
    """
    if checkpoint is not None:
        return read_checkpoint(checkpoint, data.network, data.images.fingerprint, data.seed)
    with Progress(console=errors, disable=not errors.is_terminal) as bar:
        task = bar.add_task(f"Training {data.network.id}")
        return train_victim(
            data.network,
            data.splits,
            epochs,
            data.seed,
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def view_of(kind: str, senders: int, colluders: int) -> AttackerView:
    """Return the view that options name.

    Raises
    ------
    OptionError
        If there is no such view, or senders are given for another than partial sums.
    """
    require_choice("view", kind, VIEW_KINDS)
    if kind != "partial" and senders != 1:
        raise OptionError(
            "senders", "expected it with --view partial, got another view; leave it out"
        )
    return AttackerView(cast(ViewKind, kind), senders, colluders)


def set_scene(
    data: LoadedImages, trained: TrainedVictim, budget: str, view: AttackerView
) -> AttackScene:
    """Return what all cells share; the attacker gets as many images as its budget says.

    Raises
    ------
    OptionError
        If the budget is unknown.
    """
    require_choice("budget", budget, BUDGETS)
    means = BUDGETS[budget]
    own = data.splits.attacker.first(means.images)
    training, validation = with_validation(own, VALIDATION_SHARE, data.seed)
    return AttackScene(
        victim=trained.victim,
        training=training,
        validation=validation,
        evaluation=data.splits.evaluation,
        budget=means,
        view=view,
        seed=data.seed,
        guesses=blind_guesses(training, data.seed),
    )
