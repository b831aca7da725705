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

IMAGES = MeasuredImages(
    source="noise",
    fingerprint="f" * 64,
    victim=900,
    attacker=800,
    evaluation=500,
    evaluation_groups=500,
)
VICTIM = MeasuredVictim(
    network="lenet", description="d" * 64, weights="w" * 64, accuracy=0.957, exam_images=500
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


def settings(
    budget: str = "smoke",
    view: str = "output",
    senders: int = 1,
    colluders: int = 1,
    images: MeasuredImages = IMAGES,
    victim: MeasuredVictim = VICTIM,
    blind: float = 0.12,
) -> MeasuredSettings:
    made: MeasuredSettings = sealed(
        MeasuredSettings,
        images=images,
        victim=victim,
        attacker=MeasuredAttacker(
            budget=budget,
            method="ridge",
            images=800,
            steps=0,
            batch=32,
            width=0,
            restarts=2,
            view=view,
            senders=senders,
            colluders=colluders,
        ),
        seed=0,
        ssim_definition="of the tests",
        confidence=0.95,
        blind=(BlindLevel(guess="mean image", ssim=around(blind), psnr_db=around(10.0)),),
        versions={"torch": "0"},
    )
    return made


def measured_table(*cells: MeasuredCell, **told: object) -> MeasuredTable:
    """Return a table of some cells, whose settings are told where they are not the usual ones."""
    made: MeasuredTable = sealed(
        MeasuredTable,
        kind="measured SSIM table",
        schema_version=2,
        command="python -m attack table --out table.json",
        settings=settings(**told),
        cells=cells,
    )
    return made
