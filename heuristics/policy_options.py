"""Options that say how requests are placed, of both commands."""

from typing import Annotated

import typer

from heuristics.policies import POLICIES

PolicyOption = Annotated[
    str,
    typer.Option(help=f"How to place: {', '.join(POLICIES)}, or package.module.Class of your own."),
]
SeedOption = Annotated[
    int, typer.Option(min=0, max=2**31 - 1, help="Seed of policies that draw at random.")
]
DecisionTimeOption = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=3600,
        help="What the first decision of lookahead on a kind of request may take: as many counted "
        "steps as pass in about so many seconds, so that equal runs agree on any machine.",
    ),
]
