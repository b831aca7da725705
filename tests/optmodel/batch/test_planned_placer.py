"""Plans of who sends: they leave room for the broadcasts that follow, and pay where few fit."""

import numpy as np
import pytest

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch.moves.batch_construction import constructions
from optmodel.batch.one_request.planned_placer import PlannedPlacer
from optmodel.batch.one_request.stage_placer import StagePlacer
from optmodel.batch.placed_batch import PlacedBatch
from optmodel.checker import check
from optmodel.placement.costed_placement import CostedPlacement
from optmodel.placement.evaluate import evaluate
from optmodel.placement.named_placement import to_document
from optmodel.placement.placement import Placement
from optmodel.placement.request_class import RequestClass, classes_of
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import Allowance
from optmodel.stages.stage_graph import ArcBook

DEAR = 2.0
"""All bandwidth costs two latencies."""


@pytest.fixture(scope="module")
def scarce() -> Instance:
    """A request whose nodes have bandwidth for two or three of its broadcasts each."""
    scales = BudgetScales(bandwidth=0.0008)
    return generate(Recipe(("cifar_cnn",), "power", 8, 0.6, scales=scales), "scarce")


@pytest.fixture(scope="module")
def requests(scarce: Instance) -> RequestClass:
    return classes_of(Problem.of(scarce))[0]


@pytest.fixture(scope="module")
def planner(requests: RequestClass) -> PlannedPlacer:
    return PlannedPlacer(requests, StagePlacer(requests, ArcBook(1e-4)), 1)


@pytest.fixture(scope="module")
def found(requests: RequestClass, planner: PlannedPlacer) -> list[CostedPlacement]:
    batch, [member] = PlacedBatch(requests.problem, [requests]), requests.members
    tried = [planner.find(batch, member, plan, Allowance()) for plan in planner.plans()]
    return [placed for placed in tried if placed is not None]


def test_placements_keep_every_limit(scarce: Instance, found: list[CostedPlacement]) -> None:
    assert found
    problem = Problem.of(scarce)
    [name] = [task.request.id for task in problem.tasks]
    for placed in found:
        document = to_document(problem, Placement({name: placed.placement}))
        assert not check(scarce, document).violations


def test_where_bandwidth_is_scarce_plans_beat_constructions(
    requests: RequestClass, found: list[CostedPlacement]
) -> None:
    constructed = next(constructions(requests.problem, "all"))
    least_s = evaluate(requests.problem, constructed).latency_s
    assert min(placed.latency_s for placed in found) < 0.95 * least_s


def test_senders_of_all_stages_have_room_for_all_that_they_send(planner: PlannedPlacer) -> None:
    plan, helpers = planner.plan(DEAR), planner.requests.problem.helpers
    assert plan is not None
    room = planner.requests.problem.budgets[2].copy()
    for k in range(1, len(plan) - 1):
        senders = planner._who(k, plan, room)
        assert senders[:helpers].sum() == sum(plan[k][:-1])
        assert (room[senders] >= planner.bits[k]).all()
        room[senders] -= planner.bits[k]


def test_others_make_up_for_a_group_without_room(planner: PlannedPlacer) -> None:
    plan = planner.plan(DEAR)
    assert plan is not None
    sending = next(g for g, number in enumerate(plan[1]) if number)
    room = np.where(planner.placer.group == sending, 0.0, 1e12)
    senders = planner._who(1, plan, room)
    others = len(room) - 1 - (planner.placer.group == sending).sum()
    assert senders.sum() == min(sum(plan[1]), others)
    assert not (planner.placer.group[senders] == sending).any()


def test_dearer_bandwidth_plans_for_fewer_broadcasts(planner: PlannedPlacer) -> None:
    plans = [planner.plan(scale) for scale in (0.0, DEAR)]
    bits = [
        sum(each * sum(numbers) for each, numbers in zip(planner.bits, plan, strict=True))
        for plan in plans
        if plan is not None
    ]
    assert bits[1] < bits[0]
