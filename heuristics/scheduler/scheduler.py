"""The online scheduler: each event is done wholly or not at all, and answered with decisions."""

from pathlib import Path
from typing import Self

import numpy as np

from heuristics.ledger import Ledger
from heuristics.lookahead import Lookahead
from heuristics.policies import make_policy
from heuristics.policy import place_one
from heuristics.scheduler.books import Books, Running, Waiting
from heuristics.scheduler.decision import Cause, Decision, Standing
from heuristics.scheduler.events import Exchange
from heuristics.scheduler.present import Present
from heuristics.scheduler.repair import repaired, segments_moved
from heuristics.scheduler.snapshot import Snapshot, read_snapshot, write_snapshot
from heuristics.stage_paths import TOLERANCE, StagePaths
from optmodel.evaluate import RequestEvaluation, evaluate_request
from optmodel.files import RuleError
from optmodel.instance import FleetDocument, Node, Request
from optmodel.placement import RequestPlacement
from optmodel.problem import RequestTask
from optmodel.solution import Rejection, relative_gap
from optmodel.translate import read_request, write_request


class Scheduler:
    """Serves requests on a fleet as they come and go, while devices come and go.

    What a running request takes is reserved until it finishes. A request without a place waits, and
    is tried again, in order of arrival, whenever something is freed. A method that raises has
    changed nothing.

    Parameters
    ----------
    fleet : FleetDocument
        Devices, cameras, networks, leakage; of an Instance, the requests are left out.
    policy : str
        A key of `heuristics.policies.POLICIES`, or the dotted name of a class.
    seed : int
        For policies that draw at random.

    Raises
    ------
    InputError
        If there is no such policy.
    """

    def __init__(self, fleet: FleetDocument, policy: str = "lookahead", *, seed: int = 0) -> None:
        self.fleet = fleet.without_requests()
        self.policy_name = policy
        self.seed = seed
        self._policy = make_policy(policy, seed)
        self._paths = self._policy.paths if isinstance(self._policy, Lookahead) else StagePaths()
        self._books = Books.of(Present(self.fleet))

    @property
    def devices(self) -> tuple[Node, ...]:
        """The devices present."""
        return self._books.present.fleet.devices

    @property
    def running(self) -> tuple[Running, ...]:
        """The requests that have a place, in order of arrival."""
        return tuple(sorted(self._books.running.values(), key=lambda one: one.arrival))

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The rejected requests that are tried again, in order of arrival."""
        return tuple(self._books.in_order())

    @property
    def standing(self) -> Standing:
        """How all of them stand."""
        return self._books.standing

    def left(self) -> dict[str, tuple[int, int, int]]:
        """Return bytes, multiplications and bits that each present node has left."""
        columns = self._books.left.left.T.tolist()
        names = self._books.present.problem.node_ids
        return {name: (b, m, s) for name, (b, m, s) in zip(names, columns, strict=True)}

    # Requests.

    def submit(self, request: Request) -> Decision:
        """Place a request, or let it wait, or refuse it for good.

        A request that runs or waits already is not placed twice: its decision is returned. Once it
        has finished, its id is free.

        Raises
        ------
        RuleError
            If it names an unknown source or network, or another request has its id.
        ResultError
            If the policy takes more than a node has left.
        """
        books = self._books.copy()
        books.present.fleet.refuse_unknown(request, "request")
        known = books.running.get(request.id) or books.waiting.get(request.id)
        if known is not None:
            if known.request != request:
                raise RuleError(
                    "request.id",
                    "an id that no other request has",
                    repr(request.id),
                    "finish that request first, or choose another id",
                )
            return self._decision_on(known)
        books.count(submitted=1)
        answer = self._place(books, request, books.counts.submitted)
        if isinstance(answer, Running):
            books.enter(answer)
            self._books = books
            return answer.decision("submitted")
        hopeless = bool(books.present.task(request).unattainable) and bool(self.devices)
        books.count(rejected_at_first=1, unserved=int(hopeless))
        waiting = Waiting(request=request, arrival=books.counts.submitted, rejection=answer)
        if not hopeless:
            books.waiting[request.id] = waiting
        self._books = books
        return self._rejected(waiting, "submitted", waits=not hopeless)

    def finish(self, request_id: str) -> tuple[Decision, ...]:
        """Return the reservations of a request, or let it wait no longer; try those that wait.

        Raises
        ------
        RuleError
            If no such request runs or waits.
        """
        books = self._books.copy()
        if request_id in books.running:
            books.remove(request_id)
            books.count(finished=1)
        elif books.waiting.pop(request_id, None):
            books.count(unserved=1)
        else:
            raise RuleError(
                "request",
                "the id of a request that runs or waits",
                repr(request_id),
                "submit it first; finished requests are not remembered",
            )
        return self._settle(books, [])

    # Devices.

    def join(self, device: Node) -> tuple[Decision, ...]:
        """Let a device join, and try the requests that wait; one that is present is no news.

        Raises
        ------
        RuleError
            If another node has its id.
        """
        present = self._books.present
        if device in present.fleet.devices:
            return ()
        if device.id in present.index:
            raise RuleError(
                "device.id", "an id that no node has", repr(device.id), "rename the device"
            )
        books = self._books.on(present.joined_by(device))
        for name, one in books.running.items():
            bound_s = self._bound_s(books.present, books.present.task(one.request)) or 0.0
            books.running[name] = one.model_copy(update={"bound_s": bound_s})
        return self._settle(books, [])

    def leave(self, device_id: str) -> tuple[Decision, ...]:
        """Let a device leave once what it computes has another place.

        Raises
        ------
        RuleError
            If it is not present, or a request has no place without it: then it stays.
        """
        books, decisions = self._without(device_id, "left")
        for decision in decisions:
            if decision.rejection is not None:
                raise RuleError(
                    "device",
                    "a device whose segments have another place",
                    f"'{device_id}', which request '{decision.request}' needs "
                    f"({decision.rejection.condition})",
                    "finish the request first, or send 'die' if the device goes anyway",
                )
        return self._settle(books, decisions)

    def die(self, device_id: str) -> tuple[Decision, ...]:
        """Put elsewhere what a device computed, or reject the requests with a reason.

        Of each request that ran there, in order of arrival, the segments on the device move to one
        other device within its caps (the one of least latency); if none has room, the whole request
        is placed anew; if that fails it waits, and its other reservations are returned.

        Raises
        ------
        RuleError
            If the device is not present.
        """
        return self._settle(*self._without(device_id, "died"))

    def reoptimise(self, most_moves: int) -> tuple[Decision, ...]:
        """Place running requests anew where that is faster, those of the largest gap first.

        Parameters
        ----------
        most_moves : int
            How many segments, over all requests, may change node.
        """
        books, decisions = self._books.copy(), []
        for one in sorted(books.running.values(), key=lambda one: (-_gap_of(one), one.arrival)):
            if _gap_of(one) <= TOLERANCE:
                break
            books.remove(one.request.id)
            better = self._place(books, one.request, one.arrival)
            if isinstance(better, Running) and better.latency_s < one.latency_s:
                moved = segments_moved(one.placement, better.placement)
                if moved <= most_moves:
                    most_moves -= moved
                    books.enter(better)
                    books.count(moved=moved)
                    decisions.append(better.decision("reoptimised", moved))
                    continue
            books.enter(one)
        return self._settle(books, decisions)

    # Snapshots.

    def snapshot(self, last: Exchange | None = None) -> Snapshot:
        """Return all that is needed to go on from here; `last` is what was said last."""
        return Snapshot(
            policy=self.policy_name,
            seed=self.seed,
            fleet=self.fleet,
            devices=self.devices,
            running=self.running,
            waiting=self.waiting,
            counts=self._books.counts,
            last=last,
        )

    def save(self, path: Path) -> None:
        """Write a snapshot, wholly or not at all."""
        write_snapshot(path, self.snapshot())

    @classmethod
    def restore(cls, path: Path) -> Self:
        """Go on from a snapshot.

        Raises
        ------
        InputError
            If it cannot be read, or its reservations are not those of its placements.
        """
        return cls.of_snapshot(*read_snapshot(path))

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, books: Books) -> Self:
        """Go on from a snapshot that has been verified, and the books it gives."""
        scheduler = cls(snapshot.fleet, snapshot.policy, seed=snapshot.seed)
        scheduler._books = books
        return scheduler

    # What they share.

    def _place(self, books: Books, request: Request, arrival: int) -> Running | Rejection:
        """Ask the policy for a place on what is left."""
        present = books.present
        if not present.fleet.devices:
            return Rejection(request=request.id, condition="no device is present")
        task = present.task(request)
        answer = place_one(present.problem, self._policy, task, books.left)
        if isinstance(answer, Rejection):
            return answer
        bound_s = self._bound_s(present, task) or 0.0
        return _running(present, task, *answer, arrival, bound_s)

    def _bound_s(self, present: Present, task: RequestTask) -> float | None:
        """Bound the latency on full budgets: reservations only restrict."""
        if task.unattainable or not present.fleet.devices:
            return None
        return self._paths.find(present.problem, task).bound_s

    def _decision_on(self, known: Running | Waiting) -> Decision:
        """Return what was decided on a request that runs or waits."""
        if isinstance(known, Running):
            return known.decision("submitted")
        return self._rejected(known, "submitted")

    def _rejected(self, one: Waiting, cause: Cause, waits: bool = True) -> Decision:
        present = self._books.present
        return Decision(
            request=one.request.id,
            cause=cause,
            bound_s=self._bound_s(present, present.task(one.request)),
            rejection=one.rejection,
            waits=waits,
        )

    def _settle(self, books: Books, decisions: list[Decision]) -> tuple[Decision, ...]:
        """Try the requests that wait, in order of arrival, and let the event count as done.

        What equals a request that has just failed is not tried: there is no more room than then.
        """
        failed: set[tuple[str, float, str]] = set()
        retried = []
        for one in books.in_order():
            request = one.request
            kind = (request.network, request.tolerated_ssim, request.source)
            answer = kind not in failed and self._place(books, request, one.arrival)
            if isinstance(answer, Running):
                del books.waiting[request.id]
                books.enter(answer)
                retried.append(answer.decision("retried"))
            else:
                failed.add(kind)
        self._books = books
        return (*decisions, *retried)

    def _without(self, device_id: str, how: str) -> tuple[Books, list[Decision]]:
        """Return the books without a device, and where its requests have gone."""
        before = self._books.present
        if device_id not in before:
            raise RuleError(
                "device", "the id of a device that is present", repr(device_id), "correct it"
            )
        books = self._books.on(before.without(device_id))
        affected = [one for one in self.running if one.is_on(device_id)]
        return books, [self._move(books, before, one, device_id, how) for one in affected]

    def _move(
        self, books: Books, before: Present, one: Running, device_id: str, how: str
    ) -> Decision:
        """Put a request that ran on a device elsewhere, or let it wait."""
        books.remove(one.request.id)
        cause: Cause = "repaired"
        after: Running | Rejection | None = _repaired(books, before, one, device_id)
        if after is None:
            cause, after = "placed anew", self._place(books, one.request, one.arrival)
        if isinstance(after, Rejection):
            why = f"device '{device_id}' {how}; {after.condition}"
            after = after.model_copy(update={"condition": why})
            waiting = Waiting(request=one.request, arrival=one.arrival, rejection=after)
            books.waiting[one.request.id] = waiting
            books.count(interrupted=1)
            return Decision(request=one.request.id, cause=cause, rejection=after, waits=True)
        books.enter(after)
        moved = segments_moved(one.placement, after.placement)
        books.count(moved=moved)
        return after.decision(cause, moved)


def _running(
    present: Present,
    task: RequestTask,
    placed: RequestPlacement,
    evaluation: RequestEvaluation,
    arrival: int,
    bound_s: float,
) -> Running:
    return Running(
        request=task.request,
        arrival=arrival,
        placement=write_request(present.problem, task, placed),
        reserved=present.by_name(evaluation.load),
        latency_s=evaluation.latency_s,
        bound_s=bound_s,
    )


def _repaired(books: Books, before: Present, one: Running, device_id: str) -> Running | None:
    """Return a request with only the segments of a lost device moved, if another has room.

    Works on the nodes of `before`, where the lost one has nothing left. Its bound still holds: the
    fewer devices, the slower the best.
    """
    lost = before.index[device_id]
    room = Ledger(np.insert(books.left.left, lost, 0, axis=1))
    task = before.task(one.request)
    here = read_request(task, one.placement, before.index)
    placed = repaired(before.problem, task, here, lost, room)
    if placed is None:
        return None
    evaluation = evaluate_request(before.problem, task, placed)
    return _running(before, task, placed, evaluation, one.arrival, one.bound_s)


def _gap_of(one: Running) -> float:
    gap = relative_gap(one.latency_s, one.bound_s)
    return np.inf if gap is None else gap
