"""Measured SSIM tables of made-up values, sealed as the real ones are."""

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


def around(mean: float, half: float = 0.01) -> ConfidenceInterval:
    return ConfidenceInterval(mean=mean, low=round(mean - half, 4), high=round(mean + half, 4))


def cell(
    row: str,
    maps: int,
    ssim: float,
    subset: str = "random 1",
    layer: str | None = None,
    blind: bool = False,
) -> MeasuredCell:
    """Return a cell whose upper limit lies 0.01 above its mean."""
    made: MeasuredCell = sealed(
        MeasuredCell,
        row=row,
        layer=layer or row.removesuffix(" sums").split()[-1].lower(),
        maps=maps,
        subset=subset,
        held=tuple(range(maps)),
        ssim=around(ssim),
        psnr_db=around(20.0),
        same_label=around(0.5),
        trainings=1,
        blind=blind,
    )
    return made


def settings(view: str = "output", senders: int = 1, colluders: int = 1) -> MeasuredSettings:
    made: MeasuredSettings = sealed(
        MeasuredSettings,
        images=MeasuredImages(
            source="noise",
            fingerprint="0" * 64,
            victim=10,
            attacker=10,
            evaluation=10,
            evaluation_groups=10,
        ),
        victim=MeasuredVictim(
            network="lenet", description="0" * 64, weights="0" * 64, accuracy=0.9, exam_images=10
        ),
        attacker=MeasuredAttacker(
            budget="smoke",
            method="ridge",
            images=10,
            steps=0,
            batch=1,
            width=0,
            restarts=0,
            view=view,
            senders=senders,
            colluders=colluders,
        ),
        seed=0,
        ssim_definition="of the tests",
        confidence=0.95,
        blind=(BlindLevel(guess="black image", ssim=around(0.1), psnr_db=around(8.0)),),
        versions={"torch": "0"},
    )
    return made


def measured_table(*cells: MeasuredCell) -> MeasuredTable:
    made: MeasuredTable = sealed(
        MeasuredTable,
        kind="measured SSIM table",
        schema_version=2,
        command="python -m attack table --out table.json",
        settings=settings(),
        cells=cells,
    )
    return made
