"""Serve requests as they come: `python -m heuristics serve FLEET.json`, JSON lines in and out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from heuristics.policies import POLICIES
from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.period import Period
from heuristics.scheduler.service import open_service
from optmodel.files import require_writable
from optmodel.instance import read_fleet


def serve(
    file: Annotated[
        Path, typer.Argument(help="Fleet, a JSON file: an instance, of which requests are ignored.")
    ],
    policy: Annotated[
        str, typer.Option(help=f"How to place: {', '.join(POLICIES)}, or package.module.Class.")
    ] = "lookahead",
    seed: Annotated[int, typer.Option(min=0, help="For policies that draw at random.")] = 0,
    state: Annotated[
        Path | None, typer.Option(help="Keep the state in this file, and go on from it.")
    ] = None,
    reoptimise_every: Annotated[
        str | None,
        typer.Option(
            metavar="N|SECONDSs",
            help="Look at what runs after so many events (100) or seconds of their clock (60s).",
        ),
    ] = None,
    most_moves: Annotated[
        int, typer.Option(min=0, help="How many segments may change node then.")
    ] = 100,
) -> None:
    """Serve requests as they come: one JSON event per line in, one JSON answer per line out.

    Example: echo '{"event": "submit", "request": {"id": "r1", "source": "camera-1", "network":
    "lenet", "tolerated_ssim": 0.8}}' | python -m heuristics serve
    instances/small/lenet-0.8-4-mixed.json
    """
    period = None if reoptimise_every is None else Period.parse(reoptimise_every)
    if state is not None:
        require_writable(state, file)
        require_writable(journal_path(state), file)
    with open_service(read_fleet(file), policy, seed, state, period, most_moves) as service:
        for number, line in enumerate(sys.stdin.buffer, start=1):
            answer = service.answer_line(line, number)
            sys.stdout.write(answer.model_dump_json() + "\n")
            sys.stdout.flush()
