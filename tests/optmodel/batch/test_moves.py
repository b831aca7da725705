"""Moves around an incumbent, and the master: never worse, within budgets, the best choice."""

import signal
import time
from itertools import product

import highspy
import numpy as np
import pytest

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.moves.batch_construction import construct, scarcity
from optmodel.batch.moves.restricted_master import RestrictedMaster, run_until_interrupt
from optmodel.batch.moves.ruin_and_recreate import RuinAndRecreate
from optmodel.batch.one_request.stage_share import NoRoom
from optmodel.batch.options import BatchOptions, RecombineOptions, RecreateOptions
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.batch.workbench import BatchWorkbench
from optmodel.checker import check
from optmodel.placement.named_placement import to_document
from optmodel.placement.request_class import classes_of
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search

TIGHT = BudgetScales(memory=0.008, compute=0.0018, bandwidth=0.01)


def placed_search(networks: str, admission: str = "all", scales: BudgetScales = TIGHT) -> Search:
    made = generate(Recipe((networks,), "mixed", 8, 0.8, scales=scales), "tight")
    search = Search(made, SolverOptions(admission=admission))
    search.offer(construct(search.problem).placement)
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


def test_master_chooses_the_best_combination_of_its_pool() -> None:
    """All choices of one column per request, counted out."""
    search = placed_search("lenet=3")
    problem = search.problem
    classes = classes_of(problem)
    [requests] = classes
    batch = PlacedBatch(problem, classes)
    batch.adopt(search.incumbent)
    start = [(requests, batch.placed[m.request.id]) for m in requests.members]
    empty = PlacedBatch(problem, classes)
    budgets = batch.budgets[:, : problem.helpers]
    master = RestrictedMaster(classes, budgets, problem.time_unit_s, RecombineOptions())
    pool = [placed for _, placed in start]
    for scale in (0.0, 0.1, 1.0, 5.0, 20.0):
        found = empty.find(requests, requests.members[0], scarcity(problem, scale))
        assert not isinstance(found, NoRoom)
        pool.append(found)
    for placed in pool:
        master.add(requests, placed)
    best = min(
        sum(placed.latency_s for placed in choice)
        for choice in product(pool, repeat=3)
        if (sum(placed.load[:, :-1] for placed in choice) <= budgets).all()
    )
    [chosen] = master.choose(start, 10.0)
    assert (sum(placed.load[:, :-1] for placed in chosen) <= budgets).all()
    assert sum(placed.latency_s for placed in chosen) == pytest.approx(best, rel=1e-6)


def test_duals_of_the_master_bound_its_integer_choice() -> None:
    """Prices are at least 0, and 0 where the pool leaves a budget unused."""
    search = placed_search("lenet=6")
    bench = recreate(search, 30)
    batch = bench.standing()
    start = [(batch.class_of(m), batch.placed[m.request.id]) for m in batch.served]
    prices = bench.master.prices(start)
    assert (prices >= 0).all()
    pool = list(bench.master.columns.values())
    most = np.max([placed.load[:, :-1] for placed in pool], axis=0)
    assert not prices[most == 0].any()


def market_split(rows: int) -> highspy.Highs:
    """Return a small integer programme whose proof takes ages."""
    random = np.random.default_rng(1)
    columns = 10 * (rows - 1)
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("time_limit", 60.0)
    for _ in range(columns):
        model.addVariable(0, 1, type=highspy.HighsVarType.kInteger)
    for _ in range(rows):
        entries = random.integers(0, 100, columns)
        slack, half = model.addVariable(0, 1e4, 1.0), entries.sum() // 2
        where = np.append(np.arange(columns), slack.index).astype(np.int32)
        model.addRow(half, half, columns + 1, where, np.append(entries, 1.0))
    return model


def test_ctrl_c_stops_the_master_at_once() -> None:
    model, sent = market_split(5), []

    def send_once(_event: object) -> None:
        if not sent:
            sent.append(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    model.cbMipInterrupt += send_once
    handler, start = signal.getsignal(signal.SIGINT), time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        run_until_interrupt(model)
    assert sent
    assert time.perf_counter() - start < 30
    assert signal.getsignal(signal.SIGINT) is handler
