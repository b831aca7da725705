"""Ruin and recreate: never worse, within budgets."""

import pytest

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.moves.batch_construction import constructions
from optmodel.batch.moves.ruin_and_recreate import RuinAndRecreate
from optmodel.batch.options import BatchOptions, RecreateOptions
from optmodel.batch.workbench import BatchWorkbench
from optmodel.checker import check
from optmodel.placement.named_placement import to_document
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search

TIGHT = BudgetScales(memory=0.008, compute=0.0018, bandwidth=0.01)


def placed_search(networks: str, admission: str = "all", scales: BudgetScales = TIGHT) -> Search:
    made = generate(Recipe((networks,), "mixed", 8, 0.8, scales=scales), "tight")
    search = Search(made, SolverOptions(admission=admission))
    search.offer(next(constructions(search.problem, "most")))
    return search


def recreate(search: Search, stall: int) -> BatchWorkbench:
    """Give the move one turn, and return its bench."""
    options = BatchOptions(recreate=RecreateOptions(stall=stall))
    bench = BatchWorkbench(search, options, seed=0)
    for placement in RuinAndRecreate(bench).propose(0, Allowance()):
        assert search.offer(placement)
    return bench


@pytest.mark.parametrize("networks", ["cifar_cnn=2", "lenet=2,cifar_cnn=2"])
def test_improvement_is_feasible_and_faster(networks: str) -> None:
    search = placed_search(networks)
    before = search.objective_s
    recreate(search, 60)
    assert search.objective_s < before
    report = check(search.problem.instance, to_document(search.problem, search.incumbent))
    assert report.passed
    assert float(report.objective_s) == pytest.approx(search.objective_s)


def test_same_seed_same_improvement() -> None:
    found = []
    for _ in range(2):
        search = placed_search("lenet=6")
        recreate(search, 40)
        found.append(search.objective_s)
    assert found[0] == found[1]


def test_requests_left_out_stay_out_and_the_others_improve() -> None:
    scarce = BudgetScales(memory=0.008, compute=0.00001, bandwidth=0.01)
    search = placed_search("lenet=24", "most", scarce)
    served, before = set(search.incumbent.requests), search.objective_s
    assert 0 < len(served) < 24
    recreate(search, 40)
    assert set(search.incumbent.requests) == served
    assert search.objective_s <= before
