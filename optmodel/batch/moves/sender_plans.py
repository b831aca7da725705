"""The move `plans`: the batch anew, each stage solved exactly between the senders of a plan."""

from collections.abc import Iterator

from optmodel.batch.bound.sender_sets import SenderPlan
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import Placement
from optmodel.search import Allowance


class PlannedConstruction:
    """Places the whole batch anew, with given senders behind each stage; a plan each turn.

    Parameters
    ----------
    bench : BatchWorkbench
    """

    turns_per_pass = 1

    def __init__(self, bench: BatchWorkbench) -> None:
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
