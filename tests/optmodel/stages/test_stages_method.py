"""The method `stages`: brute force, known answers, monotonicity, time limits, even loads."""

from collections import Counter

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    SPEEDS,
    conv,
    examples,
    fc,
    instance,
    instances,
    network,
    node,
    ssim_row,
    twice,
    unlimited,
    with_fleet,
)

import optmodel.stages.stage_graph
from instances.generate import Recipe, generate
from optmodel.placement.solution import Solution, SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.fleet import Fleet
from optmodel.problem.instance import Instance, Request
from optmodel.problem.ssim import SsimTable
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve
from optmodel.stages.sender_signature import SenderSignature, signatures
from optmodel.stages.stages_method import BINDING, SLACK, shortest_paths

EXACT = SolverOptions(mip_gap=0.0)
ROUNDING = 1e-9
"""What a float says of a fraction, relatively, and then some."""


def stages(made: Instance, options: SolverOptions = EXACT) -> Solution:
    return solve(made, "stages", options)


def agrees_on_none(made: Instance) -> bool:
    """Return whether there is no placement, on which and on the best one brute force agrees."""
    best, found = reference.best(made), stages(made)
    if best is None:
        assert found.solution_status is SolutionStatus.INFEASIBLE
        return True
    assert found.solution_status is SolutionStatus.OPTIMAL
    assert found.notes == (SLACK,)
    assert found.objective_s == pytest.approx(float(best.latency_s), rel=ROUNDING)
    assert found.bound_s <= float(best.latency_s) * (1 + ROUNDING)
    return False


def test_with_slack_budgets_the_optimum_equals_brute_force():
    seen: Counter = Counter()

    @examples(220)
    @given(instances())
    def agree(made: Instance) -> None:
        made = unlimited(made)
        fleets = {(d.compute_mult_per_s, d.rate_bits_per_s) for d in made.devices}
        seen[agrees_on_none(made), min(len(fleets), 2)] += 1

    agree()
    assert seen[False, 1] >= 50
    assert seen[False, 2] >= 50
    assert seen[True, 2] >= 5


def test_with_binding_budgets_the_bound_holds_and_what_is_offered_is_optimal():
    seen: Counter = Counter()

    @examples(180)
    @given(instances())
    def hold(made: Instance) -> None:
        best, found = reference.best(made), stages(made)
        seen[found.solution_status] += 1
        if found.solution_status is SolutionStatus.INFEASIBLE:
            assert best is None
            return
        if found.solution_status is not SolutionStatus.OPTIMAL:
            assert found.notes == (BINDING,)
        if best is None:
            assert found.placement is None
            return
        assert found.bound_s <= float(best.latency_s) * (1 + ROUNDING)
        if found.solution_status is SolutionStatus.OPTIMAL:
            assert found.objective_s == pytest.approx(float(best.latency_s), rel=ROUNDING)
        elif found.objective_s is not None:  # The start, which every method is given.
            assert found.objective_s >= float(best.latency_s) * (1 - ROUNDING)

    hold()
    open_ones = seen[SolutionStatus.NONE] + seen[SolutionStatus.FEASIBLE]
    assert min(seen[SolutionStatus.INFEASIBLE], seen[SolutionStatus.OPTIMAL], open_ones) >= 20


def test_devices_that_all_differ_reach_the_optimum_of_brute_force():
    seen: Counter = Counter()

    @examples(60)
    @given(
        instances(), st.permutations((1.0, 2.0, 3.0, 5.0)), st.permutations((1.0, 1.5, 2.0, 4.0))
    )
    def agree(made: Instance, speeds: list[float], rates: list[float]) -> None:
        made = unlimited(made)
        varied = tuple(
            device.model_copy(
                update={
                    "compute_mult_per_s": device.compute_mult_per_s * speed,
                    "rate_bits_per_s": 100.0 * rate,
                }
            )
            for device, speed, rate in zip(made.devices, speeds, rates, strict=False)
        )
        made = made.model_copy(update={"devices": varied})
        seen[agrees_on_none(made), len(varied)] += 1

    agree()
    assert seen[False, 2] + seen[False, 3] >= 15


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_devices_that_all_differ_reach_the_optimum_of_the_count_model(seed: int):
    recipe = Recipe(("lenet",), "varied", 6, tolerated_ssim=0.6, period_s=1e6, seed=seed)
    made = generate(recipe, "varied")
    found = stages(made, SolverOptions(mip_gap=1e-6))
    count = solve(made, "count", SolverOptions(mip_gap=1e-6))
    assert found.notes == (SLACK,)
    assert count.solution_status is SolutionStatus.OPTIMAL
    assert found.objective_s == pytest.approx(count.objective_s, rel=2e-6)


@examples(30)
@given(instances())
def test_the_bound_in_ticks_never_exceeds_the_exact_optimum(made: Instance):
    """As fractions: rounding down every duration leaves no room for luck."""
    made = unlimited(made)
    best = reference.best(made)
    problem = Problem.of(made)
    if best is None or any(task.unattainable for task in problem.tasks):
        return
    found = shortest_paths(problem, 0.0, Allowance())
    ticks = sum(path.bound for path in found.paths.values())
    assert ticks * found.fleet.tick_s <= best.latency_s
    assert found.bound_s() <= best.latency_s


@examples(25)
@given(st.integers(0, 3), st.integers(0, 3))
def test_ticks_suit_fleets_however_uneven(slow: int, fast: int):
    """Up to a million times faster: no path takes more than 2^58 ticks, yet bounds hold."""
    made = sender_alone(maps=4)
    helpers = (node("s", 10.0**-slow, 10.0**-fast), node("f", 10.0**slow, 10.0**fast))
    made = made.model_copy(update={"devices": helpers})
    fleet = Fleet(Problem.of(made))
    assert fleet._longest_s(fleet.problem.tasks[0]) / fleet.tick_s <= 2**58
    best, found = reference.best(made), stages(made)
    assert found.bound_s <= float(best.latency_s) * (1 + ROUNDING)
    assert found.objective_s is None or found.objective_s >= float(best.latency_s) * (1 - ROUNDING)


def test_a_signature_admits_what_sends_at_least_as_fast():
    assert [SenderSignature(2.0).admits(rate) for rate in (1.0, 2.0, 3.0)] == [False, True, True]
    # The one slow node is a part of its own; its equals are not admitted beside it.
    assert [SenderSignature(2.0, 5, 3.0).admits(rate) for rate in (2.0, 3.0)] == [False, True]
    assert not SenderSignature(2.0, 5).admits(9.0)


def test_signatures_are_rates_or_one_slow_group_and_the_rate_of_the_others():
    assert signatures({4: 1.0, 5: 1.0, 6: 3.0}, single=False, most=60) == [
        SenderSignature(1.0),
        SenderSignature(3.0),
        SenderSignature(1.0, 4),
        SenderSignature(1.0, 4, 3.0),
        SenderSignature(1.0, 5),
        SenderSignature(1.0, 5, 3.0),
        SenderSignature(3.0, 6),
    ]
    assert signatures({4: 1.0, 6: 3.0}, single=True, most=60) == [
        SenderSignature(1.0, 4),
        SenderSignature(3.0, 6),
    ]


def sender_alone(devices: int = 1, maps: int = 8) -> Instance:
    """Return convs of 2 and `maps` segments, and a helper that computes fast and sends slowly.

    s runs 1000 multiplications and sends 10 bits per second, f runs 1 and sends 10000. All maps
    have one pixel of 32 bits; segments of conv2 take 8 multiplications, those of conv3 one.
    """
    layers = [
        conv("conv1", (1, 2), (1, 1), "row"),
        conv("conv2", (2, maps), (1, 1), "row"),
        conv("conv3", (maps, 1), (1, 1), "row"),
        fc("fc1", 1, (1, 1)),
    ]
    slow = [node(f"s{k}", 1000.0, 10.0) for k in range(devices)]
    return instance(
        devices=[*slow, node("f", 1.0, 10000.0)],
        sources=[node("camera", 1000.0, 10000.0)],
        networks=[network("net", (1, 1, 1), layers)],
        requests=[Request(id="r1", source="camera", network="net", tolerated_ssim=0.9)],
        table=SsimTable(source="made up", slack=0.0, rows=(ssim_row("row", {8: 0.1}),)),
    )


def test_the_slowest_sender_does_not_hear_itself():
    """Both convs on s: its slow sums reach nobody but the camera, once, for 32 / 10 = 3.2 s.

    A signature that forgets this has s wait for its own eight maps, 8 · 3.2 = 25.6 s, and would
    prefer f, which computes for 2 · 8 + 8 · 1 = 24 s.
    """
    made = sender_alone()
    best, found = reference.best(made), stages(made)
    assert best.assignment["r1"][1:3] == (("s0",) * 2, ("s0",) * 8)
    assert 3.2 < float(best.latency_s) < 3.3
    assert found.objective_s == pytest.approx(float(best.latency_s), rel=ROUNDING)


def test_two_slowest_senders_hear_each_other():
    """With a second such helper and one map per helper after conv1, s0 and s1 hear each other.

    At tolerance 0.5 no helper may hold both maps before conv2: s alone cannot compute it all.
    """
    made = sender_alone(devices=2, maps=4)
    rows = (ssim_row("row", {1: 0.1, 2: 0.6}), ssim_row("late", {8: 0.1}))
    net = made.networks[0]
    late = tuple(
        layer.model_copy(update={"ssim_row": "late"}) if layer.name == "conv2" else layer
        for layer in net.layers
    )
    made = made.model_copy(
        update={
            "ssim_table": SsimTable(source="made up", slack=0.0, rows=rows),
            "networks": (net.model_copy(update={"layers": late}),),
            "requests": (made.requests[0].model_copy(update={"tolerated_ssim": 0.5}),),
        }
    )
    best, found = reference.best(made), stages(made)
    assert len(set(best.assignment["r1"][1])) == 2
    assert found.objective_s == pytest.approx(float(best.latency_s), rel=ROUNDING)


@examples(30)
@given(instances(requests=1), SPEEDS, SPEEDS)
def test_one_more_device_never_raises_the_optimum(made: Instance, speed: float, rate: float):
    made = unlimited(made)
    more = made.model_copy(update={"devices": (*made.devices, node("new", speed, rate))})
    before, after = stages(made), stages(more)
    if before.objective_s is not None:
        assert after.objective_s <= before.objective_s * (1 + ROUNDING)


@examples(50)
@given(instances())
def test_larger_budgets_never_raise_the_bound(made: Instance):
    before, after = stages(made), stages(unlimited(made))
    if before.bound_s is not None:
        assert after.bound_s <= before.bound_s * (1 + ROUNDING)


def test_a_looser_tolerance_never_raises_the_optimum_if_no_layer_leaves_the_source():
    """The exception is 8h: layers that hold exposed maps stay on the source, others may not.

    The first fc (and, with the policy "source", a layer of which no share is safe) has to leave
    the source for the helpers once its maps are no longer at risk, which can take longer.
    """
    seen: Counter = Counter()

    @examples(75)
    @given(instances(requests=1), st.integers(1, 40))
    def compare(made: Instance, more: int) -> None:
        made = unlimited(made)
        [request] = made.requests
        looser = request.model_copy(
            update={"tolerated_ssim": min(round(request.tolerated_ssim + more / 100, 2), 1.0)}
        )
        other = made.model_copy(update={"requests": (looser,)})
        before, after = stages(made).objective_s, stages(other).objective_s
        if before is None:
            return
        moved = hosts(made) != hosts(other)
        raised = after is None or after > before * (1 + ROUNDING)
        seen[moved, raised] += 1
        assert moved or not raised

    compare()
    assert seen[False, False] >= 25
    assert seen[True, True] >= 1, "the exception occurs"


def hosts(made: Instance) -> list[tuple[int, ...]]:
    return [layer.hosts for layer in Problem.of(made).tasks[0].layers]


def generated(name: str, fleet: str, devices: int, tolerance: float) -> Instance:
    recipe = Recipe((name,), fleet, devices, tolerated_ssim=tolerance, period_s=1e6)
    return generate(recipe, "known")


@pytest.mark.parametrize(
    ("name", "fleet", "devices", "tolerance", "milliseconds"),
    [
        ("lenet", "mixed", 4, 0.8, 1.217059),
        ("lenet", "mixed", 6, 0.4, 0.964869),
        ("cifar_cnn", "mixed", 4, 0.8, 97.236342),
        ("cifar_cnn", "mixed", 10, 0.4, 198.210405),
        ("vgg16", "power", 20, 0.8, 625.815),
        ("vgg16", "mixed", 20, 0.8, 1774.419),
    ],
)
def test_known_optima(name: str, fleet: str, devices: int, tolerance: float, milliseconds: float):
    found = stages(generated(name, fleet, devices, tolerance), SolverOptions(mip_gap=1e-6))
    assert found.solution_status is SolutionStatus.OPTIMAL
    assert found.objective_s * 1000 == pytest.approx(milliseconds, rel=1e-6)
    assert found.notes == (SLACK,)


@pytest.mark.parametrize("limit", [1e-9, 0.01, 0.05])
def test_a_time_limit_leaves_a_valid_bound(limit: float):
    made = generated("cifar_cnn", "mixed", 4, 0.8)
    found = stages(made, SolverOptions(time_limit_s=limit))
    assert found.termination is Termination.TIME_LIMIT
    assert 0 < found.bound_s <= 0.097236343
    assert SLACK not in found.notes


def test_an_equal_arc_of_another_request_or_tolerance_is_not_solved_again(monkeypatch):
    solved: Counter = Counter()
    original = optmodel.stages.stage_graph.solve_several_layers

    def counted(arc, *others):
        solved[arc] += 1
        return original(arc, *others)

    monkeypatch.setattr(optmodel.stages.stage_graph, "solve_several_layers", counted)
    made = generated("cifar_cnn", "mixed", 10, 0.4)
    [request] = made.requests
    again = request.model_copy(update={"id": "again"})
    # The caps at 0.42 are those at 0.4, yet the request counts as another one.
    other = request.model_copy(update={"id": "other", "tolerated_ssim": 0.42})
    three = made.model_copy(update={"requests": (request, again, other)})
    found = stages(three, SolverOptions(mip_gap=1e-4))
    assert len(solved) >= 3
    assert set(solved.values()) == {1}
    assert found.objective_s == pytest.approx(3 * 0.198210405, rel=1e-6)


def three_segments(memory: float) -> Instance:
    """Return two requests with three segments of 4 bytes each for two equal helpers."""
    layers = [
        conv("conv1", (1, 3), (1, 1), "row"),
        conv("conv2", (3, 1), (1, 1), "row"),
        fc("fc1", 1, (1, 1)),
    ]
    made = instance(
        devices=[node("a", 1.0, 1000.0), node("b", 1.0, 1000.0)],
        sources=[node("camera", 1000.0, 10000.0)],
        networks=[network("net", (1, 1, 1), layers)],
        requests=[Request(id="r1", source="camera", network="net", tolerated_ssim=0.9)],
        table=SsimTable(source="made up", slack=0.0, rows=(ssim_row("row", {3: 0.1}),)),
    )
    return with_fleet(twice(made), "memory_bytes", (memory, memory))


def test_shares_of_equal_devices_are_dealt_so_that_loads_stay_even():
    """Each request is fastest as 2 + 1 segments: dealt as 2 + 1 and 1 + 2 they fill 12 bytes on
    both helpers; dealt alike, one would need 16."""
    found = stages(three_segments(12.0))
    assert found.solution_status is SolutionStatus.OPTIMAL
    assert found.notes == (SLACK,)
    shares = [request.layers[1].segments for request in found.placement.requests]
    assert shares[0] != shares[1]
    assert Counter(shares[0]) + Counter(shares[1]) == {"a": 3, "b": 3}
