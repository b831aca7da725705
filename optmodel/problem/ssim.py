"""A table of measured leakage: how similar the best recovery from n feature maps is."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from optmodel.ground.json_files import StrictModel
from optmodel.ground.rule_errors import refuse_repeated
from optmodel.problem.network import Count, Identifier


class SsimMeasurement(StrictModel):
    """The best recovery from a number of maps."""

    maps: Count
    """Maps that one device holds."""
    ssim: Annotated[float, Field(ge=-1, le=1)]
    """Structural similarity of the recovered and the private image, no unit."""


class SsimRow(StrictModel):
    """What the output maps of one block of layers give away."""

    row: Identifier
    """Name by which layers refer to the row."""
    measurements: Annotated[tuple[SsimMeasurement, ...], Field(min_length=1)]
    """At least one measurement."""

    @model_validator(mode="after")
    def _maps_are_measured_once(self) -> Self:
        refuse_repeated("measurements", "maps", (m.maps for m in self.measurements))
        return self


class SsimTable(StrictModel):
    """Measured leakage, and how much above the tolerance still counts as safe."""

    source: Annotated[str, Field(max_length=1000)]
    """Where the measurements come from."""
    slack: Annotated[float, Field(ge=0, le=1)]
    """A share is safe when env(n) <= tolerance + slack; 0 for measured tables."""
    rows: Annotated[tuple[SsimRow, ...], Field(min_length=1)]
    """One row per block of layers."""

    @model_validator(mode="after")
    def _rows_are_unique(self) -> Self:
        refuse_repeated("rows", "row", (r.row for r in self.rows))
        return self

    def find(self, name: str) -> SsimRow | None:
        """Return the row of that name, None if there is none."""
        return next((row for row in self.rows if row.row == name), None)
