"""The move `recombine`: of all placements that were met, choose the best together."""

from collections.abc import Iterator

import numpy as np

from optmodel.batch.moves.batch_construction import scarcity
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.placement import CostedPlacement, Placement
from optmodel.search import Allowance


class ColumnRecombination:
    """Solves the restricted master, and learns its prices.

    Parameters
    ----------
    bench : BatchWorkbench
    """

    turns_per_pass = 1

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench = bench
        self.floor = scarcity(bench.problem, bench.options.recombine.least_price_scale)
        self._added = 0

    @property
    def has_news(self) -> bool:
        """Whether the master knows more columns than at its last turn."""
        return self.bench.master.added > self._added

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield the master's choice if it is within budgets."""
        batch, master = self.bench.standing(), self.bench.master
        if not self.has_news:
            return
        if not batch.placed:
            self._added = master.added
            return
        start = [(batch.class_of(m), batch.placed[m.request.id]) for m in batch.served]
        self.bench.single_prices = np.maximum(master.prices(start), self.floor)
        seconds = self.bench.options.recombine.share * self.bench.search.left_s
        chosen = master.choose(start, seconds)
        self._added = master.added  # Counted here: the start's columns may have been added again.
        found = self._dealt(batch, chosen)
        if found is not None:
            yield found

    def _dealt(self, batch: PlacedBatch, chosen: list[list[CostedPlacement]]) -> Placement | None:
        """Return the choice dealt to the members of each class; None if it breaks a budget."""
        dealt = self.bench.empty()
        for requests, columns in zip(self.bench.classes, chosen, strict=True):
            members = [m for m in requests.members if m.request.id in batch.placed]
            for member, placed in zip(members, columns, strict=True):
                if not dealt.fits(member, placed):
                    return None
                dealt.put(member, placed)
        return dealt.placement()
