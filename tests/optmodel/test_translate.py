"""A placement in names says what the arrays say, and nothing else."""

import numpy as np
import pytest
from assigned import place
from strategies import by_hand, twice

from optmodel.ground.rule_errors import InputError
from optmodel.placement.named_placement import (
    from_document,
    read_request,
    to_document,
    write_request,
)
from optmodel.placement.placement import Placement
from optmodel.placement.solution import Flow, PlacedRequest, Rejection
from optmodel.problem.arrays import Problem

PLAN = (("camera",), ("a", "a", "b"), ("a", "b", "b"), ("b", "c"), ("c", "c"), ("camera",))
PROBLEM = Problem.of(by_hand())
PLACED = place(PROBLEM, {"r1": PLAN}).requests["r1"]
INDEX = {name: i for i, name in enumerate(PROBLEM.node_ids)}


def written() -> PlacedRequest:
    return write_request(PROBLEM, PROBLEM.tasks[0], PLACED)


def test_only_who_holds_segments_is_named_and_only_mapwise_layers_hand_maps_on() -> None:
    layers = {layer.layer: layer for layer in written().layers}
    assert {name: layer.segments for name, layer in layers.items()} == {
        "conv1": {"camera": 1},
        "act1": {"a": 2, "b": 1},
        "conv2": {"a": 1, "b": 2},
        "act2": {"b": 1, "c": 1},
        "fc1": {"c": 2},
        "fc2": {"camera": 1},
    }
    assert [name for name, layer in layers.items() if layer.flows is not None] == ["act1", "act2"]
    assert layers["act2"].flows == (
        Flow(sender="b", receiver="c", maps=1),
        Flow(sender="c", receiver="c", maps=1),
    )


def test_numbers_are_whole_numbers_of_python_and_not_of_numpy() -> None:
    for layer in written().layers:
        assert {type(number) for number in layer.segments.values()} == {int}
        assert {type(flow.maps) for flow in layer.flows or ()} <= {int}


def test_a_placement_on_some_nodes_is_written_with_their_names() -> None:
    order = [INDEX[name] for name in ("camera", "c", "b", "a")]
    counts = PLACED.counts[:, order]
    place_of = np.argsort(order)
    entries = [(k, place_of[i], place_of[j], n) for k, i, j, n in PLACED.flows.entries()]
    some = type(PLACED)(counts, type(PLACED.flows).from_entries(entries))
    named = write_request(PROBLEM, PROBLEM.tasks[0], some, np.array(order))
    for mine, theirs in zip(named.layers, written().layers, strict=True):
        assert mine.segments == theirs.segments
        assert sorted(mine.flows or (), key=repr) == sorted(theirs.flows or (), key=repr)


def test_who_is_not_placed_is_listed_as_rejected_alone() -> None:
    problem = Problem.of(twice(by_hand()))
    left_out = Rejection(request="r2", layer="fc1", segment=1, condition="no room")
    document = to_document(problem, Placement({"r1": PLACED}), [left_out])
    assert [placed.request for placed in document.requests] == ["r1"]
    assert document.rejected == (left_out,)
    assert [*from_document(problem, document).requests] == ["r1"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"layer": "conv9"}, "layer"),
        ({"segments": {"ghost": 1}}, "node"),
        ({"flows": (Flow(sender="ghost", receiver="a", maps=1),)}, "node"),
        ({"flows": (Flow(sender="a", receiver="ghost", maps=1),)}, "node"),
    ],
)
def test_a_name_that_the_instance_lacks_is_told(change: dict[str, object], kind: str) -> None:
    first, *others = written().layers
    layers = (first.model_copy(update=change), *others)
    strange = written().model_copy(update={"layers": layers})
    with pytest.raises(InputError, match=f"expected a {kind} of the instance, got '(ghost|conv9)'"):
        read_request(PROBLEM.tasks[0], strange, INDEX)
