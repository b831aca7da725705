"""Do again what a journal says was done: nothing is decided anew, everything is worked out anew."""

import math

from heuristics.scheduler.decision import SchedulerDecision
from heuristics.scheduler.events import (
    DieEvent,
    Event,
    EventExchange,
    FinishEvent,
    JoinEvent,
    LeaveEvent,
    SubmitEvent,
)
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks
from heuristics.scheduler.present_fleet import PresentFleet
from heuristics.scheduler.request_placer import RequestPlacer
from heuristics.scheduler.snapshot import LATENCY_TOLERANCE
from heuristics.scheduler.waiting_line import WaitingRequest
from optmodel.ground.rule_errors import InputError, RuleError
from optmodel.placement import CostedPlacement, PlacedRequest, RequestPlacement, read_request
from optmodel.problem import RequestTask

REPAIR = "restore a journal that was not edited, or begin anew with another --state file"


def replayed(books: FleetBooks, placer: RequestPlacer, exchange: EventExchange) -> FleetBooks:
    """Return the books after an event, with the decisions that were told then.

    Raises
    ------
    RuleError
        If the decisions are not about requests that run, wait or come, or lead elsewhere than was
        told.
    """
    event, told, counts = exchange.event, exchange.answer.standing, books.counts
    _require_possible(books, event)
    # The event first, then the decisions in the order in which they were taken: each was on what
    # those before it had left.
    books = _before_decisions(books, placer, event)
    for decision in exchange.answer.decisions:
        _apply(books, event, decision)
    # `BookEntry.moved` leaves out the load on nodes that went, not the placement there.
    for one in books.running.values():
        if one.load.shape[1] != one.parts.placement.counts.shape[1]:
            raise RuleError(
                "answer.decisions",
                "a decision on each request that ran on the device",
                f"none on {one.request.id!r}",
                REPAIR,
            )
    # Believed, as some cannot be worked out again, but for what must add up.
    books.counts = told.counts
    _require_submitted(books, counts.submitted)
    found = books.standing
    if (found.running, found.waiting) != (told.running, told.waiting):
        raise RuleError(
            "answer.standing",
            f"{found.running} requests that run and {found.waiting} that wait",
            f"{told.running} and {told.waiting}",
            REPAIR,
        )
    return books


def _require_possible(books: FleetBooks, event: Event) -> None:
    """Refuse an event that the scheduler would have refused."""
    present = books.present
    match event:
        case SubmitEvent():
            present.fleet.refuse_unknown(event.request, "event.request")
        case FinishEvent() if not (
            event.request in books.running or books.waiting.get(event.request)
        ):
            raise _impossible("request", "the id of a request that runs or waits", event.request)
        case JoinEvent() if event.device.id in present.index:
            if event.device not in present.fleet.devices:
                raise _impossible("device.id", "an id that no node has", event.device.id)
        case LeaveEvent() | DieEvent() if event.device not in present:
            raise _impossible("device", "the id of a device that is present", event.device)


def _impossible(field: str, expected: str, got: str) -> RuleError:
    return RuleError(f"event.{field}", expected, repr(got), REPAIR)


def _require_submitted(books: FleetBooks, before: int) -> None:
    """Refuse counts that do not add up, or grow by more than one request in one event."""
    counts = books.counts
    total = len(books.running) + len(books.waiting) + counts.finished + counts.unserved
    if counts.submitted != total or not before <= total <= before + 1:
        raise RuleError(
            "answer.standing.counts.submitted",
            f"{total}, the requests that run, wait, are finished or unserved",
            f"{counts.submitted}, {before} before the event",
            REPAIR,
        )


def _before_decisions(books: FleetBooks, placer: RequestPlacer, event: Event) -> FleetBooks:
    """Return the books once what the event itself says is done."""
    present = books.present
    match event:
        case FinishEvent():
            waiting = books.waiting.get(event.request)
            if waiting is not None:
                books.wait_no_longer(waiting)
            else:
                books.remove(event.request)
            books.is_gone(event.request)
        case JoinEvent() if event.device not in present.fleet.devices:
            return placer.joined(books, event.device)
        case LeaveEvent() | DieEvent():
            return books.on(present.without(event.device))
    return books


def _apply(books: FleetBooks, event: Event, decision: SchedulerDecision) -> None:
    """Put a request where a decision says."""
    name = decision.request
    known = books.running.get(name) or books.waiting.get(name)
    if known is not None and decision.cause == "submitted":
        return  # It was submitted before; the decision is the one of then.
    if isinstance(known, BookEntry):
        books.remove(name)
    elif isinstance(known, WaitingRequest):
        books.wait_no_longer(known)
    if known is not None:
        request, arrival = known.request, known.arrival
    elif isinstance(event, SubmitEvent) and event.request.id == name:
        request, arrival = event.request, books.counts.submitted + 1
    else:
        raise RuleError("answer.decisions", "a request that runs or waits", repr(name), REPAIR)
    if decision.placement is not None:
        task = books.present.task(request)
        placed = _placement(task, decision.placement, books.present)
        costed = CostedPlacement.of(books.present.problem, task, placed)
        if not math.isclose(costed.latency_s, decision.latency_s or 0.0, rel_tol=LATENCY_TOLERANCE):
            raise RuleError(
                "answer.decisions.latency_s", str(costed.latency_s), str(decision.latency_s), REPAIR
            )
        books.enter(BookEntry.of(request, arrival, costed, decision.bound_s or 0.0))
    elif decision.rejection is not None and decision.waits:
        books.wait(WaitingRequest(request=request, arrival=arrival, rejection=decision.rejection))
    else:
        books.is_gone(name)


def _placement(task: RequestTask, told: PlacedRequest, present: PresentFleet) -> RequestPlacement:
    """Return a placement that was told."""
    try:
        return read_request(task, told, present.index)
    except InputError as error:
        field, expected = "answer.decisions.placement", "layers and nodes that there are"
        raise RuleError(field, expected, f"'{error}'", REPAIR) from error
