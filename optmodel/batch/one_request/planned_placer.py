"""Place one request by a plan: how many nodes of each group send behind each stage.

The plan is a cheapest path over numbers of senders. Which nodes these are is decided stage by
stage, so that what is left of their bandwidth also holds the broadcasts that follow.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from optmodel.batch.bound.sender_graph import (
    SenderGraph,
    SenderPath,
    ranges_of_senders,
)
from optmodel.batch.bound.sender_ranges import SenderPlan
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.options import BoundOptions
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.placement import CostedPlacement, RequestClass, RequestPlacement
from optmodel.problem import BoolArray, FloatArray, RequestTask, broadcast_bits
from optmodel.search import Allowance


class PlannedPlacer:
    """Places requests of a class by plans.

    Parameters
    ----------
    requests : RequestClass
        The class.
    placer : StagePlacer
        Places a stage on given nodes.
    number : int
        Requests in the batch, all together.
    options : BoundOptions, optional
        Of the graph that plans are cheapest paths of.
    """

    def __init__(
        self,
        requests: RequestClass,
        placer: StagePlacer,
        number: int,
        options: BoundOptions | None = None,
    ) -> None:
        self.requests, self.placer, self.number = requests, placer, number
        self.options = options or BoundOptions()
        self.bits = [broadcast_bits(requests.task, cut) for cut in placer.cuts]
        self.hosts = [set(requests.task.layers[cut.last].hosts) for cut in placer.cuts]
        self._plans: dict[float, SenderPlan | None] = {}

    @cached_property
    def _graph(self) -> SenderGraph:
        return SenderGraph(self.requests, self.placer.book, self.options)

    @cached_property
    def _latency_s(self) -> float:
        return self._path(0.0).latency_s

    def place(
        self, left: FloatArray, plan: SenderPlan | None, allowance: Allowance
    ) -> RequestPlacement | None:
        """Return a placement; whether it keeps the bandwidth budgets is for the caller to check.

        Parameters
        ----------
        left : ndarray, shape (3, nodes)
            What is left of the budgets.
        plan : SenderPlan or None
            Who sends; None lets everybody, for where bandwidth is plenty.
        allowance : Allowance
            What it may take before it gives up.
        """

        def who(k: int, room: FloatArray) -> BoolArray:
            """Return which nodes may send behind stage k."""
            return np.ones(len(room), dtype=bool) if plan is None else self._who(k, plan, room)

        return self.placer.place(left, allowance, who)

    def find(
        self,
        batch: PlacedBatch,
        member: RequestTask,
        plan: SenderPlan | None,
        allowance: Allowance,
    ) -> CostedPlacement | None:
        """Return a placement of a member on what a batch leaves, None if none is found."""
        placement = self.place(batch.left[:, batch.where(member)], plan, allowance)
        placed = self.requests.costed(placement) if placement is not None else None
        return placed if placed is not None and batch.fits(member, placed) else None

    def plans(self) -> Iterator[SenderPlan]:
        """Yield the plans at all scales, each once."""
        known = set()
        for scale in self.placer.options.scales:
            plan = self.plan(scale)
            if plan is not None and plan not in known:
                known.add(plan)
                yield plan

    def plan(self, scale: float) -> SenderPlan | None:
        """Return the plan if all bandwidth costs so much, see `PlanOptions.scales`.

        None if the request has no placement or its groups are too many.
        """
        if scale not in self._plans:
            self._plans[scale] = self._cheapest(scale)
        return self._plans[scale]

    def _cheapest(self, scale: float) -> SenderPlan | None:
        many = ranges_of_senders(self.requests) > self.options.most_ranges
        if many or not np.isfinite(self._latency_s):
            return None
        problem = self.requests.problem
        total = float(problem.budgets[2][: problem.helpers].sum())
        path = self._path(scale * self.number * self._latency_s / max(total, 1.0))
        return self._graph.plan(path)

    def _path(self, bit_s: float) -> SenderPath:
        """Return the cheapest path if a bit that a helper sends costs so many seconds."""
        prices = np.zeros((3, len(self.requests.fleet.groups)))
        prices[2, :-1] = bit_s
        return self._graph.cheapest_path(self._graph.tariffs(prices), closely=False)

    def _who(self, k: int, plan: SenderPlan, room: FloatArray) -> BoolArray:
        """Return which nodes send behind stage k, shape (nodes,).

        The largest broadcasts from stage k on are dealt first, to the nodes with most room. Where
        a group has too few with enough, others make up for it.
        """
        # The caller's room must not be charged for what is only planned.
        room = room.copy()
        chosen: BoolArray = np.zeros(len(room), dtype=bool)
        for s in sorted(range(k, len(plan)), key=lambda s: -self.bits[s]):
            senders = self._dealt(s, plan[s], room)
            room[senders] -= self.bits[s]
            if s == k:
                chosen[senders] = True
        return chosen

    def _dealt(self, s: int, numbers: tuple[int, ...], room: FloatArray) -> list[int]:
        most_room = [i for i in np.argsort(-room, kind="stable").tolist() if i in self.hosts[s]]
        fits = [i for i in most_room if room[i] >= self.bits[s]]
        group = self.placer.group
        taken = [
            i
            for g, number in enumerate(numbers)
            for i in [i for i in fits if group[i] == g][:number]
        ]
        # A group may have too few with room; whoever else has most makes up for it.
        missing = sum(numbers) - len(taken)
        return taken + [i for i in fits if i not in taken][:missing]
