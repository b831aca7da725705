"""The moves `plans` and `replace`: stages solved exactly on what is left, by plans of who sends."""

from collections.abc import Iterator

from optmodel.batch.bound.senders import SenderPlan
from optmodel.batch.workbench import Workbench
from optmodel.placement import Placement, RequestClass
from optmodel.search import Allowance


class PlannedConstruction:
    """Places the whole batch anew, with given senders behind each stage; a plan each turn.

    Parameters
    ----------
    bench : Workbench
    """

    turns_per_pass = 1

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._tried: set[tuple[SenderPlan | None, ...]] = set()

    @property
    def has_news(self) -> bool:
        """Whether a plan is known that it has not tried."""
        return self._next() is not None

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield the batch placed by the first plan that was not tried, if all requests fit."""
        plans = self._next()
        if plans is None:
            return
        self._tried.add(plans)
        bench, batch = self.bench, self.bench.empty()
        plan_of = {id(c): plan for c, plan in zip(bench.classes, plans, strict=True)}
        for requests, member in batch.order:
            if allowance.over:
                return
            planner, plan = bench.planner(requests), plan_of[id(requests)]
            placed = planner.find(batch, member, plan, allowance)
            if placed is not None:
                batch.put(member, placed)
                bench.master.add(requests, placed)
            elif bench.search.options.admission == "all":
                return
        yield batch.placement()

    def _next(self) -> tuple[SenderPlan | None, ...] | None:
        return next((plans for plans in self.bench.plans() if plans not in self._tried), None)


class PlannedReplacement:
    """Takes one request out and places it by each plan of its class; a request each turn.

    Parameters
    ----------
    bench : Workbench
    """

    has_news = False

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._requests = bench.next_request("replace")

    @property
    def turns_per_pass(self) -> int:
        """As many as requests are served."""
        return max(self.bench.search.served, 1)

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield the batch with one request placed faster, for each plan by which it is."""
        bench = self.bench
        if not bench.search.served:
            return
        member, batch = next(self._requests), bench.standing()
        requests, placed = batch.class_of(member), batch.take_back(member)
        for plan in self._plans(requests):
            if allowance.over:
                return
            found = bench.planner(requests).find(batch, member, plan, allowance)
            if found is None:
                continue
            bench.master.add(requests, found)
            if found.latency_s < placed.latency_s:
                batch.put(member, found)
                yield batch.placement()
                placed = batch.take_back(member)

    def _plans(self, requests: RequestClass) -> Iterator[SenderPlan | None]:
        """Yield plans of a class: at first none, then others if bandwidth has a price."""
        yield None
        if not self.bench.bandwidth_binds:
            return
        c = self.bench.classes.index(requests)
        yield from dict.fromkeys(plans[c] for plans in self.bench.price_search.plans)
        yield from self.bench.planner(requests).plans()
