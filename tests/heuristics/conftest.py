"""Where a scheduler's state is kept."""

from pathlib import Path

import pytest


@pytest.fixture
def state(tmp_path) -> Path:
    return tmp_path / "state.json"
