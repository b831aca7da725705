"""SSIM tables: the paper's Table I, a measured one, or the user's own file."""

from pathlib import Path

from instances.measured import MeasuredTable
from optmodel.files import InputError, parse_model, read_bytes
from optmodel.ssim import SsimTable

TABLE_I = Path(__file__).parent / "table1.json"
"""Table I of the paper, as data."""


def read_ssim_table(path: Path = TABLE_I) -> SsimTable:
    """Read an SSIM table; the paper's Table I by default.

    A measured table gives the upper confidence limit of the worst subset of each cell.

    Raises
    ------
    InputError
        If the file cannot be read, is not an SSIM table, or is a measured one that was edited.
    """
    content = read_bytes(path)
    if b'"measured SSIM table"' not in content:
        return parse_model(content, SsimTable, str(path))
    measured = parse_model(content, MeasuredTable, str(path))
    if not measured.cells:
        raise InputError(f"{path}: cells: expected at least one, got none; measure some")
    return measured.caps_table()
