"""The checker accepts optima and names every broken condition, each on its own."""

from collections.abc import Callable
from fractions import Fraction

import pytest
import reference
from assigned import document_of
from documents import equations, with_requests
from strategies import by_hand, twice, with_budget

from optmodel.checker import CheckReport, Violation, check
from optmodel.placement.solution import (
    Flow,
    PlacedLayer,
    PlacementDocument,
    Rejection,
    RequestLatency,
)
from optmodel.problem.instance import Instance

# A placement of `by_hand` that is worked out in test_evaluate.
PLAN = (("camera",), ("a", "a", "b"), ("a", "b", "b"), ("b", "c"), ("c", "c"), ("camera",))
LAYERS = ("conv1", "act1", "conv2", "act2", "fc1", "fc2")


def only(report: CheckReport) -> Violation:
    """Return the one violation of a report."""
    (violation,) = report.violations
    return violation


def planned(**vectors: tuple[str, ...]) -> PlacementDocument:
    """Return the document of PLAN with other vectors for some layers."""
    plan = tuple(vectors.get(name, at) for name, at in zip(LAYERS, PLAN, strict=True))
    return document_of(by_hand(), {"r1": plan})


def with_layer(document: PlacementDocument, name: str, **changes: object) -> PlacementDocument:
    """Return the document with other segments or flows for one layer of its first request."""
    first, *others = document.requests
    layers = tuple(
        layer.model_copy(update=changes) if layer.layer == name else layer for layer in first.layers
    )
    return with_requests(document, first.model_copy(update={"layers": layers}), *others)


def flows(*moved: tuple[str, str, float]) -> tuple[Flow, ...]:
    return tuple(Flow(sender=i, receiver=j, maps=maps) for i, j, maps in moved)


def optimum(made: Instance) -> PlacementDocument:
    return document_of(made, reference.best(made).assignment)


@pytest.mark.parametrize(
    "made",
    [by_hand(), by_hand(0.3), by_hand(0.95), by_hand(0.25, unattainable="source")],
    ids=["some at risk", "all at risk", "nothing at risk", "kept on source"],
)
def test_an_optimum_passes_with_its_exact_latency(made: Instance):
    report = check(made, optimum(made))
    assert report.passed
    assert report.objective_s == reference.best(made).latency_s


def test_the_exact_latencies_and_the_traffic_of_a_worked_example():
    # The same numbers as in test_evaluate, as fractions.
    report = check(by_hand(), planned())
    expected = ["0.03", "0.032", "0.144", "0.064", "0.042", "0.065"]
    assert report.passed
    assert list(report.layer_latency_s["r1"].values()) == [Fraction(t) for t in expected]
    assert report.objective_s == Fraction("0.377")
    assert report.shared_bits == 256 + 128 + 160 + 384


def test_rates_are_read_as_the_decimals_that_a_file_shows():
    # 12 multiplications at 0.1 per second take 120 s; the double nearest to 0.1 gives less.
    made = by_hand()
    slow = made.sources[0].model_copy(update={"compute_mult_per_s": 0.1})
    report = check(made.model_copy(update={"sources": (slow,)}), planned())
    assert report.layer_latency_s["r1"]["conv1"] == 120


def test_a_node_listed_with_no_segments_is_idle():
    document = with_layer(planned(), "conv2", segments={"a": 1, "b": 2, "c": 0})
    document = with_layer(document, "fc1", segments={"c": 2, "a": 0})
    listed, plain = check(by_hand(), document), check(by_hand(), planned())
    assert listed.passed
    assert listed.layer_latency_s == plain.layer_latency_s
    cut = with_budget(by_hand(), "c", bandwidth_budget_bits=160.0)
    assert check(cut, document).passed


@pytest.mark.parametrize(
    ("equation", "load"),
    [
        ("8b", {"a": 8, "b": 16, "c": 80, "camera": 52}),
        ("8c", {"a": 4, "b": 8, "c": 20, "camera": 22}),
        ("8d", {"a": 256, "b": 128, "c": 160, "camera": 384}),
    ],
)
def test_a_budget_below_the_load_is_reported_with_node_and_excess(
    equation: str, load: dict[str, int]
):
    field = reference.BUDGETS[equation]
    for name, carried in load.items():
        enough = with_budget(by_hand(), name, **{field: float(carried)})
        assert check(enough, planned()).passed
        for short in (1.0, 0.25):
            tight = with_budget(by_hand(), name, **{field: carried - short})
            found = only(check(tight, planned()))
            assert found.equation == equation
            assert found.where == f"node '{name}'"
            assert found.amount == Fraction(short)


def test_an_optimum_breaks_a_budget_that_is_cut_below_its_load():
    made = by_hand()
    best = reference.best(made)
    for equation, carried in reference.loads(made, best.assignment).items():
        for name, load in carried.items():
            tight = with_budget(made, name, **{reference.BUDGETS[equation]: load - 1.0})
            found = only(check(tight, document_of(made, best.assignment)))
            assert (found.equation, found.amount) == (equation, 1)
            assert name in found.where


def test_budgets_hold_for_all_requests_together():
    made = twice(by_hand())
    document = document_of(made, {"r1": PLAN, "r2": PLAN})
    assert check(made, document).passed
    found = only(check(with_budget(made, "c", memory_bytes=159.0), document))
    assert (found.equation, found.where, found.amount) == ("8b", "node 'c'", 1)


def relayered(change: Callable[[list[PlacedLayer]], list[PlacedLayer]]) -> PlacementDocument:
    document = planned()
    first = document.requests[0]
    layers = tuple(change(list(first.layers)))
    return with_requests(document, first.model_copy(update={"layers": layers}))


def moving(*moved: tuple[str, str, float]) -> PlacementDocument:
    """Return the document of PLAN with other flows after act1."""
    return with_layer(planned(), "act1", flows=flows(*moved))


PLACED = planned().requests[0]
REJECTED = Rejection(request="r1", layer="fc1", segment=1, condition="any")
NOT_ONCE = {
    "segment without a node": (with_layer(planned(), "fc2", segments={}), "layer 'fc2'"),
    "segment too many": (with_layer(planned(), "conv1", segments={"camera": 2}), "layer 'conv1'"),
    "unknown node": (with_layer(planned(), "conv1", segments={"ghost": 1}), "node 'ghost'"),
    "flow missing": (moving(("a", "a", 1), ("a", "b", 1)), "node 'b'"),
    "flow from idle node": (moving(("a", "a", 1), ("c", "b", 1), ("b", "b", 1)), "node 'c'"),
    "flow to idle node": (moving(("a", "a", 1), ("a", "c", 1), ("b", "b", 1)), "node 'c'"),
    "no flows": (with_layer(planned(), "act1", flows=None), "layer 'act1'"),
    "flows after a conv": (
        with_layer(planned(), "conv2", flows=flows(("a", "b", 1), ("b", "c", 1))),
        "layer 'conv2'",
    ),
    "layer missing": (relayered(lambda layers: layers[:-1]), "layer 'fc2'"),
    "layer repeated": (relayered(lambda layers: [*layers, layers[-1]]), "request 'r1'"),
    "layers swapped": (
        relayered(lambda layers: [layers[1], layers[0], *layers[2:]]),
        "request 'r1'",
    ),
    "layer renamed": (
        relayered(lambda layers: [*layers[:-1], layers[-1].model_copy(update={"layer": "fc9"})]),
        "layer 'fc2'",
    ),
    "request twice": (with_requests(planned(), PLACED, PLACED), "request 'r1'"),
    "request missing": (with_requests(planned()), "request 'r1'"),
    "request unknown": (
        with_requests(planned(), PLACED, PLACED.model_copy(update={"request": "r9"})),
        "request 'r9'",
    ),
    "request placed and rejected": (
        planned().model_copy(update={"rejected": (REJECTED,)}),
        "request 'r1'",
    ),
}


@pytest.mark.parametrize(("document", "where"), NOT_ONCE.values(), ids=NOT_ONCE)
def test_what_is_not_placed_exactly_once_breaks_8e_alone(document: PlacementDocument, where: str):
    report = check(by_hand(), document)
    assert equations(report) == {"8e"}
    assert any(where in violation.where for violation in report.violations)
    assert all(violation.amount > 0 for violation in report.violations)


@pytest.mark.parametrize(
    ("change", "amount"),
    [
        (lambda layers: layers[:-2], 2),
        (lambda layers: [*layers, layers[-1]], 1),
        (lambda layers: [layers[1], layers[0], *layers[2:]], 1),
    ],
    ids=["two missing", "one twice", "swapped"],
)
def test_layers_that_are_not_there_are_counted(change, amount: int):
    named = "request 'r1'"
    found = [v for v in check(by_hand(), relayered(change)).violations if v.where == named]
    assert [violation.amount for violation in found] == [amount]


def test_segments_too_few_and_too_many_are_counted():
    made = by_hand(0.95)
    assert only(check(made, with_layer(planned(), "conv1", segments={"camera": 4}))).amount == 3
    assert only(check(made, with_layer(planned(), "fc2", segments={}))).amount == 1


def test_a_rejected_request_needs_no_place():
    report = check(by_hand(), PlacementDocument(requests=(), rejected=(REJECTED,)))
    assert report.passed
    assert report.objective_s == 0


@pytest.mark.parametrize("layer", ["act1", "conv2"])
def test_a_share_above_the_cap_breaks_8f_alone(layer: str):
    found = only(check(by_hand(), planned(**{layer: ("b", "b", "b")})))
    assert found.equation == "8f"
    assert f"layer '{layer}'" in found.where
    assert "node 'b'" in found.where
    assert found.amount == 1


def test_a_lower_tolerance_breaks_8f_alone():
    # At 0.4 one map of conv1 is safe (0.3), two are not (0.5); conv2's two still are (0.4).
    report = check(by_hand(0.4), planned())
    assert equations(report) == {"8f"}
    assert sorted(v.where.split(", ", 1)[1] for v in report.violations) == [
        "layer 'act1', node 'a'",
        "layer 'conv2', node 'b'",
    ]


def test_a_first_fc_on_two_nodes_breaks_8g_alone():
    found = only(check(by_hand(), planned(fc1=("c", "a"))))
    assert (found.equation, found.where) == ("8g", "request 'r1', layer 'fc1'")
    assert found.amount == 1


@pytest.mark.parametrize(
    ("layer", "vector", "node"),
    [
        ("conv1", ("a",), "a"),
        ("fc2", ("b",), "b"),
        ("conv2", ("a", "b", "camera"), "camera"),
        ("act2", ("camera", "c"), "camera"),
        ("fc1", ("camera", "camera"), "camera"),
    ],
    ids=["first", "last", "conv on source", "act on source", "fc on source"],
)
def test_a_layer_on_the_wrong_side_breaks_8h_alone(layer: str, vector: tuple[str, ...], node: str):
    found = only(check(by_hand(), planned(**{layer: vector})))
    assert found.equation == "8h"
    assert found.where == f"request 'r1', layer '{layer}', node '{node}'"
    assert found.amount == vector.count(node)


def test_an_exposed_first_fc_on_a_helper_breaks_8h():
    # At 0.35 the two maps of conv2 are at risk (0.4), and one is safe (0.2): fc1 belongs to the
    # camera, and on helper c it also holds one map too many.
    found = check(by_hand(0.35), planned(act1=("a", "b", "c"), conv2=("a", "b", "c")))
    assert equations(found) == {"8f", "8h"}
    kept = planned(act1=("a", "b", "c"), conv2=("a", "b", "c"), fc1=("camera", "camera"))
    assert check(by_hand(0.35), kept).passed


def test_layers_of_which_no_share_is_safe_stay_on_the_source_only_if_asked_for():
    kept = optimum(by_hand(0.25, unattainable="source"))
    assert check(by_hand(0.25, unattainable="source"), kept).passed
    found = check(by_hand(0.25), kept)
    assert equations(found) == {"8h"}
    assert {violation.where for violation in found.violations} >= {
        "request 'r1', layer 'act1', node 'camera'"
    }


def test_less_than_no_segments_send_nothing():
    # camera to a and b 384, b to a 256; a alone to b and c 128; b to c 64; c to the camera 160.
    report = check(by_hand(0.95), NEGATIVE)
    assert report.shared_bits == 384 + 256 + 128 + 64 + 160


def test_another_request_s_source_is_no_host():
    made = twice(by_hand())
    other = made.sources[0].model_copy(update={"id": "other"})
    made = made.model_copy(update={"sources": (*made.sources, other)})
    first = (("other",), *PLAN[1:])
    found = only(check(made, document_of(made, {"r1": first, "r2": PLAN})))
    assert (found.equation, found.where) == ("8h", "request 'r1', layer 'conv1', node 'other'")


NEGATIVE = with_layer(
    moving(("a", "a", 2), ("b", "a", 2), ("b", "b", -1)), "conv2", segments={"a": 4, "b": -1}
)
NOT_WHOLE = {
    "half a segment": (
        with_layer(
            moving(("a", "a", 1.5), ("a", "b", 0.5), ("b", "b", 1)),
            "conv2",
            segments={"a": 1.5, "b": 1.5},
        ),
        Fraction(1, 2),
    ),
    "negative": (NEGATIVE, Fraction(1)),
    "half a flow": (
        moving(("a", "a", 0.5), ("a", "b", 1.5), ("b", "a", 0.5), ("b", "b", 0.5)),
        Fraction(1, 2),
    ),
}


@pytest.mark.parametrize(("document", "amount"), NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_a_number_that_is_not_whole_breaks_8i_alone(document: PlacementDocument, amount: Fraction):
    report = check(by_hand(0.95), document)
    assert equations(report) == {"8i"}
    assert max(violation.amount for violation in report.violations) == amount


@pytest.mark.parametrize(
    ("moved", "equation", "amounts"),
    [
        ([("a", "a", 1), ("a", "b", 6), ("a", "b", -5), ("b", "b", 1)], {"8e", "8i"}, [1, 5]),
        ([("a", "a", 1), ("a", "b", 0.5), ("a", "b", 0.5), ("b", "b", 1)], {"8e", "8i"}, [0.5, 1]),
        ([("a", "a", 1), ("a", "b", 1), ("b", "b", 1), ("b", "b", 0)], {"8e"}, [1]),
        ([("a", "a", 1), ("a", "b", 1), ("b", "b", 1), ("x", "y", 0)], {"8e"}, [1]),
        ([("a", "a", 1), ("a", "b", 1), ("b", "b", 1), ("b", "c", 0)], set(), []),
    ],
    ids=["5 and -5", "halves", "twice", "0 maps between unknown nodes", "0 maps"],
)
def test_flows_that_only_add_up_are_refused(
    moved: list[tuple[str, str, float]], equation: set[str], amounts: list[float]
):
    report = check(by_hand(), moving(*moved))
    assert equations(report) == equation
    assert sorted({float(one.amount) for one in report.violations}) == amounts


def test_an_unknown_node_without_segments_is_still_unknown():
    document = with_layer(planned(), "conv1", segments={"camera": 1, "ghost": 0})
    assert only(check(by_hand(), document)).amount == 1


def test_a_reported_latency_may_be_off_by_a_billionth():
    assert check(by_hand(), planned(), objective_s=0.377 * (1 + 5e-10)).passed
    assert not check(by_hand(), planned(), objective_s=0.377 * (1 + 5e-9)).passed


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-6, 0.0, 2.0])
def test_a_misreported_objective_is_caught(factor: float):
    found = only(check(by_hand(), planned(), objective_s=0.377 * factor))
    assert (found.equation, found.where) == ("5", "objective")
    assert float(found.amount) == pytest.approx(0.377 * abs(factor - 1), rel=1e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_misreported_layer_is_caught(layer: str):
    exact = check(by_hand(), planned()).layer_latency_s["r1"]
    honest = {name: float(t) for name, t in exact.items()}
    told = RequestLatency(request="r1", layers_s=honest)
    assert check(by_hand(), planned(), objective_s=0.377, latency=[told]).passed
    wrong = RequestLatency(request="r1", layers_s=honest | {layer: honest[layer] * (1 + 1e-6)})
    found = only(check(by_hand(), planned(), latency=[wrong]))
    assert found.equation == "5"
    assert f"layer '{layer}'" in found.where


@pytest.mark.parametrize(("request_id", "layer"), [("r1", "conv9"), ("r9", "conv1")])
def test_a_latency_of_nothing_is_caught(request_id: str, layer: str):
    told = RequestLatency(request=request_id, layers_s={layer: 0.03})
    assert equations(check(by_hand(), planned(), latency=[told])) == {"5"}
