"""The combinatorial bound never exceeds a placement, and is the optimum where layers are free."""

from collections import Counter
from fractions import Fraction

import pytest
import reference
from hypothesis import assume, given
from strategies import (
    by_hand,
    conv,
    examples,
    fc,
    instance,
    instances,
    network,
    node,
    pool,
    ssim_row,
    twice,
    with_budget,
)

from optmodel.limits.counting import combinatorial_bound, layer_bound
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, Request
from optmodel.problem.network import Layer
from optmodel.problem.ssim import SsimTable


def bound(made: Instance) -> Fraction:
    return combinatorial_bound(Problem.of(made))


def layer_bounds(made: Instance) -> list[Fraction]:
    problem = Problem.of(made)
    [task] = problem.tasks
    return [layer_bound(problem, task, k) for k in range(len(task.layers))]


def chain(layers: list[Layer], helpers: list, most: int | None = None) -> Instance:
    """One request for layers on a 1 x 1 image of one channel; `most` maps are safe, or all."""
    ssim = {100: 0.1} if most is None else {most: 0.1, 100: 0.9}
    return instance(
        devices=helpers,
        sources=[node("camera", 10.0, 64.0)],
        networks=[network("net", (1, 1, 1), layers)],
        requests=[Request(id="r1", source="camera", network="net", tolerated_ssim=0.5)],
        table=SsimTable(source="made up", slack=0.0, rows=(ssim_row("row", ssim),)),
    )


# A conv of k x k on 1 x 1 pixels runs k² · maps multiplications per segment; a map has 32 bits.
CONV1 = conv("conv1", (1, 6), (1, 1), "row")
CONV2 = conv("conv2", (6, 1), (1, 1), "row", kernel=3)
CONV3 = conv("conv3", (1, 1), (1, 1), "row")


def test_work_is_spread_by_speed_in_whole_segments():
    # conv1 on the camera: 6 multiplications at 10 per s. conv2: 6 segments of 9 multiplications,
    # each received in 32/64 s from the camera, the only sender. Per segment a takes 1/2 + 9/9 s,
    # b 1/2 + 9/18 s: within 4 s a holds 2 and b 4, within less there is no room for 6.
    # conv3 on the camera: one map of 32 bits from b at 32 bit/s if b alone is active, but then
    # from a at 16; the faster counts: 1 s, and 1 multiplication.
    made = chain([CONV1, CONV2, CONV3], [node("a", 9.0, 16.0), node("b", 18.0, 32.0)])
    assert layer_bounds(made) == [Fraction(6, 10), 4, 1 + Fraction(1, 10)]


def test_senders_that_caps_make_unavoidable_are_waited_for():
    # As above, but a helper may hold 3 maps: both must be active on conv2, and a's 2 s count.
    made = chain([CONV1, CONV2, CONV3], [node("a", 9.0, 16.0), node("b", 18.0, 32.0)], most=3)
    assert layer_bounds(made) == [Fraction(6, 10), Fraction(9, 2), 2 + Fraction(1, 10)]
    assert bound(made) == reference.best(made).latency_s


def test_a_lone_sender_receives_nothing_from_itself():
    # conv2 has one segment, on a or b. If a holds it, conv3's two segments on a wait for nobody:
    # 0 s of transfer and 2 · 1 / 1 s; one on each takes max(1, 1 + 32/32). Both give 2 s.
    layers = [
        conv("conv1", (1, 1), (1, 1), "row"),
        conv("conv2", (1, 2), (1, 1), "row"),
        conv("conv3", (2, 1), (1, 1), "row"),
        conv("conv4", (1, 1), (1, 1), "row"),
    ]
    made = chain(layers, [node("a", 1.0, 32.0), node("b", 1.0, 32.0)])
    assert layer_bounds(made)[2] == 2
    assert bound(made) == reference.best(made).latency_s


def test_the_first_fc_goes_whole_to_the_best_node_with_room():
    # pool2 may sit where fc1 does, so that nothing is received: 2 · 6 multiplications on the
    # fastest, a, or on b if a has no memory for 48 bytes.
    layers = [
        conv("conv1", (1, 2), (1, 1), "row"),
        pool("pool1", 2, (1, 1), "row"),
        fc("fc1", 2, (2, 6)),
        fc("fc2", 1, (6, 1)),
    ]
    made = chain(layers, [node("a", 12.0, 32.0), node("b", 6.0, 32.0)])
    assert layer_bounds(made)[2] == 1
    assert layer_bounds(with_budget(made, "a", memory_bytes=47.0))[2] == 2


def test_a_source_receives_from_the_fastest_senders_in_parallel():
    # pool1's 4 maps go to the camera: 2 from each sender, in 2 · 32/32 s, or at least
    # 3 from one of them.
    layers = [conv("conv1", (1, 4), (1, 1), "row"), pool("pool1", 4, (1, 1), "row")]
    layers.append(fc("fc1", 4, (4, 1)))
    made = chain(layers, [node("a", 1.0, 32.0), node("b", 1.0, 32.0)], most=3)
    assert layer_bounds(made)[2] == 2 + Fraction(4, 10)


def test_a_layer_without_room_adds_nothing():
    made = by_hand(0.25)
    assert reference.best(made) is None
    assert layer_bounds(made)[2] == 0


def test_equal_requests_count_once_each():
    assert bound(twice(by_hand())) == 2 * bound(by_hand())


def test_no_placement_is_faster_than_the_bound():
    seen: Counter[str] = Counter()

    @examples(300)
    @given(instances())
    def none_is_below(made: Instance) -> None:
        best = reference.best(made)
        assume(best is not None)
        found = bound(made)
        assert 0 < found <= best.latency_s
        seen["equal" if found == best.latency_s else "below"] += 1

    none_is_below()
    assert min(seen["equal"], seen["below"]) >= 20


def test_no_layer_of_an_optimum_is_faster_than_its_bound():
    @examples(200)
    @given(instances(requests=1))
    def none_is_below(made: Instance) -> None:
        best = reference.best(made)
        assume(best is not None)
        [layers] = reference.latencies(made, best.assignment).values()
        for least, latency in zip(layer_bounds(made), layers.values(), strict=True):
            assert least <= latency

    none_is_below()


def test_one_more_device_never_raises_the_bound():
    @examples(200)
    @given(instances())
    def does_not_rise(made: Instance) -> None:
        fewer = made.model_copy(update={"devices": made.devices[:-1]})
        assume(reference.best(fewer) is not None)
        assert bound(made) <= bound(fewer)

    does_not_rise()


@pytest.mark.parametrize("tolerance", [0.3, 0.4, 0.6, 0.95])
def test_the_bound_of_the_handmade_instance_holds(tolerance):
    made = by_hand(tolerance)
    assert 0 < bound(made) <= reference.best(made).latency_s
