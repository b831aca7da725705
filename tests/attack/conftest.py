"""A victim trained once, its checkpoint, and few images, for all tests of the attack."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from few_images import write_few_images

from attack.checkpoint import write_checkpoint
from attack.scene_setting import LoadedImages, load_data
from attack.victim_training import TrainedVictim, train_victim


@pytest.fixture(scope="session")
def shipped_data() -> LoadedImages:
    """The images that ship, split."""
    return load_data("lenet", None, 0)


@pytest.fixture(scope="session")
def shipped_victim(shipped_data: LoadedImages) -> TrainedVictim:
    """LeNet after five passes over its images."""
    return train_victim(shipped_data.network, shipped_data.splits, 5, 0, batch=32)


@pytest.fixture(scope="session")
def few_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 300 training and 60 test images of those that ship."""
    return write_few_images(tmp_path_factory.mktemp("data") / "few")


@pytest.fixture(scope="session")
def few_data(few_images: Path) -> LoadedImages:
    """These few images, split."""
    return load_data("lenet", few_images, 0)


@pytest.fixture(scope="session")
def few_victim(few_data: LoadedImages) -> TrainedVictim:
    """LeNet, trained on few images."""
    return train_victim(few_data.network, few_data.splits, 10, 0, batch=16)


@pytest.fixture(scope="session")
def few_checkpoint(
    few_data: LoadedImages, few_victim: TrainedVictim, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The checkpoint of that victim."""
    path = tmp_path_factory.mktemp("victim") / "few.safetensors"
    write_checkpoint(path, few_victim, few_data.images.fingerprint, few_data.seed)
    return path


@pytest.fixture(autouse=True, scope="session")
def quick_guess() -> Iterator[None]:
    """Climb to the most similar image for a tenth of the steps: enough for few images."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("attack.blind_guesses.STEPS", 30)
        yield
