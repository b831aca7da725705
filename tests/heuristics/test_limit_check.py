"""The check before reserving refuses what the exact checker refuses, and nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, instances

from heuristics.limit_check import broken_limit
from heuristics.policies import make_policy
from heuristics.policy import place_all
from instances.generate import Recipe, generate
from optmodel.checker import check
from optmodel.placement.named_placement import to_document
from optmodel.placement.placement import Flows, Placement, RequestPlacement
from optmodel.problem.arrays import Problem

BUDGETS = {"8b", "8c", "8d"}


def refused_by_the_checker(problem, placed) -> set[str]:
    """Return the equations that the exact checker finds broken, budgets apart."""
    document = to_document(problem, Placement({problem.tasks[0].request.id: placed}))
    violations = check(problem.instance, document).violations
    return {violation.equation for violation in violations} - BUDGETS


def changed(placed, layer: int, old: int, new: int, number: int, follow: bool) -> RequestPlacement:
    """Return a placement with some segments of a node moved, their flows with them or not."""
    counts = placed.counts.copy()
    counts[layer, old] -= number
    counts[layer, new] += number
    entries = Counter({entry[:3]: entry[3] for entry in placed.flows.entries()})
    for at, end in ((layer - 1, 2), (layer, 1)) if follow else ():
        left = number
        for entry in [e for e in entries if e[0] == at and e[end] == old]:
            maps = min(left, entries[entry])
            entries[entry] -= maps
            entries[(*entry[:end], new, *entry[end + 1 :])] += maps
            left -= maps
    kept = [(*entry, maps) for entry, maps in entries.items() if maps]
    return RequestPlacement(counts, Flows.from_entries(kept))


def test_it_agrees_with_the_exact_checker_on_placements_with_segments_moved():
    verdicts = Counter[str]()

    @examples(300)
    @given(instances(requests=1), st.data())
    def agree(made, data) -> None:
        problem = Problem.of(made)
        (task,) = problem.tasks
        placed = place_all(problem, make_policy("random")).placement.requests.get(task.request.id)
        if placed is None:
            return
        assert broken_limit(problem, task, placed) is None
        layer = data.draw(st.integers(0, len(task.layers) - 1))
        nodes = np.flatnonzero(placed.counts[layer]).tolist()
        old = data.draw(st.sampled_from(nodes))
        new = data.draw(st.integers(0, len(problem.node_ids) - 1))
        number = data.draw(st.integers(1, int(placed.counts[layer, old])))
        other = changed(placed, layer, old, new, number, data.draw(st.booleans()))
        found, expected = broken_limit(problem, task, other), refused_by_the_checker(problem, other)
        assert (found is None) == (not expected), (found, expected)
        assert found is None or found[:2] in expected
        verdicts["kept" if found is None else found[:2]] += 1

    agree()
    assert {"kept", "8e", "8h"} <= verdicts.keys()


def test_more_than_the_cap_on_one_helper_is_refused():
    made = placed()
    for k, layer in enumerate(TASK.layers):
        if layer.cap < layer.segments and not layer.whole:
            made.counts[k] = 0
            made.counts[k, 1] = layer.segments
            where = f"layer '{layer.name}' on '{PROBLEM.node_ids[1]}'"
            found = broken_limit(PROBLEM, TASK, made)
            assert found == (
                f"8f: {where} has {layer.segments} segments, at most {layer.cap} are allowed"
            )
            return
    raise AssertionError("no layer has a cap")


def test_the_first_fc_on_two_nodes_is_refused():
    made = placed()
    (k,) = (k for k, layer in enumerate(TASK.layers) if layer.whole)
    holder = int(made.counts[k].argmax())
    made.counts[k, holder] -= 1
    made.counts[k, (holder + 1) % PROBLEM.helpers] += 1
    found = broken_limit(PROBLEM, TASK, made)
    assert found == f"8g: layer '{TASK.layers[k].name}' is on more than one node"


PROBLEM = Problem.of(generate(Recipe(("lenet",), "mixed", 4, 0.8), "limits"))
TASK = PROBLEM.tasks[0]


def placed() -> RequestPlacement:
    return place_all(PROBLEM, make_policy("algorithm1")).placement.requests["r1"]


def with_column(name: str, values) -> RequestPlacement:
    flows = {field: getattr(placed().flows, field) for field in Flows.__dataclass_fields__}
    return RequestPlacement(placed().counts, Flows(**{**flows, name: values}))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: RequestPlacement(placed().counts.astype(float), placed().flows), "whole numbers"),
        (lambda: RequestPlacement(placed().counts.astype("u8"), placed().flows), "with a sign"),
        (lambda: RequestPlacement(placed().counts[:-1], placed().flows), "must have the shape"),
        (lambda: RequestPlacement(-placed().counts, placed().flows), "must not be negative"),
        (lambda: with_column("maps", placed().flows.maps[:-1]), "equally long"),
        (lambda: with_column("maps", placed().flows.maps * 0.5), "whole numbers"),
        (lambda: with_column("sender", placed().flows.sender + 99), "nodes and layers that there"),
        (lambda: with_column("layer", placed().flows.layer + 99), "nodes and layers that there"),
        (lambda: with_column("maps", placed().flows.maps - 99), "must not be negative"),
    ],
)
def test_what_is_no_placement_at_all_is_refused(made, message):
    found = broken_limit(PROBLEM, TASK, made())
    assert found is not None
    assert found.startswith("8i: ")
    assert message in found


def test_flows_that_counts_of_few_bits_could_not_hold_are_refused():
    maps = placed().flows.maps.copy()
    maps[0] += 256
    made = RequestPlacement(placed().counts.astype(np.int8), with_column("maps", maps).flows)
    assert broken_limit(PROBLEM, TASK, made).startswith("8e: flows of layer ")
