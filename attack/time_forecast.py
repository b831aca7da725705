"""What a table will cost, told before it starts: a few steps of each row are timed."""

import dataclasses
import time
from collections.abc import Sequence

from attack.attacker_training import expected_steps
from attack.cell_attack import AttackScene, CellKey, measure_cell
from attack.tensors import as_floats

PROBE_IMAGES = 64
PROBE_STEPS = 3
CLOSED_FORM_SHARE = 4
"""How much longer the ridge takes for all images than for those of the probe."""


def seconds_of_cells(scene: AttackScene, keys: Sequence[CellKey]) -> float:
    """Return about how many seconds of one core the cells take.

    The largest number of maps of each row is probed.
    """
    largest = {key.row: key for key in sorted(keys, key=lambda key: key.maps)}
    few = _with_few_images(scene)
    each = {row: _seconds_of_cell(few, key) for row, key in largest.items()}
    return sum(each[key.row] for key in keys)


def _with_few_images(scene: AttackScene) -> AttackScene:
    return dataclasses.replace(
        scene,
        training=scene.training.first(PROBE_IMAGES * 2),
        validation=scene.validation.first(PROBE_IMAGES // 4),
        evaluation=scene.evaluation.first(PROBE_IMAGES),
    )


def _seconds_of_cell(few: AttackScene, key: CellKey) -> float:
    key = dataclasses.replace(key, subset="random 1")
    none, some = (_seconds_of_probe(few, key, steps) for steps in (1, 1 + PROBE_STEPS))
    if few.budget.method == "ridge":
        return none * CLOSED_FORM_SHARE
    steps = expected_steps(few.budget, as_floats(few.training.first(1)))
    return none + max(some - none, 0.0) / PROBE_STEPS * steps


def _seconds_of_probe(few: AttackScene, key: CellKey, steps: int) -> float:
    budget = dataclasses.replace(few.budget, steps=steps, restarts=0)
    begun = time.perf_counter()
    measure_cell(dataclasses.replace(few, budget=budget), key)
    return time.perf_counter() - begun
