"""The simulation: SimPy processes for arrivals, changes and running requests drive the scheduler.

Time is a whole number of microseconds, so that equal runs are equal to the last digit.
"""

import time
from collections.abc import Callable, Generator, Iterable

from simpy import Environment, Interrupt, Process
from simpy import Event as Happening

from benchmarks.simulate.arrivals import MICROSECONDS, DueEvent
from benchmarks.simulate.outcome import SimulationOutcome, Timing
from benchmarks.simulate.tally import ServedPlacement, Tally
from heuristics.scheduler import OnlineScheduler, SchedulerDecision
from heuristics.scheduler.events import (
    Event,
    EventExchange,
    FinishEvent,
    JoinEvent,
    LeaveEvent,
    SubmitEvent,
)
from heuristics.scheduler.service import SchedulerService as Desk
from optmodel.ground.rule_errors import RuleError
from optmodel.problem import Request

Steps = Generator[Happening, None, None]


class Simulation:
    """Requests come, run for the latency of their placement (Eq. 5), and return what they reserved.

    A request that a device's going moves begins anew on its new placement. A device that may not
    leave, because a request has no place without it, stays until the next request ends and asks
    again. What still waits when nothing runs or comes any more is unserved.

    Parameters
    ----------
    scheduler : OnlineScheduler
        Who places; nothing runs yet.
    arrivals : iterable of DueEvent
        Requests, in order of time; read one by one.
    changes : iterable of DueEvent
        What devices do, in order of time.
    tell : callable, optional
        Hears every event and its answer.

    Attributes
    ----------
    tally : Tally
        Sums so far.
    timing : Timing
        What deciding took so far.
    """

    def __init__(
        self,
        scheduler: OnlineScheduler,
        arrivals: Iterable[DueEvent],
        changes: Iterable[DueEvent] = (),
        tell: Callable[[EventExchange], None] | None = None,
    ) -> None:
        self._scheduler, self._desk = scheduler, Desk(scheduler)
        self._tell = tell
        self._clock = Environment()
        self.tally = Tally(scheduler.fleet)
        self.timing = Timing(events=0, total_s=0.0, slowest_s=0.0)
        self._arrived: dict[str, tuple[int, Request]] = {}
        self._services: dict[str, tuple[ServedPlacement, Process]] = {}
        self._leaving: list[LeaveEvent] = []
        self._clock.process(self._happen(arrivals))
        self._clock.process(self._happen(changes))

    def run(self) -> SimulationOutcome:
        """Simulate until nothing runs, comes or waits."""
        self._clock.run()
        while waiting := self._scheduler.waiting:
            for one in waiting:
                if one.request.id not in self._services:
                    self._give_up(one.request.id)
            self._clock.run()
        return self.tally.outcome(self._scheduler.standing.counts.interrupted)

    def _happen(self, due: Iterable[DueEvent]) -> Steps:
        """Let events happen when they are due."""
        for one in due:
            yield self._clock.timeout(one.time_us - self._clock.now)
            if isinstance(one.event, SubmitEvent):
                request = one.event.request
                self._arrived[request.id] = (int(self._clock.now), request)
                self.tally.came(request.network)
            if not self._stays(one.event):
                self._do(one.event)

    def _stays(self, event: Event) -> bool:
        """Tell whether a device that could not leave yet joins: then it stays after all."""
        waiting = len(self._leaving)
        if isinstance(event, JoinEvent):
            self._leaving = [one for one in self._leaving if one.device != event.device.id]
        return len(self._leaving) < waiting

    def _serve(self, request_id: str, service: ServedPlacement) -> Steps:
        """Let a request run to its end, unless its placement changes before."""
        try:
            yield self._clock.timeout(service.duration_us)
        except Interrupt:
            return
        now = int(self._clock.now)
        del self._services[request_id]
        arrival_us, _ = self._arrived.pop(request_id)
        self.tally.returned(service, now)
        self.tally.ended(service, arrival_us, now)
        self._do(FinishEvent(event="finish", request=request_id))
        asking, self._leaving = self._leaving, []
        for event in asking:
            self._do(event)

    def _give_up(self, request_id: str) -> None:
        del self._arrived[request_id]
        self._do(FinishEvent(event="finish", request=request_id))

    def _do(self, event: Event) -> None:
        """Tell the scheduler of an event, and act on its decisions."""
        event = event.model_copy(update={"time_s": self._clock.now / MICROSECONDS})
        start = time.perf_counter()
        try:
            answer = self._desk.answer(event)
        except RuleError:
            if not isinstance(event, LeaveEvent) or event.device not in self._present():
                raise
            self._leaving.append(event)
            return
        finally:
            self._took(time.perf_counter() - start)
        for decision in answer.decisions:
            self._follow(decision)
        if self._tell is not None:
            self._tell(EventExchange(event=event, answer=answer))

    def _present(self) -> set[str]:
        return {device.id for device in self._scheduler.devices}

    def _took(self, seconds: float) -> None:
        self.timing = Timing(
            events=self.timing.events + 1,
            total_s=self.timing.total_s + seconds,
            slowest_s=max(self.timing.slowest_s, seconds),
        )

    def _follow(self, decision: SchedulerDecision) -> None:
        """Begin what a decision says, in the place of what ran before."""
        name = decision.request
        if decision.cause == "submitted" and decision.latency_s is None:
            self.tally.rejected_first(self._arrived[name][1].network)
        before = self._services.pop(name, None)
        if before is not None:
            service, process = before
            process.interrupt()
            self.tally.returned(service, int(self._clock.now))
            self.tally.restarted += decision.latency_s is not None
        if decision.latency_s is not None:
            self._begin(name, decision)
        elif not decision.waits:
            self._arrived.pop(name, None)

    def _begin(self, name: str, decision: SchedulerDecision) -> None:
        _, request = self._arrived[name]
        service = ServedPlacement(
            network=request.network,
            start_us=int(self._clock.now),
            latency_s=decision.latency_s or 0.0,
            bound_s=decision.bound_s or 0.0,
            computing_s=self._scheduler.computing_s(name),
            reserved=self._scheduler.reserved(name),
        )
        self.tally.begun(service)
        self._services[name] = (service, self._clock.process(self._serve(name, service)))
