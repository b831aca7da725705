"""The log of a run as JSON lines: the fleet first, then every event with its answer.

It holds no time that a clock of this machine has measured: the same seed gives the same log.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from heuristics.policies import require_trusted
from heuristics.scheduler import OnlineScheduler
from heuristics.scheduler.events import EventExchange
from optmodel.ground.json_files import StrictModel, parse_model
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.ground.whole_files import read_lines, written_at_the_end
from optmodel.problem import FleetDocument


class Head(StrictModel):
    """The first line of a log."""

    fleet: FleetDocument
    """Devices, cameras, networks and leakage."""
    policy: str
    """Who places requests."""
    seed: int
    """For policies that draw at random."""


@contextmanager
def logging_to(
    path: Path | None, scheduler: OnlineScheduler
) -> Iterator[Callable[[EventExchange], None]]:
    """Give what writes an exchange to the log; the file is there when the run is over.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if path is None:
        yield lambda exchange: None
        return
    head = Head(fleet=scheduler.fleet, policy=scheduler.policy_name, seed=scheduler.seed)
    with written_at_the_end(path) as stream:
        stream.write(head.model_dump_json() + "\n")
        yield lambda exchange: print(exchange.model_dump_json(), file=stream)


def replayed(path: Path, policy: str | None = None) -> OnlineScheduler:
    """Return the scheduler as it was when the log ended; nothing is decided anew.

    Parameters
    ----------
    path : Path
        The log.
    policy : str, optional
        The policy of the run. Must be given if it is the dotted name of a class: no code is run
        because a file names it.

    Raises
    ------
    InputError
        If the file cannot be read, a line is not one of a log or contradicts those before it, or
        the policy is another or must be given.
    """
    lines = read_lines(path)
    head = parse_model(next(lines, b""), Head, f"{path}: line 1")
    require_trusted(head.policy, policy, f"{path}: line 1")
    scheduler = OnlineScheduler(head.fleet, head.policy, seed=head.seed)
    for number, line in enumerate(lines, start=2):
        exchange = parse_model(line, EventExchange, f"{path}: line {number}")
        try:
            scheduler.replay(exchange)
        except RuleError as rule:
            raise InputError(f"{path}: line {number}: {rule}", rule) from rule
    return scheduler
