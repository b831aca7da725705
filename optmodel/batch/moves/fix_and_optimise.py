"""The move `windows`: free a part of one request and solve it exactly, all else stays."""

from collections.abc import Iterator

import numpy as np

from optmodel.batch.moves.freed_window import (
    WindowEffort,
    freed_devices,
    freed_stages,
    solve_freed,
)
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import Placement, evaluate
from optmodel.problem import BoolArray, BudgetLedger, RequestTask
from optmodel.search import Allowance


class FixAndOptimise:
    """Frees sets of devices and windows of stages of one request, one after another, each turn."""

    has_news = False

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench, self.options = bench, bench.options.windows
        self.random = bench.random("windows")
        # Draws of its own: whose turn it is does not depend on what was freed before.
        self._requests = self._served_in_turn(bench.random("windows"))

    @property
    def turns_per_pass(self) -> int:
        """As many as requests are served."""
        return max(self.bench.search.served, 1)

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield the incumbent with what was freed placed faster; more is freed after idle passes.

        It works on the incumbent, so that what is kept of one window counts for the next.
        """
        if not self.bench.search.served:
            return
        # Asked only while some are served: once it has ended it would not begin again.
        task = next(self._requests)
        for free in self._freed(task, self.options.width + idle_passes):
            if allowance.over:
                return
            found = self._solved(task, free, (1 + idle_passes) * self.options.work)
            if found is not None:
                yield found

    def _served_in_turn(self, random: np.random.Generator) -> Iterator[RequestTask]:
        """Yield the served requests, in an order that is drawn anew each time around."""
        tasks = self.bench.problem.tasks
        while self.bench.search.served:
            for at in random.permutation(len(tasks)).tolist():
                if tasks[at].request.id in self._incumbent.requests:
                    yield tasks[at]

    @property
    def _incumbent(self) -> Placement:
        assert self.bench.search.incumbent is not None
        return self.bench.search.incumbent

    def _freed(self, task: RequestTask, width: int) -> Iterator[BoolArray]:
        name, problem, options = task.request.id, self.bench.problem, self.options
        for _ in range(options.device_sets):
            # The incumbent of the moment: what one window has won counts for the next.
            placed = self._incumbent.requests[name]
            yield freed_devices(problem, task, placed, options.most_devices, self.random)
        placed = self._incumbent.requests[name]
        yield from freed_stages(task, placed, width, options.most_pairs, self.random)

    def _solved(self, task: RequestTask, free: BoolArray, work: float) -> Placement | None:
        """Return the best placement that differs only in what is freed, None if none is better."""
        problem, incumbent = self.bench.problem, self._incumbent
        left, costs = BudgetLedger.of(problem), evaluate(problem, incumbent)
        left.reserve(costs.load)
        effort = WindowEffort(work, self.bench.search.left_s, self.bench.seed)
        placed = incumbent.requests[task.request.id]
        found = solve_freed(problem, task, placed, free, left, effort)
        if found is None:
            return None
        return Placement({**incumbent.requests, task.request.id: found})
