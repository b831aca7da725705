"""Events in, answers out: the last one can be asked for again, so a killed run loses nothing."""

from pathlib import Path

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
from heuristics.scheduler.scheduler import Scheduler
from heuristics.scheduler.snapshot import read_snapshot, write_snapshot
from optmodel.files import InputError, RuleError, parse_model
from optmodel.instance import FleetDocument


class Service:
    """Answers events, and keeps a snapshot that is never behind an answer.

    Parameters
    ----------
    scheduler : Scheduler
        Who decides.
    state : Path, optional
        Where the snapshot is written before each answer is given.
    reoptimise_every : int, optional
        After so many events, running requests are looked at.
    most_moves : int
        How many segments may change node then.
    last : Exchange, optional
        What was said last.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        state: Path | None = None,
        reoptimise_every: int | None = None,
        most_moves: int = 0,
        last: Exchange | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.state = state
        self.reoptimise_every = reoptimise_every
        self.most_moves = most_moves
        self.last = last

    def answer(self, event: Event) -> Answer:
        """Do what an event asks for; the last event sent again gets the same answer again.

        Raises
        ------
        RuleError
            If the event cannot happen now; nothing has changed.
        """
        if self.last is not None and self.last.event == event:
            return self.last.answer
        number = self.last.answer.number + 1 if self.last else 1
        decisions = self._decide(event)
        if self.reoptimise_every and number % self.reoptimise_every == 0:
            decisions += self.scheduler.reoptimise(self.most_moves)
        answer = Answer(
            event=event.event,
            number=number,
            decisions=decisions,
            standing=self.scheduler.standing,
        )
        self.last = Exchange(event=event, answer=answer)
        if self.state is not None:
            write_snapshot(self.state, self.scheduler.snapshot(self.last))
        return answer

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
    reoptimise_every: int | None,
    most_moves: int,
) -> Service:
    """Go on from the snapshot in `state`, or begin if there is none.

    Raises
    ------
    InputError
        If the snapshot cannot be used, or is of another fleet, policy or seed.
    """
    scheduler, last = Scheduler(fleet, policy, seed=seed), None
    if state is not None and state.exists():
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
    return Service(scheduler, state, reoptimise_every, most_moves, last)
