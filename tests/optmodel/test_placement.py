"""Counts and flows, segment labels, and documents say the same."""

import numpy as np
import pytest
import reference
from assigned import counted, document_of, place
from hypothesis import given
from hypothesis import strategies as st
from strategies import assignments, by_hand, examples, instances

from optmodel.checker import check
from optmodel.ground.rule_errors import InputError
from optmodel.placement.named_placement import from_document, to_document
from optmodel.placement.placement import Flows, Placement, RequestPlacement
from optmodel.placement.solution import PlacementDocument
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


def content(placement: Placement) -> dict[str, tuple]:
    """Return a placement in plain lists, for comparison."""
    return {
        name: (placed.counts.tolist(), sorted(placed.flows.entries()))
        for name, placed in placement.requests.items()
    }


def test_labels_are_counted_per_node_and_flows_per_pair():
    labels = [np.array([3]), np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([2, 2])]
    placed = RequestPlacement.from_labels(labels, [False, True, False, False], 4)
    assert placed.counts.tolist() == [[0, 0, 0, 1], [2, 1, 0, 0], [1, 2, 0, 0], [0, 0, 2, 0]]
    assert placed.flows.entries() == [(1, 0, 0, 1), (1, 0, 1, 1), (1, 1, 1, 1)]
    assert placed.flows.matrix(1, 4).tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], *[[0] * 4] * 2]


def test_a_last_act_has_no_flows():
    labels = [np.array([1]), np.array([1, 1])]
    placed = RequestPlacement.from_labels(labels, [False, True], 2)
    assert placed.flows.entries() == []


def test_labels_follow_the_flows():
    # Node 0 holds maps 1 and 2 and hands both to node 1; node 1 hands its own to node 0.
    counts = np.array([[2, 1], [1, 2]])
    placed = RequestPlacement(counts, Flows.from_entries([(0, 0, 1, 2), (0, 1, 0, 1)]))
    assert [at.tolist() for at in placed.labels()] == [[0, 0, 1], [1, 1, 0]]


@examples(100)
@given(instances(), st.data())
def test_labels_give_back_counts_and_flows(made: Instance, data: st.DataObject):
    problem = Problem.of(made)
    placement = place(problem, data.draw(assignments(made)))
    again = {name: placed.labels() for name, placed in placement.requests.items()}
    assert content(counted(problem, again)) == content(placement)


@examples(75)
@given(instances(), st.data())
def test_labels_cost_what_the_original_segments_cost(made: Instance, data: st.DataObject):
    problem = Problem.of(made)
    assignment = data.draw(assignments(made))
    placement = place(problem, assignment)
    again = {
        name: tuple(tuple(problem.node_ids[i] for i in at) for at in placed.labels())
        for name, placed in placement.requests.items()
    }
    assert reference.latencies(made, again) == reference.latencies(made, assignment)
    assert reference.sent_bits(made, again) == reference.sent_bits(made, assignment)
    assert reference.loads(made, again) == reference.loads(made, assignment)


@examples(75)
@given(instances(), st.data())
def test_a_document_gives_back_the_placement(made: Instance, data: st.DataObject):
    problem = Problem.of(made)
    placement = place(problem, data.draw(assignments(made)))
    document = to_document(problem, placement)
    read = PlacementDocument.model_validate_json(document.model_dump_json())
    assert read == document
    assert content(from_document(problem, read)) == content(placement)


@examples(75)
@given(instances(), st.data())
def test_a_document_says_what_the_segments_say(made: Instance, data: st.DataObject):
    problem = Problem.of(made)
    assignment = data.draw(assignments(made))
    document = to_document(problem, place(problem, assignment))
    by_segment = document_of(made, assignment)
    assert content(from_document(problem, by_segment)) == content(from_document(problem, document))
    one, other = check(made, document), check(made, by_segment)
    assert set(one.violations) == set(other.violations)
    assert one.layer_latency_s == other.layer_latency_s


def test_a_document_of_other_requests_is_refused():
    made = by_hand()
    text = document_of(made, reference.best(made).assignment).model_dump_json()
    renamed = PlacementDocument.model_validate_json(text.replace('"r1"', '"r7"'))
    with pytest.raises(InputError, match="r7"):
        from_document(Problem.of(made), renamed)


def test_moves_make_the_same_table_as_their_entries():
    moves = [
        (5, np.array([2, 0]), np.array([1, 3]), np.array([4, 6])),
        (1, np.array([3, 3]), np.array([3, 0]), np.array([1, 2])),
    ]
    entries = [(5, 2, 1, 4), (5, 0, 3, 6), (1, 3, 3, 1), (1, 3, 0, 2)]
    assert Flows.from_moves(moves).entries() == Flows.from_entries(entries).entries()
    assert Flows.from_moves([]).entries() == []
