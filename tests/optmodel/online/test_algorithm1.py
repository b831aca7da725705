"""Algorithm 1 places exactly what a naive transcription of its listing places."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_algorithm1 import plain_algorithm1
from recipes import recipes

from heuristics.policies import place
from heuristics.policy import place_all
from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.online.algorithm1 import Algorithm1, NrmWeights
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem

ALPHA, BETA = 0.7, 0.3


def transcribe(problem: Problem) -> dict[str, list[list[int]] | None]:
    """Walk the listing line by line; a rejected request maps to None."""
    nodes = problem.instance.nodes
    left = {
        "mult": [math.floor(node.compute_budget_mult) for node in nodes],
        "bytes": [math.floor(node.memory_bytes) for node in nodes],
        "bits": [math.floor(node.bandwidth_budget_bits) for node in nodes],
    }
    decided: dict[str, list[list[int]] | None] = {}
    for task in problem.tasks:
        before = {key: list(values) for key, values in left.items()}
        placed: list[list[int]] = []
        for number, layer in enumerate(task.layers):
            holders = transcribe_layer(nodes, left, task, placed, number, layer)
            if holders is None:
                left.update(before)
                break
            placed.append(holders)
        decided[task.request.id] = placed if len(placed) == len(task.layers) else None
    return decided


def transcribe_layer(nodes, left, task, placed, number, layer):
    """Lines 8 to 24 for one layer: the node of each segment, or None."""
    chosen: list[int] = []
    held = dict.fromkeys(layer.hosts, 0)
    while len(chosen) < layer.segments:
        block = layer.segments if layer.whole else 1
        segments = range(len(chosen), len(chosen) + block)
        nrm = {}
        for j in layer.hosts:
            one_segment = received_bits(task, placed, number, segments[:1], j)
            t = max((bits / nodes[i].rate_bits_per_s for i, bits in one_segment), default=0.0)
            t += layer.multiplications / nodes[j].compute_mult_per_s
            megabits = left["bits"][j] / 1e6
            nrm[j] = ALPHA * t + (BETA / megabits if megabits else math.inf)
        selected = None
        for j in sorted(nrm, key=lambda j: (nrm[j], j)):
            cond1 = (
                layer.multiplications * block <= left["mult"][j]
                and layer.weight_bytes * block <= left["bytes"][j]
            )
            sent = received_bits(task, placed, number, segments, j)
            cond2 = all(bits <= left["bits"][i] for i, bits in sent)
            cond4 = held[j] + block <= layer.cap
            if cond1 and cond2 and cond4:
                selected = j
                break
        if selected is None:
            return None
        left["mult"][selected] -= layer.multiplications * block
        left["bytes"][selected] -= layer.weight_bytes * block
        for i, bits in received_bits(task, placed, number, segments, selected):
            left["bits"][i] -= bits
        held[selected] += block
        chosen += [selected] * block
    return chosen


def received_bits(task, placed, number, segments, j):
    """Pairs (sender, bits) of what these segments receive if computed on j."""
    if number == 0:
        return []
    previous, layer = placed[number - 1], task.layers[number - 1]
    if layer.transfer == "mapwise":
        maps = [previous[p] for p in segments]
        return [(i, maps.count(i) * layer.output_bits) for i in sorted(set(maps)) if i != j]
    return [(i, len(segments) * layer.output_bits) for i in sorted(set(previous)) if i != j]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(recipes)
def test_placements_equal_the_naive_transcription(recipe):
    problem = Problem.of(generate(recipe, "drawn"))
    outcome = plain_algorithm1(problem)
    expected = transcribe(problem)
    assert {rejection.request for rejection in outcome.rejected} == {
        name for name, labels in expected.items() if labels is None
    }
    for name, placed in outcome.placement.requests.items():
        for layer, labels in enumerate(expected[name]):
            counts = [labels.count(node) for node in range(len(problem.node_ids))]
            assert placed.counts[layer].tolist() == counts
        moves = zip(expected[name], expected[name][1:], strict=False)
        for layer, (here, there) in enumerate(moves):
            if problem.tasks[0].layers[layer].transfer == "mapwise":
                flows = placed.flows.matrix(layer, len(problem.node_ids))
                assert [flows[i, j] for i, j in zip(here, there, strict=True)] == [
                    list(zip(here, there, strict=True)).count((i, j))
                    for i, j in zip(here, there, strict=True)
                ]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(recipes)
def test_runs_of_segments_are_placed_as_single_segments_are(recipe):
    problem = Problem.of(generate(recipe, "drawn"))
    outcome, expected = place_all(problem, Algorithm1()), plain_algorithm1(problem)
    assert outcome.rejected == expected.rejected
    assert outcome.placement.requests.keys() == expected.placement.requests.keys()
    for name, placed in outcome.placement.requests.items():
        assert placed.counts.tolist() == expected.placement.requests[name].counts.tolist()
        assert placed.flows.entries() == expected.placement.requests[name].flows.entries()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(recipes)
def test_every_placement_passes_the_checker(recipe):
    solution = place(generate(recipe, "drawn"), "algorithm1")  # raises if the checker refuses it
    served = len(solution.placement.requests)
    assert served + len(solution.placement.rejected) == len(recipe.networks) * (
        2 if "=2" in recipe.networks[0] else 1
    )


@pytest.mark.parametrize(
    ("network", "tolerance", "devices", "fleet", "latency_ms"),
    [
        ("lenet", 0.8, 4, "mixed", 1.629),
        ("lenet", 0.4, 6, "mixed", 1.592),
        ("cifar_cnn", 0.8, 4, "mixed", 160.0),
        ("cifar_cnn", 0.4, 10, "mixed", 424.4),
        ("vgg16", 0.8, 20, "power", 5429),
        ("vgg16", 0.8, 20, "mixed", 8047),
    ],
)
def test_known_latencies(network, tolerance, devices, fleet, latency_ms):
    recipe = Recipe((network,), fleet, devices, tolerance)
    solution = place(generate(recipe, "known"), "algorithm1")
    assert solution.objective_s * 1e3 == pytest.approx(latency_ms, rel=4e-4)


def only_rejection(recipe: Recipe):
    solution = place(generate(recipe, "rejecting"), "algorithm1")
    assert solution.solution_status is SolutionStatus.NONE
    (rejection,) = solution.placement.rejected
    return rejection


def test_a_rejection_names_the_layer_and_the_cap():
    rejection = only_rejection(Recipe(("cifar_block1",), "mixed", 6, 0.4))
    assert (rejection.layer, rejection.segment) == ("relu11", 49)
    assert rejection.condition == "cond4 (privacy) on 6 of 6 node(s)"


def test_a_rejection_names_missing_memory():
    scales = BudgetScales(memory=2e-5)
    rejection = only_rejection(Recipe(("lenet",), "mixed", 4, 0.8, scales=scales))
    assert rejection.layer == "fc1"
    assert "cond1 (memory) on 4 of 4" in rejection.condition


def test_a_rejection_names_the_camera_s_bandwidth():
    scales = BudgetScales(bandwidth=3e-5)
    rejection = only_rejection(Recipe(("lenet",), "mixed", 4, 0.8, scales=scales))
    assert rejection.layer == "relu1"
    assert "cond2 (bandwidth of a sender)" in rejection.condition


def test_a_rejection_names_maps_without_an_admissible_share():
    rejection = only_rejection(Recipe(("lenet",), "mixed", 4, 0.2))
    assert rejection.condition == "cond4: no share of its maps is admissible (Nf = 0)"


def test_a_rejected_request_gives_back_what_it_had_reserved():
    """r1 puts 3,200 bytes of conv2 on each helper, then finds no room for fc1 and is rejected.

    r2 keeps fc1 on the camera and needs 3,200 + 40,320 bytes (conv2, fc2) on one helper: that
    fits into 43,600 bytes only if nothing of r1 is left there.
    """
    drawn = generate(Recipe(("lenet",), "rpi3=2", None, 0.8, requests=2), "returning")
    devices = [device.model_copy(update={"memory_bytes": 43_600.0}) for device in drawn.devices]
    tight = drawn.requests[1].model_copy(update={"tolerated_ssim": 0.4})
    instance = drawn.model_copy(
        update={"devices": tuple(devices), "requests": (drawn.requests[0], tight)}
    )
    outcome = place_all(Problem.of(instance), Algorithm1())
    assert [(r.request, r.layer) for r in outcome.rejected] == [("r1", "fc1")]
    assert list(outcome.placement.requests) == ["r2"]


def test_equal_input_gives_equal_output():
    instance = generate(Recipe(("lenet",), "mixed", 5, 0.6), "same")
    first, second = (place(instance, "algorithm1") for _ in range(2))
    assert first.placement == second.placement


@settings(max_examples=60, deadline=None, derandomize=True)
@given(recipes, st.sampled_from([0.0, 0.3]), st.sampled_from([1e-6, 2e-4, 5e-3]))
def test_scarce_bandwidth_and_other_weights_are_read_the_same(recipe, beta, scale):
    scales = replace(recipe.scales, bandwidth=scale)
    problem = Problem.of(generate(replace(recipe, scales=scales), "scarce"))
    weights = NrmWeights(alpha=1.0, beta=beta)
    outcome = place_all(problem, Algorithm1(weights=weights))
    expected = plain_algorithm1(problem, weights)
    assert outcome.rejected == expected.rejected
    for name, placed in outcome.placement.requests.items():
        assert placed.counts.tolist() == expected.placement.requests[name].counts.tolist()
        assert placed.flows.entries() == expected.placement.requests[name].flows.entries()
