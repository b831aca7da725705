"""The events of `python -m heuristics serve`, one JSON object per line, and their answers."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from heuristics.scheduler.decision import Count, RequestStanding, SchedulerDecision
from optmodel.ground.json_files import StrictModel
from optmodel.problem import Identifier, Node, Request


class _TimedEvent(StrictModel):
    """Something happens."""

    time_s: Annotated[float, Field(ge=0)] | None = None
    """When, in seconds by the clock of whoever sends the events."""


class SubmitEvent(_TimedEvent):
    """A request comes."""

    event: Literal["submit"]
    request: Request


class FinishEvent(_TimedEvent):
    """A request has been served, or stops waiting."""

    event: Literal["finish"]
    request: Identifier


class JoinEvent(_TimedEvent):
    """A device comes."""

    event: Literal["join"]
    device: Node


class LeaveEvent(_TimedEvent):
    """A device wants to go."""

    event: Literal["leave"]
    device: Identifier


class DieEvent(_TimedEvent):
    """A device has gone."""

    event: Literal["die"]
    device: Identifier


class ReoptimiseEvent(_TimedEvent):
    """It is time to look at what runs."""

    event: Literal["reoptimise"]
    most_moves: Count


Event = Annotated[
    SubmitEvent | FinishEvent | JoinEvent | LeaveEvent | DieEvent | ReoptimiseEvent,
    Field(discriminator="event"),
]


class EventLine(RootModel[Event]):
    """One line of input."""


class EventAnswer(StrictModel):
    """One line of output: all decisions that an event led to."""

    event: str
    """Its kind."""
    number: Count
    """How many events have been answered, from 1; the same event sent again keeps its number."""
    decisions: tuple[SchedulerDecision, ...]
    """In the order in which they were taken."""
    standing: RequestStanding
    """How all requests stand afterwards."""


class EventExchange(StrictModel):
    """An event and its answer."""

    event: Event
    answer: EventAnswer


class BadLine(StrictModel):
    """What is wrong with a line of input, which has changed nothing."""

    line: int
    """Its number, from 1."""
    field: str
    """The field to look at; empty for the line as a whole."""
    expected: str
    got: str
    repair: str
    """What to do."""


class ErrorLine(StrictModel):
    """One line of output for a line of input that is no event, or cannot happen now."""

    error: BadLine
    more: tuple[BadLine, ...] = ()
    """What else is wrong with the same line; told up to ten in all."""
