"""From SSIM measurements to caps Nf and split points, in exact decimals (8f, 8h).

A table tells, for each row (the output maps of a block of layers), how similar the best recovery
is to the private image when one device holds n of the maps. The reading of the paper that fixes
every rule below is on the documentation page "Reading of the paper".
"""

from dataclasses import dataclass
from fractions import Fraction

from optmodel.ground.rule_errors import RuleError
from optmodel.problem.network import FcLayer, Network
from optmodel.problem.ssim import SsimRow, SsimTable


def exact(number: float) -> Fraction:
    """Return the decimal that was written in the file: 0.41 is 41/100, not the nearest double."""
    return Fraction(repr(number))


def envelope(row: SsimRow) -> list[tuple[int, Fraction]]:
    """Return pairs (n, env(n)), n increasing: the best recovery from at most n measured maps.

    An attacker who holds more maps can ignore some, so env never falls.
    """
    best = Fraction(-1)
    pairs = []
    for measurement in sorted(row.measurements, key=lambda m: m.maps):
        best = max(best, exact(measurement.ssim))
        pairs.append((measurement.maps, best))
    return pairs


@dataclass(frozen=True)
class MapShare:
    """How many maps of one kind a single helper may hold at a tolerance."""

    at_risk: bool
    """Whether all maps together would give away too much."""
    limit: int | None
    """Nf, the largest safe number of maps; None if not at risk, 0 if no share is safe."""
    lowest_ssim: Fraction
    """Similarity reached with the smallest measured number of maps."""


def admissible_share(row: SsimRow, maps: int, threshold: Fraction) -> MapShare:
    """Return the share of `maps` maps that one helper may hold.

    Parameters
    ----------
    row : SsimRow
        Measurements for these maps.
    maps : int
        Number of maps that the layer puts out, P.
    threshold : Fraction
        Largest safe similarity: tolerance plus slack.
    """
    measured = envelope(row)
    safe = [n for n, similarity in measured if similarity <= threshold]
    all_maps = next((similarity for n, similarity in measured if n >= maps), None)
    lowest = measured[0][1]
    if all_maps is not None and all_maps <= threshold:
        return MapShare(at_risk=False, limit=None, lowest_ssim=lowest)
    return MapShare(at_risk=True, limit=max(safe, default=0), lowest_ssim=lowest)


@dataclass(frozen=True)
class Protection:
    """The privacy limits of one network at one tolerance."""

    outputs: tuple[MapShare | None, ...]
    """Per layer, the share of its output maps that a helper may hold; None for fc layers."""
    split_point: int
    """SP: the last layer (counted from 1) whose output is at risk, 0 if none."""

    def cap(self, layer: int) -> int | None:
        """Return Nf for the maps that `layer` (index from 0) receives (8f).

        None means no cap; 0 means that no helper may see those maps.
        """
        share = self.outputs[layer - 1] if layer else None
        return share.limit if share else None


def protect(network: Network, table: SsimTable, tolerated_ssim: float) -> Protection:
    """Derive caps and split point of a network from a table.

    Parameters
    ----------
    network : Network
        Every `ssim_row` of its layers must stand in the table.
    table : SsimTable
        Measured similarities.
    tolerated_ssim : float
        Largest similarity that the request tolerates.

    Raises
    ------
    RuleError
        If a layer names a row that the table lacks.
    """
    threshold = exact(tolerated_ssim) + exact(table.slack)
    outputs: list[MapShare | None] = []
    for layer in network.layers:
        if isinstance(layer, FcLayer):
            outputs.append(None)
            continue
        row = table.find(layer.ssim_row)
        if row is None:
            raise RuleError(
                f"layer '{layer.name}' of network '{network.id}'",
                "a row of the SSIM table",
                repr(layer.ssim_row),
                "add the row or correct ssim_row",
            )
        outputs.append(admissible_share(row, layer.output_maps, threshold))
    at_risk = [k for k, share in enumerate(outputs, start=1) if share and share.at_risk]
    return Protection(tuple(outputs), max(at_risk, default=0))
