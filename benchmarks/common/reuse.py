"""Say what of earlier work is used again, and what another code has made."""

from collections.abc import Collection
from pathlib import Path

from optmodel.ground.command_line import errors


def tell_reused(path: Path, current: Collection[bool], kind: str = "records") -> None:
    """Print one line on earlier work, if there is any.

    Parameters
    ----------
    path : Path
        Where it is kept.
    current : collection of bool
        Of each piece, whether this code and these packages made it.
    kind : str
        What the pieces are.
    """
    if current:
        errors.print(
            f"{path}: {sum(current)} of {len(current)} {kind} are of this code and these packages "
            "and serve again; what is asked for beyond them is made anew",
            markup=False,
        )
