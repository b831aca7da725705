"""Events in, answers out: each is on disk before it is told, so a killed run loses nothing."""

from pathlib import Path
from types import TracebackType
from typing import Self

from heuristics.scheduler.decision import Decision
from heuristics.scheduler.events import (
    Answer,
    BadLine,
    Die,
    ErrorLine,
    Event,
    EventLine,
    Exchange,
    Finish,
    Join,
    Leave,
    Submit,
)
from heuristics.scheduler.journal import Journal, journal_path, read_journal
from heuristics.scheduler.lock import StateLock
from heuristics.scheduler.period import Period
from heuristics.scheduler.scheduler import Scheduler
from heuristics.scheduler.snapshot import read_snapshot, write_snapshot
from optmodel.files import InputError, RuleError, parse_model, remove_leftovers
from optmodel.instance import FleetDocument

EVERY = 1000
"""Events after which a snapshot takes the place of the journal."""


class Service:
    """Answers events, and keeps a state that is never behind an answer.

    At the end of a `with` block the journal becomes a snapshot.

    Parameters
    ----------
    scheduler : Scheduler
        Who decides.
    state : Path, optional
        Where the state is kept: a snapshot, and the events since in a journal beside it.
    period : Period, optional
        How often running requests are looked at.
    most_moves : int
        How many segments may change node then.
    last : Exchange, optional
        What was said last.
    lock : StateLock, optional
        Keeps other processes from the state, until the end of the `with` block.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        state: Path | None = None,
        period: Period | None = None,
        most_moves: int = 0,
        last: Exchange | None = None,
        lock: StateLock | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.state = state
        self.period = period
        self.most_moves = most_moves
        self.last = last
        self.lock = lock
        self._journal: Journal | None = None
        self._in_step = True
        self._written = self._number
        if state is not None:
            self._begin_journal(state)

    @property
    def _number(self) -> int:
        """How many events have been answered."""
        return self.last.answer.number if self.last else 0

    def _begin_journal(self, state: Path) -> None:
        """Write a snapshot, and a journal that goes on from it.

        Killed between the two, the journal holds events that the snapshot knows by their numbers.
        """
        write_snapshot(state, self.scheduler.snapshot(self.last))
        if self._journal is not None:
            self._journal.close()
        self._journal, self._written = Journal(state), self._number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.state is None or self._journal is None:
            return
        if self._in_step:
            write_snapshot(self.state, self.scheduler.snapshot(self.last))
            self._journal.remove()
        else:  # Cut off in the middle of an event: what the scheduler has done was never told.
            self._journal.close()
        if self.lock is not None:
            self.lock.release()

    def answer(self, event: Event) -> Answer:
        """Do what an event asks for; the last event sent again gets the same answer again.

        Raises
        ------
        RuleError
            If the event cannot happen now; nothing has changed.
        """
        before = self.last.event if self.last else None
        if self.last is not None and before == event:
            return self.last.answer
        if self.period is not None:
            self.period.require_time(event, before)
        number = self._number + 1
        self._in_step = False
        try:
            decisions = self._decide(event)
        except RuleError:
            self._in_step = True
            raise
        if self.period is not None and self.period.ends(number, event, before):
            decisions += self.scheduler.reoptimise(self.most_moves)
        answer = Answer(
            event=event.event,
            number=number,
            decisions=decisions,
            standing=self.scheduler.standing,
        )
        self._keep(Exchange(event=event, answer=answer))
        return answer

    def _keep(self, exchange: Exchange) -> None:
        """Put down what is about to be told."""
        if self._journal is not None:
            self._journal.append(exchange)
        self.last, self._in_step = exchange, True
        if self.state is not None and self._number - self._written >= EVERY:
            self._begin_journal(self.state)

    def _decide(self, event: Event) -> tuple[Decision, ...]:
        match event:
            case Submit():
                return (self.scheduler.submit(event.request),)
            case Finish():
                return self.scheduler.finish(event.request)
            case Join():
                return self.scheduler.join(event.device)
            case Leave():
                return self.scheduler.leave(event.device)
            case Die():
                return self.scheduler.die(event.device)
            case _:
                return self.scheduler.reoptimise(event.most_moves)

    def answer_line(self, line: bytes, number: int) -> Answer | ErrorLine:
        """Answer one line of input, or say what is wrong with it."""
        try:
            return self.answer(parse_model(line, EventLine, f"line {number}").root)
        except RuleError as rule:
            return _error(number, rule)
        except InputError as error:
            if error.rule is None:
                raise
            return _error(number, error.rule)


def _error(line: int, rule: RuleError) -> ErrorLine:
    return ErrorLine(
        error=BadLine(
            line=line, field=rule.field, expected=rule.expected, got=rule.got, repair=rule.repair
        )
    )


def open_service(
    fleet: FleetDocument,
    policy: str,
    seed: int,
    state: Path | None,
    period: Period | None,
    most_moves: int,
) -> Service:
    """Go on from the snapshot and the journal in `state`, or begin if there is none.

    Raises
    ------
    InputError
        If the state cannot be used, is in use, or is of another fleet, policy or seed.
    """
    if state is None:
        return Service(Scheduler(fleet, policy, seed=seed), None, period, most_moves)
    lock = StateLock(state)
    try:
        remove_leftovers(state)
        scheduler, last = _begun_or_recovered(state, fleet, policy, seed)
        return Service(scheduler, state, period, most_moves, last, lock)
    except BaseException:
        lock.release()
        raise


def _begun_or_recovered(
    state: Path, fleet: FleetDocument, policy: str, seed: int
) -> tuple[Scheduler, Exchange | None]:
    """Return a scheduler as the state has it, a new one if there is no state."""
    if state.exists():
        return _recovered(state, fleet, policy, seed)
    if journal_path(state).exists():
        raise InputError(
            f"{state}: expected the snapshot that {journal_path(state).name} goes on from, got "
            "none; restore it, or remove the journal to begin anew"
        )
    return Scheduler(fleet, policy, seed=seed), None


def _recovered(
    state: Path, fleet: FleetDocument, policy: str, seed: int
) -> tuple[Scheduler, Exchange | None]:
    """Return what a snapshot says, and what the journal says happened since."""
    snapshot, books = read_snapshot(state)
    for name, stored, asked in (
        ("fleet", snapshot.fleet, fleet),
        ("policy", snapshot.policy, policy),
        ("seed", snapshot.seed, seed),
    ):
        if stored != asked:
            raise InputError(
                f"{state}: {name}: expected the {name} that this snapshot was made with, got "
                "another; name another --state file to begin anew"
            )
    scheduler, last = Scheduler.of_snapshot(snapshot, books), snapshot.last
    known = last.answer.number if last else 0
    try:
        for exchange in read_journal(state):
            if exchange.answer.number > known:
                scheduler.replay(exchange)
                last = exchange
        if last is not snapshot.last:
            scheduler.snapshot(last).books()  # As a snapshot would be verified.
    except RuleError as rule:
        raise InputError(f"{journal_path(state)}: {rule}", rule) from rule
    return scheduler, last
