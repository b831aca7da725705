"""Write the files and the page of a named set: `python -m instances.sets small`."""

if __name__ == "__main__":
    from optmodel.ground.entry import start

    start("instances.sets")

from pathlib import Path
from typing import Annotated

import typer

from instances.generate import generate
from instances.json_layout import write_laid_out
from instances.listed_sets import MEDIUM, SMALL
from instances.measured_set import MEASURED
from instances.paper_set import PAPER
from instances.set_members import InstanceSet
from instances.set_page import page
from optmodel.ground.command_line import console
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import refuse_standard_output, write_text

SETS = {named.name: named for named in (SMALL, MEDIUM, PAPER, MEASURED)}
"""The shipped sets by name."""


def write_set(named: InstanceSet, folder: Path) -> None:
    """Write the instances of a set and its page; solutions in the folder are only read.

    Raises
    ------
    InputError
        If the folder cannot be made, or a solution in it cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: expected a folder or the name of a new one, got '{error.strerror}'; "
            "name another one"
        ) from error
    for member in named.members:
        instance = generate(member.recipe, member.name, member.purpose)
        write_laid_out(folder / f"{member.name}.json", instance)
    write_text(folder / "README.md", page(named, folder))


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(SETS)}.", metavar="SET")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: where the set is shipped.")
    ] = None,
) -> None:
    """Write the instances of a set and its page.

    Example: python -m instances.sets small
    """
    if name not in SETS:
        raise InputError(f"SET: expected one of {', '.join(SETS)}, got '{name}'; correct it")
    named = SETS[name]
    refuse_standard_output(out)
    folder = out or named.folder
    write_set(named, folder)
    console.print(f"{folder}: {len(named.members)} instances", markup=False)
