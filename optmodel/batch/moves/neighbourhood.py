"""Improve a placed batch: take some requests out, place them anew at other prices, keep what helps.

Everything that was ever placed goes into the pool of the restricted master, which recombines it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from optmodel.batch.batch import PlacedBatch
from optmodel.batch.moves.construct import scarcity
from optmodel.batch.moves.master import RestrictedMaster
from optmodel.batch.one_request.stage_share import NoRoom
from optmodel.placement import CostedPlacement, RequestClass
from optmodel.problem import FloatArray, RequestTask
from optmodel.search import Search

MOST_OUT = 4
"""Requests that are taken out at a time, at most."""
SCALES = (0.03, 30.0)
"""Least and largest multiple of a price, drawn evenly in its logarithm."""
JITTER = 0.5
"""Deviation of the logarithm of a single node's price from the others."""
WORSE = 0.003
"""Relative loss that a move may bring on average, so that the search leaves dead ends."""
STALL = 150
"""Moves without a better batch, per round, after which the master takes over."""
IDLE_ROUNDS = 2
"""Rounds in a row without a better batch, after which there is nothing left to try."""
MASTER_SHARE = 0.1
"""Share of the time left for one integer master."""
LEAST_GAIN = 1e-6
"""Relative; less is no improvement."""


class RuinAndRecreate:
    """Ruin and recreate around an incumbent, with a restricted master.

    Parameters
    ----------
    search : Search
        Whose incumbent is improved; requests that it leaves out stay out.
    classes : sequence of RequestClass
        The batch.
    """

    def __init__(self, search: Search, classes: Sequence[RequestClass]) -> None:
        assert search.incumbent is not None
        self.search, self.problem = search, search.problem
        served = search.incumbent.requests
        self.classes = [c.only(served) for c in classes if c.only(served).members]
        self.batch = PlacedBatch(self.problem, self.classes)
        self.batch.adopt(search.incumbent)
        self.members = [member for _, member in self.batch.order]
        self.random = np.random.default_rng(search.options.seed or 0)
        self.usual = scarcity(self.problem, 3.0)
        self.prices = [scarcity(self.problem, 1.0)]
        helpers = self.problem.helpers
        unit_s = self.problem.time_unit_s
        self.master = RestrictedMaster(self.classes, self.batch.budgets[:, :helpers], unit_s)
        for member, placed in self._placed():
            self.master.add(self.batch.class_of(member), placed)

    def improve(self, may_go_on: Callable[[], bool]) -> None:
        """Move and recombine until neither helps any more, or time is up."""
        idle = 0
        while idle < IDLE_ROUNDS and may_go_on():
            before = self.batch.latency_s
            self._round(may_go_on)
            if may_go_on():
                self._recombine()
            idle = 0 if self.batch.latency_s < before * (1 - LEAST_GAIN) else idle + 1

    def _placed(self) -> list[tuple[RequestTask, CostedPlacement]]:
        return [(member, self.batch.placed[member.request.id]) for member in self.members]

    def _restore(self, placed: list[tuple[RequestTask, CostedPlacement]]) -> None:
        for member, _ in placed:
            if member.request.id in self.batch.placed:
                self.batch.take_back(member)
        for member, before in placed:
            self.batch.put(member, before)

    def _round(self, may_go_on: Callable[[], bool]) -> None:
        """Make moves until many in a row have found nothing better; end at the best batch."""
        best, latency, idle = self._placed(), self.batch.latency_s, 0
        while idle < STALL and may_go_on():
            idle += 1
            self._move()
            if self.batch.latency_s < latency * (1 - LEAST_GAIN):
                best, latency, idle = self._placed(), self.batch.latency_s, 0
                self.search.offer(self.batch.placement())
        self._restore(best)

    def _move(self) -> None:
        """Take a few requests out and place them anew; undo it if that costs too much."""
        number = int(self.random.integers(1, min(len(self.members), MOST_OUT) + 1))
        drawn = self.random.choice(len(self.members), number, replace=False)
        before = self.batch.latency_s
        old = [(self.members[i], self.batch.placed[self.members[i].request.id]) for i in drawn]
        for member, _ in old:
            self.batch.take_back(member)
        prices = self._drawn_prices()
        most = before * (1 + WORSE * float(self.random.exponential()))
        if not self._place([member for member, _ in old], prices) or self.batch.latency_s > most:
            self._restore(old)

    def _place(self, members: list[RequestTask], prices: FloatArray) -> bool:
        for member in members:
            requests = self.batch.class_of(member)
            found = self.batch.find(requests, member, prices, self.usual)
            if isinstance(found, NoRoom):
                return False
            self.master.add(requests, found)
            self.batch.put(member, found)
        return True

    def _drawn_prices(self) -> FloatArray:
        """Return uniform prices or the master's, at a random scale and with some noise."""
        base = self.prices[int(self.random.integers(len(self.prices)))]
        scale = np.exp(self.random.uniform(*np.log(SCALES)))
        prices: FloatArray = base * scale * np.exp(self.random.normal(0, JITTER, base.shape))
        return prices

    def _recombine(self) -> None:
        """Solve the restricted master, take its choice if it is better, learn its prices."""
        floor = scarcity(self.problem, 0.03)
        self.prices = [self.prices[0], np.maximum(self.master.prices(), floor)]
        start = [(self.batch.class_of(member), placed) for member, placed in self._placed()]
        seconds = MASTER_SHARE * self.search.left_s
        chosen = self.master.choose(start, seconds)
        members = [member for requests in self.classes for member in requests.members]
        old = self._placed()
        before = self.batch.latency_s
        for member, _ in old:
            self.batch.take_back(member)
        for member, placed in zip(members, chosen, strict=True):
            if not self.batch.fits(member, placed):
                break
            self.batch.put(member, placed)
        if self.batch.complete and self.batch.latency_s < before * (1 - LEAST_GAIN):
            self.search.offer(self.batch.placement())
        else:
            self._restore(old)
