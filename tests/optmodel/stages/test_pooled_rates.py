"""With rates pooled in intervals the bound holds, and what is called optimal is."""

from collections import Counter

import pytest
import reference
from hypothesis import given
from strategies import examples, instances

from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve
from optmodel.stages import sender_signature as signature
from optmodel.stages import stage_graph as path
from optmodel.stages.sender_signature import SenderSignature, signatures


def test_many_rates_are_pooled_so_that_every_sender_falls_into_one_interval():
    rates = {group: float(group + 1) for group in range(30)}
    pooled = signatures(rates, False, most=60)
    assert len(pooled) == signature.INTERVALS
    for slowest in rates.values():
        [home] = [s for s in pooled if s.floor <= slowest <= s.rate]
        assert all(home.admits(rate) for rate in rates.values() if rate >= slowest)
        # The slowest sender is not received by itself; all others hear it, or one no faster
        # than the upper end of the interval.
        assert home.heard_by(slowest, singled_out=False) is None
        for other in (rate for rate in rates.values() if rate > home.rate):
            assert home.heard_by(other, singled_out=False) >= slowest


def test_few_rates_are_told_apart():
    assert SenderSignature(1.0) in signatures({0: 1.0, 1: 3.0}, False, most=60)


@pytest.mark.parametrize("intervals", [1, 2])
def test_the_bound_holds_with_pooled_rates(monkeypatch, intervals: int):
    monkeypatch.setattr(path, "MOST_SIGNATURES", 0)
    monkeypatch.setattr(signature, "INTERVALS", intervals)
    seen: Counter[str] = Counter()

    @examples(60)
    @given(instances())
    def below(made: Instance) -> None:
        best = reference.best(made)
        found = solve(made, "stages", SolverOptions(mip_gap=0))
        if best is None:
            assert found.placement is None
            return
        optimum = float(best.latency_s)
        assert found.bound_s <= optimum * (1 + 1e-12)
        assert found.objective_s is None or found.objective_s >= optimum * (1 - 1e-12)
        seen["loose"] += found.bound_s < optimum * (1 - 1e-6)
        seen["optimal"] += found.solution_status is SolutionStatus.OPTIMAL

    below()
    assert seen["loose"] >= 5
    assert seen["optimal"] >= 5
