"""SSIM tables: the paper's Table I, a measured one, or the user's own file."""

from pathlib import Path

from instances.measured import MeasuredTable, sums_row
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.ground.whole_files import read_bytes
from optmodel.problem import ConvLayer, Layer, Network, SsimTable

TABLE_I = Path(__file__).parent / "table1.json"
"""Table I of the paper, as data."""


def rows_as_received(network: Network, table: SsimTable) -> Network:
    """Return a network whose convs name the rows of their sums, where a table has these.

    The holder of an activation receives the sums of the conv before it, which tell more than the
    finished maps that the holder of a conv receives. Table I knows finished maps only.
    """
    layers = [_layer_as_received(layer, table) for layer in network.layers]
    return network.model_copy(update={"layers": tuple(layers)})


def _layer_as_received(layer: Layer, table: SsimTable) -> Layer:
    if not isinstance(layer, ConvLayer) or table.find(sums_row(layer.ssim_row)) is None:
        return layer
    return layer.model_copy(update={"ssim_row": sums_row(layer.ssim_row)})


def table_i_values(row: str) -> dict[int, float]:
    """Return the SSIM that Table I gives for a row, by maps held; nothing if it lacks the row."""
    known = read_ssim_table().find(row)
    return {one.maps: one.ssim for one in known.measurements} if known else {}


def read_ssim_table(path: Path = TABLE_I) -> SsimTable:
    """Read an SSIM table; the paper's Table I by default.

    A measured table gives the upper confidence limit of the worst subset of each cell.

    Raises
    ------
    InputError
        If the file cannot be read, is not an SSIM table, or is a measured one that was edited or
        lacks a worst subset.
    """
    content = read_bytes(path)
    if b'"measured SSIM table"' not in content:
        return parse_model(content, SsimTable, str(path))
    measured = parse_model(content, MeasuredTable, str(path))
    try:
        return measured.caps_table()
    except RuleError as error:
        raise InputError(f"{path}: {error}") from error
