"""The vectorised evaluator: a hand-worked example, and the brute force's numbers."""

from itertools import product

import numpy as np
import pytest
import reference
from assigned import document_of, place
from hypothesis import given
from hypothesis import strategies as st
from strategies import assignments, by_hand, examples, instances

from optmodel.checker import check
from optmodel.placement.evaluate import Evaluation, evaluate, transfer_bits
from optmodel.placement.placement import Flows, Placement, RequestPlacement
from optmodel.problem.arrays import FloatArray, Problem
from optmodel.problem.instance import Instance

WORKED = {
    "r1": (("camera",), ("a", "a", "b"), ("a", "b", "b"), ("b", "c"), ("c", "c"), ("camera",))
}


def evaluated(made: Instance, assignment: reference.Assignment) -> Evaluation:
    problem = Problem.of(made)
    return evaluate(problem, place(problem, assignment))


def same(number: object) -> object:
    return pytest.approx(number, rel=1e-12, abs=0)


def test_layer_latencies_of_the_worked_example():
    # A map of conv1 and act1 has 2x2 values of 32 bits: 128 bits; of conv2 and act2 1x2: 64 bits.
    expected = [
        0.030,  # conv1: 1 segment of 3*4 = 12 multiplications at 400/s on the camera
        0.032,  # act1: the camera sends a 2 maps, 256 bits at 8000/s; b gets 1 map, 0.016
        0.144,  # conv2: b gets 1 map from a, 128/1000 = 0.128, and runs 2 segments of 4 at 500/s
        0.064,  # act2: a sends b and c its partial sums of one map each, 64/1000
        0.042,  # fc1: c gets 1 map from b, 64/2000 = 0.032, and runs 2 segments of 10 at 2000/s
        0.065,  # fc2: c sends 5 values, 160/4000 = 0.040; 5*2 multiplications at 400/s = 0.025
    ]
    found = evaluated(by_hand(), WORKED)
    assert found.layer_latency_s["r1"].tolist() == same(expected)
    assert found.latency_s == same(0.377)


def _sent_bits(problem: Problem, assignment: reference.Assignment) -> FloatArray:
    """Return the bits from each sender to each receiver, shape (senders, receivers)."""
    placed = place(problem, assignment).requests
    total = np.zeros((len(problem.node_ids),) * 2)
    for task in problem.tasks:
        for k in range(len(task.layers) - 1):
            total += transfer_bits(task, placed[task.request.id], k)
    return total


def test_traffic_of_the_worked_example():
    a, b, c, camera = range(4)
    expected = np.zeros((4, 4))
    expected[camera, a] = 256  # two maps of conv1
    expected[camera, b] = 128  # one map of conv1
    expected[a, b] = 128 + 64  # one map of act1, partial sums for one map of conv2
    expected[a, c] = 64  # partial sums for one map of conv2
    expected[b, c] = 64 + 64  # partial sums for one map of conv2, one map of act2
    expected[c, camera] = 160  # the output of fc1
    problem = Problem.of(by_hand())
    assert _sent_bits(problem, WORKED).tolist() == expected.tolist()
    found = evaluated(by_hand(), WORKED)
    assert found.load[2].tolist() == [256, 128, 160, 384]


def test_loads_of_the_worked_example():
    # Weights of a segment: conv1 3, conv2 2, fc1 4*5/2 = 10, fc2 10, of 4 bytes each.
    found = evaluated(by_hand(), WORKED)
    assert found.load[0].tolist() == [8, 16, 80, 12 + 40]
    # Multiplications: conv1 3*4 = 12, conv2 2*2 = 4, fc1 10, fc2 10.
    assert found.load[1].tolist() == [4, 8, 20, 12 + 10]


def test_maps_that_nobody_computes_with_are_sent_but_not_waited_for():
    # Placements that the checker refuses: more maps go to a, or come from a, which is idle.
    problem = Problem.of(by_hand())
    plan = (("camera",), ("b", "b", "c"), ("b", "c", "c"), ("c", "c"), ("c", "c"), ("camera",))
    placed = place(problem, {"r1": plan}).requests["r1"]
    plain = evaluated(by_hand(), {"r1": plan})
    for moved, sent in (((1, 1, 0, 5), [0, 640, 0, 0]), ((1, 0, 1, 1), [128, 0, 0, 0])):
        flows = Flows.from_entries([*placed.flows.entries(), moved])
        more = evaluate(problem, Placement({"r1": RequestPlacement(placed.counts, flows)}))
        assert (more.load[2] - plain.load[2]).tolist() == sent
        if moved[2] == 0:
            assert more.layer_latency_s["r1"].tolist() == plain.layer_latency_s["r1"].tolist()


def test_flows_after_the_last_layer_go_nowhere():
    problem = Problem.of(by_hand())
    placed = place(problem, WORKED).requests["r1"]
    flows = Flows.from_entries([*placed.flows.entries(), (5, 3, 0, 1)])
    more = evaluate(problem, Placement({"r1": RequestPlacement(placed.counts, flows)}))
    assert more.latency_s == same(0.377)
    assert more.load[2].tolist() == [256, 128, 160, 384]


def test_a_request_without_a_place_costs_nothing():
    found = evaluate(Problem.of(by_hand()), Placement({}))
    assert found.latency_s == 0
    assert not found.layer_latency_s
    assert not found.load[2].any()
    assert not found.load[0].any()
    assert not found.load[1].any()


@pytest.mark.parametrize("rates", [*product((1000.0, 2000.0), repeat=3)])
def test_who_is_among_several_slowest_senders_still_waits_for_the_others(rates):
    # Between conv2 and act2 each device hears the slowest of the two others.
    made = by_hand(0.95)
    devices = tuple(
        one.model_copy(update={"rate_bits_per_s": rate})
        for one, rate in zip(made.devices, rates, strict=True)
    )
    made = made.model_copy(update={"devices": devices})
    for receivers in (("a", "b"), ("b", "c"), ("c", "a")):
        plan = (("camera",), ("a", "a", "b"), ("a", "b", "c"), receivers, ("c", "c"), ("camera",))
        expected = reference.latencies(made, {"r1": plan})["r1"]
        found = evaluated(made, {"r1": plan}).layer_latency_s["r1"]
        assert found.tolist() == same([float(t) for t in expected.values()])


@examples(200)
@given(instances(), st.data())
def test_latency_per_layer_equals_brute_force_and_checker(made: Instance, data: st.DataObject):
    assignment = data.draw(assignments(made))
    found = evaluated(made, assignment)
    checked = check(made, document_of(made, assignment)).layer_latency_s
    expected = reference.latencies(made, assignment)
    for name, layers in found.layer_latency_s.items():
        assert layers.tolist() == same([float(t) for t in expected[name].values()])
        assert layers.tolist() == same([float(t) for t in checked[name].values()])
    assert found.latency_s == same(float(reference.latency(made, assignment)))


@examples(200)
@given(instances(), st.data())
def test_loads_and_traffic_equal_brute_force(made: Instance, data: st.DataObject):
    assignment = data.draw(assignments(made))
    found = evaluated(made, assignment)
    names = [at.id for at in made.nodes]
    sent = reference.sent_bits(made, assignment)
    carried = reference.loads(made, assignment)
    problem = Problem.of(made)
    matrix = _sent_bits(problem, assignment)
    assert matrix.tolist() == [[sent[i, j] for j in names] for i in names]
    assert found.load[2].tolist() == matrix.sum(axis=1).tolist()
    assert found.load[0].tolist() == [carried["8b"][i] for i in names]
    assert found.load[1].tolist() == [carried["8c"][i] for i in names]
    assert found.load[2].tolist() == [carried["8d"][i] for i in names]
