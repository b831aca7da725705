"""The move `construct`: place the batch anew, one request after another, at known prices."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from optmodel.batch.bound.price_search import PricedBound
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import Placement
from optmodel.search import Allowance


class PricedConstruction:
    """Constructs batches at multiples of the prices that bound the batch best."""

    turns_per_pass = 1

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench = bench
        self._used: PricedBound | None = None

    @property
    def has_news(self) -> bool:
        """Whether there are other prices than at its last turn."""
        now = self.bench.priced
        if now is None or self._used is None:
            return now is not self._used
        # Prices on broadcasts raise the bound and leave those on budgets as they are.
        return not np.array_equal(now.prices, self._used.prices)

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield a placement for each multiple; nothing where prices are as before."""
        if self.bench.priced is None or not self.has_news:
            return
        self._used = self.bench.priced
        for scale in self.bench.options.constructions.priced_scales:
            prices = self.bench.node_prices(self._used, scale)
            found = self.bench.anew(partial(PlacedBatch.find, prices=prices), allowance)
            if found is not None:
                yield found
