"""The online scheduler: each event is done wholly or not at all, and answered with decisions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from heuristics.policies import make_policy, require_trusted
from heuristics.policy import PlacementPolicy
from heuristics.scheduler.decision import RequestStanding, SchedulerDecision
from heuristics.scheduler.device_departure import DeviceDeparture
from heuristics.scheduler.events import EventExchange
from heuristics.scheduler.fleet_books import BookEntry, FleetBooks, RunningRequest
from heuristics.scheduler.journal import journal_path
from heuristics.scheduler.present_fleet import NodeLoad, PresentFleet
from heuristics.scheduler.reoptimise import reoptimised
from heuristics.scheduler.replay import replayed
from heuristics.scheduler.request_placer import RequestPlacer
from heuristics.scheduler.snapshot import StateSnapshot
from heuristics.scheduler.state_files import SchedulerState, read_state, save_snapshot
from heuristics.scheduler.waiting_line import WaitingRequest
from optmodel.ground.rule_errors import InputError, RuleError, one_line
from optmodel.online import KnownPaths
from optmodel.problem import FleetDocument, Node, Request


class OnlineScheduler:
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
    decider : PlacementPolicy, optional
        Who decides instead of a new policy of that name.
    paths : KnownPaths, optional
        Solved paths to share with others, for bounds.
    in_names : bool
        Whether decisions hold placements in names: not needed by who only counts, and a tenth of
        the work.
    tolerant : bool
        Whether a policy that fails or breaks a limit costs it the request only, as who serves
        wants it; else its fault is raised as a ResultError.

    Raises
    ------
    InputError
        If there is no such policy.
    """

    def __init__(
        self,
        fleet: FleetDocument,
        policy: str = "lookahead",
        *,
        seed: int = 0,
        decider: PlacementPolicy | None = None,
        paths: KnownPaths | None = None,
        in_names: bool = True,
        tolerant: bool = True,
    ) -> None:
        self.fleet = fleet.without_requests()
        self.policy_name = policy
        self.seed = seed
        self._placer = RequestPlacer(decider or make_policy(policy, seed), paths, tolerant)
        self._books = FleetBooks(PresentFleet(self.fleet, in_names))

    @property
    def devices(self) -> tuple[Node, ...]:
        """The devices present."""
        return self._books.present.fleet.devices

    @property
    def running(self) -> tuple[RunningRequest, ...]:
        """The requests that have a place, in order of arrival."""
        # What is placed anew is entered again, behind those that came later.
        entries = sorted(self._books.running.values(), key=lambda one: one.arrival)
        return tuple(one.running(self._books.present) for one in entries)

    @property
    def waiting(self) -> tuple[WaitingRequest, ...]:
        """The rejected requests that are tried again, in order of arrival."""
        return tuple(self._books.waiting)

    @property
    def standing(self) -> RequestStanding:
        """How all of them stand."""
        return self._books.standing

    def left(self) -> dict[str, tuple[int, int, int]]:
        """Return bytes, multiplications and bits that each present node has left."""
        columns = self._books.left.left.T.tolist()
        names = self._books.present.problem.node_ids
        return {name: (b, m, s) for name, (b, m, s) in zip(names, columns, strict=True)}

    def reserved(self, request_id: str) -> dict[str, NodeLoad]:
        """Return bytes, multiplications and bits that a running request takes, by node id.

        Raises
        ------
        KeyError
            If no such request runs.
        """
        one = self._books.running[request_id]
        return self._books.present.by_name(one.nodes, one.load)

    def computing_s(self, request_id: str) -> float:
        """Return what a running request would take if sending took no time, in seconds (Eq. 5).

        Raises
        ------
        KeyError
            If no such request runs.
        """
        return self._books.running[request_id].computing_s(self._books.present)

    # Requests.

    def submit(self, request: Request) -> SchedulerDecision:
        """Place a request, or let it wait, or refuse it for good.

        A request that runs or waits already is not placed twice: its decision is returned.

        Raises
        ------
        RuleError
            If it names an unknown source or network, another request has its id, or had it and went
            lately (`fleet_books.MOST_GONE`).
        """
        books = self._books
        self.fleet.refuse_unknown(request, "request")
        known = books.running.get(request.id) or books.waiting.get(request.id)
        if known is not None:
            return self._decision_on(known, request)
        if request.id in books.gone:
            raise RuleError(
                "request.id",
                "an id that no request had lately",
                f"{request.id!r}, which is finished or went unserved",
                "choose another id; or, if it is the same request sent twice, leave it",
            )
        with books.wholly():
            books.count(submitted=1)
            answer = self._placer.place(books, request, books.counts.submitted)
            if isinstance(answer, BookEntry):
                books.enter(answer)
                return answer.decision(books.present, "submitted")
            waits = not books.present.excludes(request)
            books.count(rejected_at_first=1, unserved=int(not waits))
            arrival = books.counts.submitted
            # Asked for before the request waits or goes: bounding it may be interrupted.
            decision = self._placer.rejected(books, request, "submitted", answer, waits)
            if waits:
                books.wait(WaitingRequest(request=request, arrival=arrival, rejection=answer))
            else:
                books.is_gone(request.id)
            return decision

    def finish(self, request_id: str) -> tuple[SchedulerDecision, ...]:
        """Return the reservations of a request, or let it wait no longer; try those that wait.

        Raises
        ------
        RuleError
            If no such request runs or waits.
        """
        books, waiting = self._books, self._books.waiting.get(request_id)
        if request_id not in books.running and waiting is None:
            raise RuleError(
                "request",
                "the id of a request that runs or waits",
                f"{request_id!r}, which is gone already"
                if request_id in books.gone
                else repr(request_id),
                "submit it first; what is finished need not be finished again",
            )
        with books.wholly():
            if waiting is None:
                books.remove(request_id)
                books.count(finished=1)
            else:
                books.wait_no_longer(waiting)
                books.count(unserved=1)
            retried = self._placer.retried(books)
            # Last: of all changes to the books, this one cannot be undone.
            books.is_gone(request_id)
            return retried

    # Devices.

    def join(self, device: Node) -> tuple[SchedulerDecision, ...]:
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
        return self._settle(self._placer.joined(self._books, device), [])

    def leave(self, device_id: str) -> tuple[SchedulerDecision, ...]:
        """Let a device leave once what it computes has another place.

        Raises
        ------
        RuleError
            If it is not present, or a request has no place without it: then it stays.
        """
        departure = self._departure(device_id, "left")
        # On books of their own: until these are taken, the device has not left.
        decisions = departure.decisions()
        for decision in decisions:
            if decision.rejection is not None:
                raise RuleError(
                    "device",
                    "a device whose segments have another place",
                    f"'{device_id}', which request '{decision.request}' needs "
                    f"({decision.rejection.condition})",
                    "finish the request first, or send 'die' if the device goes anyway",
                )
        return self._settle(departure.books, decisions)

    def die(self, device_id: str) -> tuple[SchedulerDecision, ...]:
        """Put elsewhere what a device computed, or reject the requests with a reason.

        Of each request that ran there, in order of arrival, the segments on the device move to one
        other device within its caps (of the likeliest, the one of least latency); if none has room,
        the whole request is placed anew; if that fails it waits, and its other reservations are
        returned.

        Raises
        ------
        RuleError
            If the device is not present.
        """
        departure = self._departure(device_id, "died")
        return self._settle(departure.books, departure.decisions())

    def reoptimise(self, most_moves: int) -> tuple[SchedulerDecision, ...]:
        """Place running requests anew where that is faster, those of the largest gap first.

        Parameters
        ----------
        most_moves : int
            How many segments, over all requests, may change node.
        """
        books = self._books
        with books.wholly():
            decisions = reoptimised(books, self._placer, most_moves)
            return (*decisions, *self._placer.retried(books))

    # Snapshots.

    def snapshot(self, last: EventExchange | None = None) -> StateSnapshot:
        """Return all that is needed to go on from here; `last` is what was said last."""
        return StateSnapshot(
            policy=self.policy_name,
            seed=self.seed,
            fleet=self.fleet,
            devices=self.devices,
            running=self.running,
            waiting=self.waiting,
            counts=self._books.counts,
            gone=tuple(self._books.gone),
            last=last,
        )

    def save(self, path: Path) -> None:
        """Write a snapshot, wholly or not at all, in the place of a state that nobody serves.

        Raises
        ------
        InputError
            If a process serves that state, or the file cannot be written.
        """
        save_snapshot(path, self.snapshot())

    @classmethod
    def restore(cls, path: Path, policy: str | None = None) -> Self:
        """Go on from a snapshot, and from its journal if a process was killed that served it.

        Parameters
        ----------
        path : Path
            The snapshot.
        policy : str, optional
            The policy that it was made with. Must be given if it is the dotted name of a class: no
            code is run because a file names it.

        Raises
        ------
        InputError
            If the files cannot be read, were changed or contradict themselves, or the policy is
            another or must be given.
        """
        state = read_state(path)
        # Before a policy is made of the name that the file gives.
        require_trusted(state.snapshot.policy, policy, str(path))
        return cls.of_state(state)[0]

    @classmethod
    def of_state(
        cls, state: SchedulerState, decider: PlacementPolicy | None = None
    ) -> tuple[Self, EventExchange | None]:
        """Go on from a state, whose policy is trusted; return also what was said last.

        Parameters
        ----------
        decider : PlacementPolicy, optional
            Who decides instead of a new policy of the state's name.

        Raises
        ------
        InputError
            If what the journal says cannot have happened.
        """
        snapshot, last = state.snapshot, state.snapshot.last
        scheduler = cls(snapshot.fleet, snapshot.policy, seed=snapshot.seed, decider=decider)
        scheduler._books = state.books
        try:
            for exchange in state.since:
                scheduler.replay(exchange)
                last = exchange
            if last is not snapshot.last:
                scheduler.snapshot(last).books()  # As a snapshot would be verified.
        except RuleError as rule:
            raise InputError(f"{journal_path(state.path)}: {one_line(str(rule))}", rule) from rule
        return scheduler, last

    def replay(self, exchange: EventExchange) -> None:
        """Do again what was done at an event, with the decisions that were told then.

        Raises
        ------
        RuleError
            If they cannot have been told.
        """
        self._books = replayed(self._books, self._placer, exchange)

    # What they share.

    def _decision_on(
        self, known: BookEntry | WaitingRequest, request: Request
    ) -> SchedulerDecision:
        """Return what was decided on a request that runs or waits, if it is this one."""
        if known.request != request:
            raise RuleError(
                "request.id",
                "an id that no other request has",
                repr(request.id),
                "finish that request first, or choose another id",
            )
        if isinstance(known, BookEntry):
            return known.decision(self._books.present, "submitted")
        rejection = known.rejection
        return self._placer.rejected(self._books, request, "submitted", rejection, waits=True)

    def _settle(
        self, books: FleetBooks, decisions: Iterable[SchedulerDecision]
    ) -> tuple[SchedulerDecision, ...]:
        """Try the requests that wait on other devices, and let the event count as done."""
        retried = self._placer.retried(books)
        # Only now: whatever raises before this line has changed nothing.
        self._books = books
        return (*decisions, *retried)

    def _departure(self, device_id: str, how: str) -> DeviceDeparture:
        if device_id not in self._books.present:
            raise RuleError(
                "device", "the id of a device that is present", repr(device_id), "correct it"
            )
        return DeviceDeparture(self._books, self._placer, device_id, how)
