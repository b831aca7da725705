"""Runs of segments count what the same placement names segment by segment."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.generate import Recipe, generate
from optmodel.online.segment_runs import SegmentRun, placement_of
from optmodel.placement.placement import RequestPlacement
from optmodel.problem.arrays import Problem

NODES = 5
(TASK,) = Problem.of(generate(Recipe(("lenet",), "mixed", 4, 0.8), "runs")).tasks


@st.composite
def labelled_layers(draw: st.DrawFn) -> list[list[int]]:
    """Draw the node of each segment, in stretches."""
    layers = []
    for layer in TASK.layers:
        labels: list[int] = []
        while len(labels) < layer.segments:
            stretch = draw(st.integers(1, layer.segments - len(labels)))
            labels += [draw(st.integers(0, NODES - 1))] * stretch
        layers.append(labels)
    return layers


@st.composite
def as_runs(draw: st.DrawFn, labels: list[int]) -> list[SegmentRun]:
    """Cut labels into runs, at every change and now and then in between."""
    runs: list[SegmentRun] = []
    for node in labels:
        if runs and runs[-1].node == node and draw(st.booleans()):
            runs[-1] = SegmentRun(node, runs[-1].segments + 1)
        else:
            runs.append(SegmentRun(node, 1))
    return runs


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_runs_count_as_their_segments_do(data):
    layers = data.draw(labelled_layers())
    runs = [data.draw(as_runs(labels)) for labels in layers]
    mapwise = [layer.transfer == "mapwise" for layer in TASK.layers]
    expected = RequestPlacement.from_labels([np.array(at) for at in layers], mapwise, NODES)
    placed = placement_of(runs, TASK, NODES)
    assert placed.counts.tolist() == expected.counts.tolist()
    assert placed.flows.entries() == expected.flows.entries()
