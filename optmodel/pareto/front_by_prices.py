"""Latency against shared data on large fleets: placements at prices on bits, between bounds.

The count formulation proves every point of a front, for a few devices. On more of them each price
on a bit gives a bound (`shared_data_prices`) and a few placements that are good at this price.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from optmodel.batch import PlanOptions, RequestSpreader, SenderPlan, StagePlacer
from optmodel.ground.rule_errors import ResultError
from optmodel.pareto.checked_placement import CheckedPlacement, checked
from optmodel.pareto.shared_data_prices import BitPricer, DataBounds, PricedBit
from optmodel.placement import (
    Placement,
    RequestClass,
    RequestPlacement,
    alone,
    evaluate_request,
    from_document,
    to_document,
)
from optmodel.problem import BoolArray, FloatArray, Problem, broadcast_bits
from optmodel.search import Allowance
from optmodel.stages import ArcBook

TIE = 1e-6
"""Relative; latencies closer than this count as equal."""
ARC_GAP = 1e-4
"""Relative gap to which arcs are solved."""
DEAREST, PRICES = 64.0, 33
"""A bit costs from 1 / DEAREST to DEAREST times what the fastest placement takes per bit."""
TIMES = 2
"""Every price is tried so often: once others have led to more solved arcs, it tells more."""


class PricedSeeker:
    """Finds placements of one request that share little for their latency, and bounds on all.

    The problem has one request, and `fastest` is the fastest placement of it that is known.
    """

    def __init__(self, problem: Problem, fastest: CheckedPlacement) -> None:
        self._problem, self._fastest = problem, fastest
        (self._task,) = problem.tasks
        self._requests = RequestClass(alone(problem, self._task), (self._task,))
        book = ArcBook(ARC_GAP)
        self._pricer = BitPricer(self._requests, book)
        self._placer = StagePlacer(self._requests, book, PlanOptions(arc_steps=math.inf))
        self._bits = [broadcast_bits(self._requests.task, cut) for cut in self._placer.cuts]
        self._spreader = RequestSpreader(self._requests.problem)
        self._room: FloatArray = self._requests.problem.whole_budgets.astype(float)

    def seek(self, allowance: Allowance) -> tuple[list[CheckedPlacement], DataBounds]:
        """Return placements, each faster and sharing more than the one before, and the bounds.

        Parameters
        ----------
        allowance : Allowance
            What it may take; then no other price is tried. A price of nothing always is, so that
            there is a bound.

        Raises
        ------
        ResultError
            If a price claims that there is no placement, or gives no number.
        """
        sent = self._sent_by(from_document(self._problem, self._fastest.document))
        unit_s = self._fastest.latency_s / max(self._fastest.bits - sent, 1)
        priced = [self._priced(0.0)]
        found = [self._fastest, *self._placements(priced[0], allowance)]
        for scale in TIMES * coarse_to_fine():
            if allowance.over:
                break
            priced.append(self._priced(unit_s * scale))
            found += self._placements(priced[-1], allowance)
        return _undominated(found), DataBounds(tuple(priced), sent)

    def _priced(self, price_s: float) -> PricedBit:
        """Return what a price says; only a finite value can be, as there is a placement."""
        one = self._pricer.at(price_s)
        if not math.isfinite(one.value_s):
            raise ResultError(
                f"a price of {price_s!r} s on a bit claims the bound {one.value_s} s, but there is "
                f"a placement that takes {self._fastest.latency_s!r} s"
            )
        return one

    def _sent_by(self, placement: Placement) -> int:
        """Return what the source sends, the same in any placement (8h), in bits."""
        placed = placement.requests[self._task.request.id]
        load = evaluate_request(self._problem, self._task, placed).load
        return int(load[2, self._task.source])

    def _placements(self, one: PricedBit, allowance: Allowance) -> Iterator[CheckedPlacement]:
        """Yield placements that keep all limits and are good at a price."""
        prices: FloatArray = np.zeros(self._room.shape)
        prices[2, :-1] = one.price_s
        constructed = self._spreader.place(self._room, prices, prices)
        if constructed is not None:
            yield from self._checked(constructed)
        if one.plan is not None:
            who = partial(self._senders, one.plan)
            planned = self._placer.place(self._room, allowance, who)
            if planned is not None:
                yield from self._checked(planned)

    def _senders(self, plan: SenderPlan, k: int, left: FloatArray) -> BoolArray:
        """Return which nodes send behind stage k, shape (nodes,).

        Of each group those with room that sent most before: what they keep they need not send.
        """
        chosen: BoolArray = np.zeros(len(left), dtype=bool)
        hosts = np.array(self._requests.task.layers[self._placer.cuts[k].last].hosts)
        fits = hosts[left[hosts] >= self._bits[k]]
        busiest = fits[np.argsort(left[fits], kind="stable")]
        for group, number in enumerate(plan[k]):
            chosen[busiest[self._placer.group[busiest] == group][:number]] = True
        return chosen

    def _checked(self, found: RequestPlacement) -> Iterator[CheckedPlacement]:
        """Yield a placement with its exact costs, if it keeps the budgets (8b-8d)."""
        requests = self._requests
        costs = evaluate_request(requests.problem, requests.task, found)
        if (costs.load <= self._room).all():
            whole = requests.for_member(self._task, found, len(self._problem.node_ids))
            document = to_document(self._problem, Placement({self._task.request.id: whole}))
            yield checked(self._problem.instance, document, "a construction at a price")


def coarse_to_fine() -> list[float]:
    """Return the prices as multiples of the middle one, in the order in which they tell most.

    First the middle and both ends, then those halfway between two that come before.
    """
    scales = np.geomspace(1 / DEAREST, DEAREST, PRICES).tolist()
    last, middle = PRICES - 1, PRICES // 2
    return [scales[k] for k in sorted(range(PRICES), key=lambda k: -math.gcd(k - middle, last))]


def _undominated(found: list[CheckedPlacement]) -> list[CheckedPlacement]:
    """Return those that none beats in both, the one that shares least first."""
    kept: list[CheckedPlacement] = []
    for one in sorted(found, key=lambda placed: (placed.bits, placed.latency_s)):
        if not kept or one.latency_s < kept[-1].latency_s * (1 - TIE):
            kept.append(one)
    return kept
