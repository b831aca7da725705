"""The move `recreate`: take some requests out, place them anew at other prices, keep what helps."""

from collections.abc import Iterator

import numpy as np

from optmodel.batch.moves.batch_construction import scarcity
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import CostedPlacement, Placement
from optmodel.problem import FloatArray, RequestTask
from optmodel.search import Allowance

ROUNDING = 1e-12
"""Relative; the same latencies summed in another order are no gain."""


class RuinAndRecreate:
    """Ruin and recreate around the incumbent; requests that it leaves out stay out."""

    has_news = False
    turns_per_pass = 1

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench, self.options = bench, bench.options.recreate
        self.random = bench.random("recreate")
        self.usual = scarcity(bench.problem, self.options.usual_scale)
        self.uniform = scarcity(bench.problem, 1.0)

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield ever better batches, until many steps in a row have found none."""
        batch = self.bench.standing()
        members, best_s, idle = batch.served, batch.latency_s, 0
        while members and idle < self.options.stall and not allowance.over:
            idle += 1
            self._step(batch, members)
            if batch.latency_s < best_s * (1 - ROUNDING):
                wins = batch.latency_s < best_s * (1 - self.bench.options.least_gain)
                # Small gains are kept, but do not make it go on.
                best_s, idle = batch.latency_s, 0 if wins else idle
                yield batch.placement()

    def _step(self, batch: PlacedBatch, members: list[RequestTask]) -> None:
        """Take a few requests out and place them anew; undo it if that costs too much."""
        number = int(self.random.integers(1, min(len(members), self.options.most_out) + 1))
        drawn = self.random.choice(len(members), number, replace=False)
        before_s = batch.latency_s
        old = [(members[i], batch.take_back(members[i])) for i in drawn]
        prices = self._drawn_prices()
        # Exponential: a little worse is often kept, much worse hardly ever.
        most_s = before_s * (1 + self.options.worse * float(self.random.exponential()))

        def find(member: RequestTask) -> CostedPlacement | None:
            """Construct a placement at the drawn prices."""
            return batch.find(batch.class_of(member), member, prices, self.usual)

        placed = batch.place_all([member for member, _ in old], find)
        if placed and batch.latency_s <= most_s:
            return
        # Where one had no room, `place_all` has left none placed.
        for member, _ in old if placed else ():
            batch.take_back(member)
        for member, before in old:
            batch.put(member, before)

    def _drawn_prices(self) -> FloatArray:
        """Return uniform prices at a random scale and with some noise."""
        scales = np.log((self.options.least_scale, self.options.largest_scale))
        scale = np.exp(self.random.uniform(*scales))
        noise = np.exp(self.random.normal(0, self.options.jitter, self.uniform.shape))
        prices: FloatArray = self.uniform * scale * noise
        return prices
