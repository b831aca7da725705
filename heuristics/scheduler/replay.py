"""Do again what a journal says was done: nothing is decided anew, everything is worked out anew."""

import math

from heuristics.scheduler.books import Books, Entry
from heuristics.scheduler.decision import Decision
from heuristics.scheduler.events import Die, Event, Exchange, Finish, Join, Leave, Submit
from heuristics.scheduler.placer import Placer
from heuristics.scheduler.snapshot import CLOSE
from heuristics.scheduler.waiting import Waiting
from optmodel.evaluate import evaluate_request
from optmodel.files import RuleError
from optmodel.translate import read_request

REPAIR = "restore a journal that was not edited, or begin anew with another --state file"


def replayed(books: Books, placer: Placer, exchange: Exchange) -> Books:
    """Return the books after an event, with the decisions that were told then.

    Raises
    ------
    RuleError
        If the decisions are not about requests that run, wait or come, or lead elsewhere than was
        told.
    """
    event, told = exchange.event, exchange.answer.standing
    books = _before_decisions(books, placer, event)
    for decision in exchange.answer.decisions:
        _apply(books, event, decision)
    for one in books.running.values():
        if one.load.shape[1] != one.parts.counts.shape[1]:
            raise RuleError(
                "answer.decisions",
                "a decision on each request that ran on the device",
                f"none on {one.request.id!r}",
                REPAIR,
            )
    books.counts = told.counts
    found = books.standing
    if (found.running, found.waiting) != (told.running, told.waiting):
        raise RuleError(
            "answer.standing",
            f"{found.running} requests that run and {found.waiting} that wait",
            f"{told.running} and {told.waiting}",
            REPAIR,
        )
    return books


def _before_decisions(books: Books, placer: Placer, event: Event) -> Books:
    """Return the books once what the event itself says is done."""
    present = books.present
    match event:
        case Finish():
            waiting = books.waiting.get(event.request)
            if waiting is not None:
                books.wait_no_longer(waiting)
            elif event.request in books.running:
                books.remove(event.request)
            books.is_gone(event.request)
        case Join() if event.device not in present.fleet.devices:
            return placer.joined(books, present.joined_by(event.device))
        case Leave() | Die():
            return books.on(present.without(event.device))
    return books


def _apply(books: Books, event: Event, decision: Decision) -> None:
    """Put a request where a decision says."""
    name = decision.request
    known = books.running.get(name) or books.waiting.get(name)
    if known is not None and decision.cause == "submitted":
        return  # It was submitted before; the decision is the one of then.
    if isinstance(known, Entry):
        books.remove(name)
    elif isinstance(known, Waiting):
        books.wait_no_longer(known)
    if known is not None:
        request, arrival = known.request, known.arrival
    elif isinstance(event, Submit) and event.request.id == name:
        request, arrival = event.request, books.counts.submitted + 1
    else:
        raise RuleError("answer.decisions", "a request that runs or waits", repr(name), REPAIR)
    if decision.placement is not None:
        task = books.present.task(request)
        placed = read_request(task, decision.placement, books.present.index)
        costs = evaluate_request(books.present.problem, task, placed)
        if not math.isclose(costs.latency_s, decision.latency_s or 0.0, rel_tol=CLOSE):
            raise RuleError(
                "answer.decisions.latency_s", str(costs.latency_s), str(decision.latency_s), REPAIR
            )
        books.enter(Entry.of(request, arrival, placed, costs, decision.bound_s or 0.0))
    elif decision.rejection is not None and decision.waits:
        books.wait(Waiting(request=request, arrival=arrival, rejection=decision.rejection))
    else:
        books.is_gone(name)
