"""Where a request is cut into stages: behind each layer whose output is broadcast (conv or fc)."""

from dataclasses import dataclass
from functools import lru_cache

from optmodel.problem.arrays import LayerTask, RequestTask


@dataclass(frozen=True)
class StageCut:
    """Layers `first` to `last` of a request, of which only the last computes and broadcasts."""

    first: int
    last: int
    """Indices of the layers, from 0."""
    gathers: bool
    """Whether the last layer is held by a single node."""


def stage_cuts(task: RequestTask) -> tuple[StageCut, ...]:
    """Cut a request behind each conv and fc, and behind its last layer."""
    return _cuts(task.layers)


@lru_cache(maxsize=2**8)
def _cuts(layers: tuple[LayerTask, ...]) -> tuple[StageCut, ...]:
    ends = [k for k, layer in enumerate(layers) if layer.transfer == "broadcast"]
    if not ends or ends[-1] != len(layers) - 1:
        ends.append(len(layers) - 1)
    firsts = [0, *(last + 1 for last in ends[:-1])]
    single = [layers[last].whole or len(layers[last].hosts) == 1 for last in ends]
    return tuple(map(StageCut, firsts, ends, single))


def broadcast_bits(task: RequestTask, cut: StageCut) -> int:
    """Return the bits that an active node broadcasts behind a stage, own segments included."""
    if cut.last + 1 == len(task.layers):
        return 0
    return task.layers[cut.last].output_bits * task.layers[cut.last + 1].segments
