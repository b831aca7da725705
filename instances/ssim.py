"""SSIM tables: the paper's Table I, or the user's own file."""

from pathlib import Path

from optmodel.files import read_model
from optmodel.ssim import SsimTable

TABLE_I = Path(__file__).parent / "table1.json"
"""Table I of the paper, as data."""


def read_ssim_table(path: Path = TABLE_I) -> SsimTable:
    """Read an SSIM table; the paper's Table I by default.

    Raises
    ------
    InputError
        If the file cannot be read or is not an SSIM table.
    """
    return read_model(path, SsimTable)
