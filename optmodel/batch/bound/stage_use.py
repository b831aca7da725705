"""What the placements of one stage use, group by group, and what that costs and loads."""

from dataclasses import dataclass

import numpy as np

from optmodel.problem import FloatArray, RequestTask
from optmodel.stages import RequestStage


@dataclass(frozen=True, eq=False)
class StageUse:
    """Numbers, or the prices of one, for each group of the fleet; each of shape (groups,)."""

    segments: FloatArray
    """Segments of the last layer that nodes compute."""
    active: FloatArray
    """Nodes that compute some."""
    kept: FloatArray
    """Maps of the first layer on nodes that computed the layer before, which need not be sent.
    Their price is saved."""
    moved: FloatArray
    """Maps that nodes send after an act or pool."""


class LoadTariff:
    """What one of each loads the budgets with."""

    def __init__(self, task: RequestTask, stage: RequestStage) -> None:
        last = task.layers[stage.last]
        self.segment = np.array([last.weight_bytes, last.multiplications], dtype=float)
        following = task.layers[stage.last + 1 : stage.last + 2]
        self.active = float(last.output_bits * following[0].segments) if following else 0.0
        self.kept = float(task.layers[stage.first - 1].output_bits) if stage.first else 0.0
        between = task.layers[stage.first : stage.last]
        # After which of these layers a map moves is open: the least bits bound it.
        self.moved = float(min((layer.output_bits for layer in between), default=0))

    def prices(self, prices: FloatArray) -> StageUse:
        """Return what one of each costs, given seconds per byte, multiplication and bit."""
        return StageUse(
            segments=self.segment @ prices[:2],
            active=self.active * prices[2],
            kept=self.kept * prices[2],
            moved=self.moved * prices[2],
        )

    def load(self, use: StageUse) -> FloatArray:
        """Return the bytes, multiplications and bits of a use, shape (3, groups)."""
        bits = self.active * use.active - self.kept * use.kept + self.moved * use.moved
        return np.vstack([np.outer(self.segment, use.segments), bits])
