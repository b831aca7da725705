"""What an attacker may spend: which method, how many images, how long, on how many subsets."""

from dataclasses import dataclass
from typing import Literal

Method = Literal["ridge", "paper", "strong"]
"""The closed form; the inverse networks of He et al.; a residual U-Net."""


@dataclass(frozen=True)
class AttackBudget:
    """An attacker's means."""

    method: Method
    images: int
    """Pairs of received maps and image that it has at most, a tenth of them for validation."""
    steps: int = 0
    """Of training, 0 where there is none. The U-Net takes fewer if its validation stops improving.
    """
    batch: int = 32
    """Images in a step, if they have no more than 32 x 32 pixels; fewer of larger ones."""
    width: int = 0
    """Maps inside the U-Net."""
    restarts: int = 2
    """Trainings that may follow one that collapsed."""


BUDGETS: dict[str, AttackBudget] = {
    "smoke": AttackBudget("ridge", images=1_000),
    "paper": AttackBudget("paper", images=2_500, steps=350),
    "published": AttackBudget("paper", images=50_000, steps=78_100),
    "strong": AttackBudget("strong", images=6_000, steps=40_000, batch=16, width=32),
}
"""By the name that `--budget` takes.

"published" is what the published code of He et al. runs: 50 passes over 50,000 images.
"""
