"""The bound side of the engine: each request as if alone, then prices on the budgets."""

import math
from collections.abc import Iterator

from optmodel.batch.bound.price_search import PricedBound
from optmodel.batch.workbench import BatchWorkbench
from optmodel.stages import StageResult, solve_alone


class BoundSide:
    """Raises the bound of a search step by step.

    Attributes
    ----------
    alone : StageResult or None
        What the stages say of each request as if alone.
    exhausted : bool
        Whether no step is left.
    """

    def __init__(self, bench: BatchWorkbench) -> None:
        self.bench, self.search = bench, bench.search
        self.alone: StageResult | None = None
        self.exhausted = False
        self._steps = self._all_steps()

    def step(self) -> None:
        """Make one step.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C cut it short; what was known by then is kept.
        """
        if next(self._steps, None) is None:
            self.exhausted = True

    def _all_steps(self) -> Iterator[bool]:
        """Make a step, then yield, again and again."""
        bounds, shares = self.bench.options.bounds, self.bench.options.alone_shares
        # `auto` solves each request alone before it comes here.
        if "alone" in bounds and self.alone is None:
            for share in shares:
                whole = self.solve_alone(share)
                yield True
                if whole:
                    break
        if "prices" in bounds and self.bench.classes:
            for priced in self.bench.price_search.improving():
                self._keep(priced)
                yield True

    def solve_alone(self, share: float) -> bool:
        """Solve each request as if alone, in a share of the time left; tell whether it was enough.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C cut it short.
        """
        allowance = self.search.allowance(share)
        with self.search.speaking("stages"):
            self.alone = solve_alone(self.search, allowance)
        if self.alone.interrupted:
            raise KeyboardInterrupt
        return not allowance.over

    @property
    def bounds_all(self) -> bool:
        """Whether a bound on serving all requests bounds the search."""
        search, number = self.search, len(self.search.problem.tasks)
        # Classes leave out requests that cannot be served at all.
        everyone = sum(len(requests.members) for requests in self.bench.classes) == number
        return everyone and (search.options.admission == "all" or search.served == number)

    def _keep(self, priced: PricedBound) -> None:
        """Keep prices if they bound better than those known."""
        # No path at any price: a request that has no placement, even alone.
        if not math.isfinite(priced.bound_s):
            if self.search.options.admission == "all":
                self.search.infeasible = True
            return
        known = self.bench.priced
        if known is not None and priced.bound_s <= known.bound_s:
            return
        self.bench.priced = priced
        if self.bounds_all:
            with self.search.speaking("prices"):
                self.search.raise_bound(priced.bound_s)

    def conclude(self) -> None:
        """Raise the bound of those served, now that it is known how many they are.

        As many of the least latencies as if alone bound them, because no placement serves more,
        and those served take at least this long.
        """
        search = self.search
        if self.bounds_all and self.bench.priced is not None:
            with search.speaking("prices"):
                search.raise_bound(self.bench.priced.bound_s)
        served_most = search.options.admission == "most" and search.served == search.most_served
        if served_most and self.alone is not None:
            with search.speaking("stages"):
                search.raise_bound(self.alone.bound_s(search.served))
