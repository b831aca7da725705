"""Every shipped policy, and users' bad ones, behind the scheduler."""

import pytest
from places import SMALL
from scheduling import request, tight_fleet

from heuristics.policies import POLICIES
from heuristics.scheduler import OnlineScheduler
from optmodel.placement.solution import Rejection
from optmodel.problem.instance import Request, read_fleet


@pytest.mark.parametrize("policy", POLICIES)
def test_a_shipped_policy_places_and_gives_back(policy):
    scheduler = OnlineScheduler(tight_fleet(), policy)
    before = scheduler.left()
    decision = scheduler.submit(request("r1"))
    assert decision.placement is not None or decision.rejection is not None
    scheduler.finish("r1")
    assert scheduler.left() == before


class Raises:
    """Fails."""

    def __init__(self, *, seed: int = 0) -> None:
        pass

    def place(self, problem, task, left):
        raise ValueError("no idea")


class WrongId(Raises):
    """Rejects another request."""

    def place(self, problem, task, left):
        return Rejection(request="zzz", condition="because")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("Raises", "Raises fails on request 'r1': ValueError: no idea"),
        ("WrongId", "WrongId answers request 'r1'"),
    ],
)
def test_a_policy_that_fails_rejects_with_the_reason_and_reserves_nothing(policy, why):
    scheduler = OnlineScheduler(tight_fleet(), f"test_every_policy_schedules.{policy}")
    before = scheduler.left()
    decision = scheduler.submit(request("r1"))
    assert decision.rejection is not None
    assert decision.rejection.request == "r1"
    assert why in decision.rejection.condition
    assert scheduler.left() == before


def test_what_no_fleet_can_serve_is_refused_once_a_device_is_there_to_tell():
    fleet = read_fleet(SMALL / "lenet-0.8-4-mixed.json")
    scheduler = OnlineScheduler(fleet.model_copy(update={"devices": ()}))
    hopeless = Request(id="r1", source="camera-1", network="lenet", tolerated_ssim=0.0001)
    assert scheduler.submit(hopeless).waits
    (decision,) = scheduler.join(fleet.devices[0])
    assert decision.rejection is not None
    assert not decision.waits
    assert not scheduler.waiting
    assert scheduler.standing.counts.unserved == 1
