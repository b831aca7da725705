"""Measured SSIM tables: cells with intervals and settings, and the table of caps they make.

The room `attack/` writes them. A file that was edited by hand is refused: every part carries the
SHA-256 of its content.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from optmodel.ground.finished_runs import KeyedRun
from optmodel.ground.json_files import StrictModel
from optmodel.ground.rule_errors import RuleError, refuse_repeated
from optmodel.problem import Count, Identifier, SsimMeasurement, SsimRow, SsimTable

CONFIDENCE = 0.95
LIMITING = frozenset({"worst", "all"})
"""Subsets of maps of which caps are made."""
SUMS = " sums"
"""Ends the name of a row that was measured on the sums of convs, before the activation."""
CellName = tuple[str, int, str]
"""Layer, number of maps, subset."""
Text = Annotated[str, Field(max_length=2000)]
SealedT = TypeVar("SealedT", bound="MeasuredCell | MeasuredSettings | MeasuredCells")


def sums_row(row: str) -> str:
    """Return the row for the sums of the convs whose finished maps are of a row."""
    return row + SUMS


def content_sha256(part: StrictModel) -> str:
    """Return the SHA-256 of what a part says, but for its own `sha256`."""
    content = part.model_dump(mode="json", exclude={"sha256"}, exclude_none=True)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refuse_edited(part: SealedT) -> SealedT:
    expected, got = content_sha256(part), part.sha256
    if got != expected:
        raise RuleError(
            "sha256",
            f"{expected[:12]}..., which its content gives",
            f"{got[:12]}...",
            "a measured table is not edited: measure again, or write a plain SSIM table",
        )
    return part


class ConfidenceInterval(StrictModel):
    """A mean over the evaluation's images; its 95 % confidence limits over photos or persons."""

    mean: float
    """Mean over images."""
    low: float
    """Lower limit, rounded down."""
    high: float
    """Upper limit, rounded up."""

    @model_validator(mode="after")
    def _limits_enclose_the_mean(self) -> Self:
        if not self.low <= self.mean <= self.high:
            raise RuleError(
                "mean", f"a value in {self.low} .. {self.high}", str(self.mean), "measure again"
            )
        return self


class BlindLevel(StrictModel):
    """What a guess that needs no feature map reaches."""

    guess: Identifier
    """What is guessed: the mean image, a black one, or the one most similar to all."""
    ssim: ConfidenceInterval
    """Similarity of the guess with the images, no unit."""
    psnr_db: ConfidenceInterval
    """Its peak signal-to-noise ratio, in decibels."""


class MeasuredCell(KeyedRun):
    """One recovery: some maps of one layer, attacked."""

    row: Identifier
    """Row of the SSIM table."""
    layer: Identifier
    """Layer whose maps are held."""
    maps: Count
    """Maps that one device holds."""
    subset: Identifier
    """Which maps: "random 1", "random 2", ..., "worst", found by a search, or "all" there are."""
    held: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    """Indices of the maps, from 0; more than `maps` where devices collude."""
    ssim: ConfidenceInterval
    """Similarity of recovered and private images, no unit."""
    psnr_db: ConfidenceInterval
    """Peak signal-to-noise ratio, in decibels."""
    same_label: ConfidenceInterval
    """Share of recovered images that the victim labels as it does the private ones."""
    trainings: Annotated[int, Field(ge=1)]
    """How many it took: one that collapsed is repeated."""
    blind: bool
    """Whether all of them did no better than the best blind guess, which then stands here."""
    sha256: str
    """Of this cell."""
    _is_as_measured = model_validator(mode="after")(_refuse_edited)

    @property
    def key(self) -> CellName:
        """Layer, maps and subset, by which finished cells are known."""
        return self.layer, self.maps, self.subset


class MeasuredImages(StrictModel):
    """The images behind a table."""

    source: Text
    """Name of the data."""
    fingerprint: str
    """SHA-256 of pixels and labels."""
    victim: Count
    """Images that the victim was given."""
    attacker: Count
    """Images that the attacker had, its validation included."""
    evaluation: Count
    """Images on which everything is measured."""
    evaluation_groups: Annotated[int, Field(ge=2)]
    """Photos or persons that these show."""


class MeasuredVictim(StrictModel):
    """The network that was attacked."""

    network: Identifier
    """Name of the network."""
    description: str
    """SHA-256 of its description."""
    weights: str
    """SHA-256 of its weights."""
    accuracy: Annotated[float, Field(ge=0, le=1)]
    """Share of unseen images that it labels right."""
    exam_images: Count
    """How many these were."""


class MeasuredAttacker(StrictModel):
    """Who attacked, with what means, and what it held."""

    budget: Identifier
    """Name of the budget."""
    method: Identifier
    """ridge, paper or strong."""
    images: Count
    """Pairs of received maps and image at most."""
    steps: Annotated[int, Field(ge=0)]
    """Of training, at most where it ends once its validation stops improving."""
    batch: Count
    """Images in a step."""
    width: Annotated[int, Field(ge=0)]
    """Maps inside the decoder; 0 where it has none."""
    restarts: Annotated[int, Field(ge=0)]
    """Trainings that may follow one that collapsed."""
    view: Identifier
    """What is held: output or partial."""
    senders: Count
    """Senders of partial sums."""
    colluders: Count
    """Devices that pool their shares."""

    def describe(self) -> str:
        """Return budget and view in a few words."""
        pooled = f", {self.colluders} devices" if self.colluders > 1 else ""
        senders = f" of {self.senders} senders" if self.view == "partial" else ""
        return f"{self.budget} attacker, {self.view}{senders}{pooled}"


class MeasuredSettings(StrictModel):
    """Everything that a cell depends on, but for which maps it holds."""

    images: MeasuredImages
    """What was recovered."""
    victim: MeasuredVictim
    """From which network."""
    attacker: MeasuredAttacker
    """By whom."""
    seed: Annotated[int, Field(ge=0)]
    """Of splits, subsets and trainings."""
    ssim_definition: Text
    """Window, data range, channels."""
    confidence: Annotated[float, Field(ge=CONFIDENCE, le=CONFIDENCE)]
    """Of every interval."""
    blind: Annotated[tuple[BlindLevel, ...], Field(min_length=1)]
    """Guesses that need no map."""
    versions: dict[str, str]
    """Of the software."""
    sha256: str
    """Of these settings."""
    _are_as_measured = model_validator(mode="after")(_refuse_edited)


class MeasuredCells(StrictModel):
    """Cells of one scene, finished so far."""

    kind: Literal["unfinished measured SSIM table"]
    """Tells this file from a finished table."""
    schema_version: Literal[2]
    """Of the file format; tables of the first version understate what leaks, and are refused."""
    command: Text
    """The command that writes the file."""
    settings: MeasuredSettings
    """What all cells share."""
    cells: tuple[MeasuredCell, ...]
    """One per layer, number of maps and subset."""
    sha256: str
    """Of the whole file."""

    @model_validator(mode="after")
    def _cells_are_unique(self) -> Self:
        refuse_repeated("cells", "subset", (cell.key for cell in self.cells))
        return self

    _is_as_written = model_validator(mode="after")(_refuse_edited)


class MeasuredTable(MeasuredCells):
    """An SSIM table as it was measured: whole, so that caps can be made of it."""

    kind: Literal["measured SSIM table"]  # type: ignore[assignment]
    """Tells this file from a plain SSIM table."""
    cells: Annotated[tuple[MeasuredCell, ...], Field(min_length=1)]
    """One per layer, number of maps and subset; of each number of maps the worst subset."""

    @model_validator(mode="after")
    def _worst_subsets_are_there(self) -> Self:
        """Refuse a mean over random subsets as a limit: a helper may get the telling maps."""
        limited = {(cell.layer, cell.maps) for cell in self.cells if cell.subset in LIMITING}
        for cell in self.cells:
            if (cell.layer, cell.maps) not in limited:
                raise RuleError(
                    "cells",
                    f"the worst subset of {cell.maps} maps of layer '{cell.layer}'",
                    f"'{cell.subset}' only",
                    "measure it: run the table's command again",
                )
        return self

    def _require_sums(self) -> None:
        """Refuse caps of finished maps alone."""
        rows = {cell.row for cell in self.cells}
        for row in sorted(rows):
            if not row.endswith(SUMS) and sums_row(row) not in rows:
                raise RuleError(
                    "cells",
                    f"the row '{sums_row(row)}' too, as whoever computes an activation gets sums",
                    f"'{row}' alone",
                    "measure both, with the same --out",
                )

    def caps_table(self) -> SsimTable:
        """Return the table that caps are made of: the upper limit of the worst subset, no slack.

        Cells of several layers of one row count for the row: the worst stands. So do those of the
        finished maps for the row of their sums, from which whoever holds these can make them. Cells
        whose every training failed say nothing: their number of maps counts as not measured.

        Raises
        ------
        RuleError
            If nothing was measured of a row, or not of the sums that become its maps.
        """
        self._require_sums()
        rows = dict.fromkeys(cell.row for cell in self.cells)
        measured = [cell for cell in self.cells if not cell.blind]
        for row in rows.keys() - {cell.row for cell in measured}:
            raise RuleError(
                "cells",
                f"a cell of row '{row}' whose attacker did better than a blind guess",
                "none",
                "measure the row with a larger --budget",
            )
        settings = self.settings
        return SsimTable(
            source=(
                f"measured: {settings.victim.network} on {settings.images.source}, "
                f"{settings.attacker.describe()}, upper {CONFIDENCE:.0%} limit of the worst "
                f"subset, settings {settings.sha256[:12]}"
            ),
            slack=0.0,
            rows=tuple(
                SsimRow(row=row, measurements=_worst(c for c in measured if _tells_of(c, row)))
                for row in rows
            ),
        )


def _tells_of(cell: MeasuredCell, row: str) -> bool:
    """Tell whether whoever holds maps of a row can attack as in a cell."""
    return row in (cell.row, sums_row(cell.row))


def _worst(cells: Iterable[MeasuredCell]) -> tuple[SsimMeasurement, ...]:
    worst: dict[int, float] = {}
    for cell in cells:
        worst[cell.maps] = max(worst.get(cell.maps, -1.0), min(1.0, cell.ssim.high))
    return tuple(SsimMeasurement(maps=maps, ssim=worst[maps]) for maps in sorted(worst))


def sealed(model: type[StrictModel], **content: Any) -> Any:
    """Return a part with the SHA-256 of its content."""
    unsealed = model.model_construct(**content)
    return model.model_validate({**content, "sha256": content_sha256(unsealed)})
