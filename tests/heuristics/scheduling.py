"""Tiny fleets to schedule on, and what must hold after every event."""

from strategies import by_hand, with_fleet

from heuristics.scheduler import OnlineScheduler
from heuristics.scheduler.snapshot import read_snapshot
from optmodel.checker import check
from optmodel.placement.solution import PlacementDocument
from optmodel.problem.instance import FleetDocument, Request

TOLERANCES = (0.6, 0.9, 0.25)
"""Two caps, and one similarity that no share reaches."""


def tight_fleet(memory: tuple[float, float, float] = (200.0, 120.0, 120.0)) -> FleetDocument:
    """Return helpers a, b, c of which each has room for fc1 (80 bytes) of two requests at most."""
    return with_fleet(by_hand(), "memory_bytes", memory).without_requests()


def request(name: str, tolerance: float = 0.6) -> Request:
    return Request(id=name, source="camera", network="net", tolerated_ssim=tolerance)


def instance_of(scheduler: OnlineScheduler):
    """Return what runs as a batch on the devices present, and its placement."""
    fleet = scheduler.fleet.model_copy(update={"devices": scheduler.devices})
    running = scheduler.running
    instance = fleet.with_requests(tuple(one.request for one in running))
    return instance, PlacementDocument(requests=tuple(one.placement for one in running))


def assert_promises_are_kept(scheduler: OnlineScheduler, folder) -> None:
    """Every placement passes the checker, budgets are what is reserved, and state survives."""
    instance, document = instance_of(scheduler)
    report = check(instance, document)
    assert report.passed, [str(violation) for violation in report.violations]
    for one in scheduler.running:
        exact = float(sum(report.layer_latency_s[one.request.id].values()))
        assert abs(one.latency_s - exact) <= 1e-9 * exact
        assert 0 < one.bound_s <= one.latency_s * (1 + 1e-9)
    assert scheduler.left() == expected_left(scheduler)
    counts = scheduler.standing.counts
    alive = len(scheduler.running) + len(scheduler.waiting)
    assert counts.submitted == alive + counts.finished + counts.unserved
    path = folder / "state.json"
    scheduler.save(path)
    restored = OnlineScheduler.restore(path)
    assert restored.snapshot() == scheduler.snapshot() == read_snapshot(path)[0]
    assert restored.left() == scheduler.left()


def full_budgets(scheduler: OnlineScheduler) -> dict[str, tuple[int, int, int]]:
    return {
        node.id: (
            int(node.memory_bytes),
            int(node.compute_budget_mult),
            int(node.bandwidth_budget_bits),
        )
        for node in (*scheduler.devices, *scheduler.fleet.sources)
    }


def expected_left(scheduler: OnlineScheduler) -> dict[str, tuple[int, int, int]]:
    left = full_budgets(scheduler)
    for one in scheduler.running:
        for node, load in one.reserved.items():
            left[node] = tuple(have - take for have, take in zip(left[node], load, strict=True))
    return left
