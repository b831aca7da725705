"""Serve requests as they come: `python -m heuristics serve FLEET.json`, JSON lines in and out."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

from heuristics.policy_options import DecisionTimeOption, PolicyOption, SeedOption
from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.reoptimise_period import ReoptimisePeriod
from heuristics.scheduler.service import MOST_LINE_BYTES, open_service
from optmodel.ground.rule_errors import InputError
from optmodel.ground.whole_files import STANDARD, refuse_standard_output, require_writable
from optmodel.online import DECISION_TIME_S
from optmodel.problem import read_fleet


def serve(
    file: Annotated[
        Path, typer.Argument(help="Fleet, a JSON file: an instance, of which requests are ignored.")
    ],
    policy: PolicyOption = "lookahead",
    seed: SeedOption = 0,
    decision_time: DecisionTimeOption = DECISION_TIME_S,
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
    if file == STANDARD:
        raise InputError(
            "FILE: expected the name of a fleet file, got standard input, which brings the events; "
            "name one"
        )
    refuse_standard_output(state)
    period = None if reoptimise_every is None else ReoptimisePeriod.parse(reoptimise_every)
    if state is not None:
        require_writable(state, file)
        require_writable(journal_path(state), file)
    events, answers = _open_stream(sys.stdin, "input"), _open_stream(sys.stdout, "output")
    with open_service(
        read_fleet(file), policy, seed, state, period, most_moves, decision_time
    ) as service:
        for number, line in enumerate(_lines(events), start=1):
            if line.strip():
                _print_line(answers, service.answer_line(line, number).model_dump_json())


def _open_stream(stream: TextIO | None, name: str) -> BinaryIO:
    """Return the bytes of a standard stream, which whoever starts a process can close."""
    if stream is None:
        raise InputError(f"standard {name}: expected a stream, got none; do not close it")
    return stream.buffer


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of one that is too long its beginning, too long as well."""
    while line := _part_of_line(stream):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = _part_of_line(stream)
        yield line


def _part_of_line(stream: BinaryIO) -> bytes:
    """Read to the end of a line, but no more than two bytes too many."""
    try:
        return stream.readline(MOST_LINE_BYTES + 2)
    except OSError as error:
        raise InputError(
            f"standard input: expected events that can be read, got '{error.strerror}'; check "
            "where it comes from"
        ) from error


def _print_line(stream: BinaryIO, answer: str) -> None:
    """Print one line, to be read at once."""
    try:
        stream.write(answer.encode() + b"\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python would complain at exit of what is unwritten.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise InputError(
            f"standard output: expected room for an answer, got '{error.strerror}'; free the space "
            "and send the event again"
        ) from error
