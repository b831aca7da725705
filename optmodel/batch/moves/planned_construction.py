"""The move `plans`: the batch anew, each stage solved exactly between the senders of a plan."""

from collections.abc import Iterator

from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import CostedPlacement, Placement, RequestClass
from optmodel.problem import RequestTask
from optmodel.search import Allowance


class PlannedConstruction:
    """Places the whole batch anew, with given senders behind each stage; a plan each turn."""

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
        plan_of = {id(c): plan for c, plan in zip(self.bench.classes, plans, strict=True)}

        def find(
            batch: PlacedBatch, requests: RequestClass, member: RequestTask
        ) -> CostedPlacement | None:
            """Place a request by the plan of its class."""
            planner = self.bench.planner(requests)
            return planner.find(batch, member, plan_of[id(requests)], allowance)

        found = self.bench.anew(find, allowance)
        if found is not None:
            yield found

    def _next(self) -> tuple[SenderPlan | None, ...] | None:
        return next((plans for plans in self.bench.plans() if plans not in self._tried), None)
