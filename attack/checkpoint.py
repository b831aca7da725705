"""Keep a trained victim as safetensors, with what it was trained on; never as a pickle."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from attack.victim import VictimNetwork
from attack.victim_training import TrainedVictim
from optmodel.ground.json_files import StrictModel, parse_model
from optmodel.ground.rule_errors import InputError, one_line
from optmodel.ground.whole_files import read_bytes, write_bytes
from optmodel.problem import Count, Network

MAX_CHECKPOINT_BYTES = 2_000_000_000


class CheckpointOrigin(StrictModel):
    """What a checkpoint says of itself."""

    network: str
    """SHA-256 of the network's description."""
    images: str
    """Fingerprint of the images."""
    seed: int
    """Of splits and training."""
    accuracy: Annotated[float, Field(ge=0, le=1)]
    """Share of unseen images labelled right."""
    exam_images: Count
    """How many these were."""


def network_fingerprint(network: Network) -> str:
    """Return the SHA-256 of a description."""
    return hashlib.sha256(network.model_dump_json().encode()).hexdigest()


def write_checkpoint(path: Path, trained: TrainedVictim, images: str, seed: int) -> None:
    """Write a victim and its origin, atomically.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    origin = CheckpointOrigin(
        network=network_fingerprint(trained.victim.network),
        images=images,
        seed=seed,
        accuracy=trained.accuracy,
        exam_images=trained.exam_images,
    )
    weights = {name: t.contiguous() for name, t in trained.victim.state_dict().items()}
    write_bytes(path, save(weights, {"origin": origin.model_dump_json()}))


def read_checkpoint(path: Path, network: Network, images: str, seed: int) -> TrainedVictim:
    """Read a victim back.

    Raises
    ------
    InputError
        If the file is not safetensors, or was made from another network, other images or another
        seed, or holds other weights than the network has.
    """
    content = read_bytes(path, MAX_CHECKPOINT_BYTES)
    weights, header = _parsed(path, content)
    origin = _origin(path, header)
    for field, expected, got in (
        ("network", network_fingerprint(network), one_line(origin.network)),
        ("images", images, one_line(origin.images)),
        ("seed", str(seed), str(origin.seed)),
    ):
        if expected != got:
            raise InputError(
                f"{path}: {field}: expected {expected[:12]}, got {got[:12]}; it belongs to "
                "another network, other images or another seed: train the victim again"
            )
    return TrainedVictim(_victim(path, network, weights), origin.accuracy, origin.exam_images)


def _parsed(path: Path, content: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights and header: 8 bytes of length, then JSON."""
    try:
        weights = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"{path}: expected a safetensors file, got '{one_line(str(error))}'; write one with "
            "python -m attack victim"
        ) from error
    except KeyError as error:  # a type of safetensors for which torch has none
        raise InputError(
            f"{path}: expected weights of the type F32, got {error.args[0]}; train the victim again"
        ) from error
    return weights, header


def _origin(path: Path, header: dict[str, Any]) -> CheckpointOrigin:
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or "origin" not in metadata:
        raise InputError(
            f"{path}: expected a checkpoint that says what it was trained on, got none; write one "
            "with python -m attack victim"
        )
    return parse_model(metadata["origin"].encode(), CheckpointOrigin, f"{path}: origin")


def _victim(path: Path, network: Network, weights: dict[str, Tensor]) -> VictimNetwork:
    victim = VictimNetwork(network)
    expected = {name: _kind(tensor) for name, tensor in victim.state_dict().items()}
    got = {name: _kind(tensor) for name, tensor in weights.items()}
    for name in sorted({*expected, *got}):
        if expected.get(name) != got.get(name):
            raise InputError(
                f"{path}: {one_line(name)}: expected {expected.get(name, 'no such weights')}, got "
                f"{got.get(name, 'none')}; train the victim again"
            )
        if not torch.isfinite(weights[name]).all():
            raise InputError(
                f"{path}: {name}: expected finite weights, got others; train the victim again"
            )
    victim.load_state_dict(weights)
    return victim.eval()


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape {tuple(tensor.shape)}"
