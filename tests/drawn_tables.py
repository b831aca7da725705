"""Measured tables made by hand, for tests of what is drawn of them."""

from instances.measured import (
    BlindLevel,
    ConfidenceInterval,
    MeasuredAttacker,
    MeasuredCell,
    MeasuredImages,
    MeasuredSettings,
    MeasuredTable,
    MeasuredVictim,
    sealed,
)

IMAGES = MeasuredImages(
    source="pictures",
    fingerprint="f" * 64,
    victim=900,
    attacker=800,
    evaluation=500,
    evaluation_groups=500,
)
VICTIM = MeasuredVictim(
    network="lenet", description="d" * 64, weights="w" * 64, accuracy=0.957, exam_images=500
)
LAYERS = {"MNIST Conv1": "conv1", "MNIST Conv2": "conv2"}


def around(mean: float, half: float = 0.02) -> ConfidenceInterval:
    return ConfidenceInterval(mean=mean, low=mean - half, high=mean + half)


def attacker(budget: str, view: str = "output") -> MeasuredAttacker:
    return MeasuredAttacker(
        budget=budget,
        method="ridge",
        images=800,
        steps=0,
        batch=32,
        width=0,
        restarts=2,
        view=view,
        senders=1,
        colluders=1,
    )


def cell(row: str, maps: int, subset: str, mean: float, blind: bool = False) -> MeasuredCell:
    made: MeasuredCell = sealed(
        MeasuredCell,
        row=row,
        layer=LAYERS[row],
        maps=maps,
        subset=subset,
        held=tuple(range(maps)),
        ssim=around(mean),
        psnr_db=around(15.0),
        same_label=around(0.5),
        trainings=1,
        blind=blind,
    )
    return made


CELLS = (
    cell("MNIST Conv1", 8, "all", 0.9),
    cell("MNIST Conv1", 2, "random 1", 0.5),
    cell("MNIST Conv1", 2, "worst", 0.7),
    cell("MNIST Conv2", 4, "worst", 0.3),
)


def table(
    budget: str = "smoke",
    view: str = "output",
    cells: tuple[MeasuredCell, ...] = CELLS,
    images: MeasuredImages = IMAGES,
    victim: MeasuredVictim = VICTIM,
    blind: float = 0.12,
) -> MeasuredTable:
    settings = sealed(
        MeasuredSettings,
        images=images,
        victim=victim,
        attacker=attacker(budget, view),
        seed=0,
        ssim_definition="made by hand",
        confidence=0.95,
        blind=(BlindLevel(guess="mean image", ssim=around(blind), psnr_db=around(10.0)),),
        versions={},
    )
    made: MeasuredTable = sealed(
        MeasuredTable,
        kind="measured SSIM table",
        schema_version=2,
        command="-",
        settings=settings,
        cells=cells,
    )
    return made
