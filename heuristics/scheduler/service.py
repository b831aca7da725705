"""Events in, answers out: each is on disk before it is told, so a killed run loses nothing."""

from pathlib import Path
from typing import Self

from heuristics.policies import make_policy
from heuristics.scheduler.decision import SchedulerDecision
from heuristics.scheduler.events import (
    BadLine,
    DieEvent,
    ErrorLine,
    Event,
    EventAnswer,
    EventExchange,
    EventLine,
    FinishEvent,
    JoinEvent,
    LeaveEvent,
    SubmitEvent,
)
from heuristics.scheduler.reoptimise_period import ReoptimisePeriod, require_known_time
from heuristics.scheduler.scheduler import OnlineScheduler
from heuristics.scheduler.state_files import SchedulerState, StateFiles
from optmodel.ground.json_files import parse_model
from optmodel.ground.rule_errors import InputError, JsonError, RuleError, shorten
from optmodel.online import DECISION_TIME_S
from optmodel.problem import FleetDocument

SNAPSHOT_EVERY = 1000
"""Events after which a snapshot takes the place of the journal."""
MOST_LINE_BYTES = 100_000
"""Longest line of input: a hundred times an event with the longest names."""
EXAMPLE = 'send one JSON object in one line, such as {"event": "finish", "request": "r1"}'


class SchedulerService:
    """Answers events, and keeps a state that is never behind an answer.

    At the end of a `with` block the journal becomes a snapshot.

    Parameters
    ----------
    files : StateFiles, optional
        Where the state is kept: a snapshot, and the events since in a journal beside it.
    period : ReoptimisePeriod, optional
        How often running requests are looked at; `most_moves` segments may change node then.
    last : EventExchange, optional
        What was said last, which is answered again if it is sent again.
    """

    def __init__(
        self,
        scheduler: OnlineScheduler,
        files: StateFiles | None = None,
        period: ReoptimisePeriod | None = None,
        most_moves: int = 0,
        last: EventExchange | None = None,
    ) -> None:
        self.scheduler, self.files, self.last = scheduler, files, last
        self.period, self.most_moves = period, most_moves
        self._in_step = True
        self._begin_journal()

    @property
    def _number(self) -> int:
        """How many events have been answered."""
        return self.last.answer.number if self.last else 0

    def _begin_journal(self) -> None:
        """Write a snapshot, and a journal that goes on from it."""
        if self.files is not None:
            self.files.begin(self.scheduler.snapshot(self.last))
        self._written = self._number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.files is None:
            return
        try:
            if self._in_step:  # Else what the scheduler has done was never told.
                self.files.end(self.scheduler.snapshot(self.last))
        finally:
            self.files.close()

    def answer(self, event: Event) -> EventAnswer:
        """Do what an event asks for; the last event sent again gets the same answer again.

        Raises
        ------
        RuleError
            If the event cannot happen now; nothing has changed.
        InputError
            If the answer cannot be kept: the disk is full. Then no other event is taken.
        """
        if not self._in_step:
            raise InputError(
                "the service: expected one that was not cut off in the middle of an event, got one "
                "that was; open it again"
            )
        before = self.last.event if self.last else None
        # Sent again by who got no answer: done once, answered twice.
        if self.last is not None and before == event:
            return self.last.answer
        require_known_time(event)
        if self.period is not None:
            self.period.require_time(event, before)
        number = self._number + 1
        # Cut off from here on, what the scheduler has done is never told, nor written down.
        self._in_step = False
        try:
            decisions = self._decide(event)
        except RuleError:
            # The scheduler has refused the event, and changed nothing.
            self._in_step = True
            raise
        if self.period is not None and self.period.ends(number, event, before):
            decisions += self.scheduler.reoptimise(self.most_moves)
        answer = EventAnswer(
            event=event.event,
            number=number,
            decisions=decisions,
            standing=self.scheduler.standing,
        )
        self._keep(EventExchange(event=event, answer=answer))
        return answer

    def _keep(self, exchange: EventExchange) -> None:
        """Put down what is about to be told."""
        # Before anybody hears of it: the other way round, a kill could lose what was told.
        if self.files is not None:
            self.files.append(exchange)
        self.last, self._in_step = exchange, True
        if self._number - self._written >= SNAPSHOT_EVERY:
            self._begin_journal()

    def _decide(self, event: Event) -> tuple[SchedulerDecision, ...]:
        match event:
            case SubmitEvent():
                return (self.scheduler.submit(event.request),)
            case FinishEvent():
                return self.scheduler.finish(event.request)
            case JoinEvent():
                return self.scheduler.join(event.device)
            case LeaveEvent():
                return self.scheduler.leave(event.device)
            case DieEvent():
                return self.scheduler.die(event.device)
            case _:
                return self.scheduler.reoptimise(event.most_moves)

    def answer_line(self, line: bytes, number: int) -> EventAnswer | ErrorLine:
        """Answer one line of input, or say what is wrong with it."""
        try:
            if len(line.rstrip(b"\r\n")) > MOST_LINE_BYTES:
                raise RuleError("", f"at most {MOST_LINE_BYTES:,} bytes", "more", EXAMPLE)
            return self.answer(parse_model(line, EventLine, f"line {number}").root)
        except RuleError as rule:
            return ErrorLine(error=_wrong(line, number, rule))
        except InputError as error:
            if not error.rules:
                raise
            first, *more = (_wrong(line, number, rule) for rule in error.rules)
            return ErrorLine(error=first, more=tuple(more))


def _wrong(line: bytes, number: int, rule: RuleError) -> BadLine:
    """Return what is wrong with a line of input, which is no file that could be mended."""
    got, repair = rule.got, rule.repair if rule.field else EXAMPLE
    if isinstance(rule, JsonError):
        reason = got.replace(": line 1 column", ": column")  # Of the one line that it is.
        got = f"{shorten(line.decode(errors='replace').strip())}, of which JSON says {reason}"
    return BadLine(line=number, field=rule.field, expected=rule.expected, got=got, repair=repair)


def open_service(
    fleet: FleetDocument,
    policy: str,
    seed: int,
    state: Path | None,
    period: ReoptimisePeriod | None,
    most_moves: int,
    decision_time_s: float = DECISION_TIME_S,
) -> SchedulerService:
    """Go on from the snapshot and the journal in `state`, or begin if there is none.

    Raises
    ------
    InputError
        If the state cannot be used, is in use, or is of another fleet, policy or seed.
    """
    decider = make_policy(policy, seed, decision_time_s)
    scheduler, last = OnlineScheduler(fleet, policy, seed=seed, decider=decider), None
    files = None if state is None else StateFiles(state)
    try:
        stored = None if files is None else files.read()
        if stored is not None:
            _refuse_another(stored, fleet, policy, seed)
            scheduler, last = OnlineScheduler.of_state(stored, decider)
        return SchedulerService(scheduler, files, period, most_moves, last)
    except BaseException:
        if files is not None:
            files.close()
        raise


def _refuse_another(state: SchedulerState, fleet: FleetDocument, policy: str, seed: int) -> None:
    """Refuse a state that was made for something else than is asked."""
    for name, stored, asked in (
        ("fleet", state.snapshot.fleet, fleet),
        ("policy", state.snapshot.policy, policy),
        ("seed", state.snapshot.seed, seed),
    ):
        if stored != asked:
            raise InputError(
                f"{state.path}: {name}: expected the {name} that this snapshot was made with, got "
                "another; name another --state file to begin anew"
            )
