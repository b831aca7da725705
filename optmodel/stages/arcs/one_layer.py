"""Arcs of one layer: senders of one stage are received by nodes that compute at once."""

import numpy as np

from optmodel.problem import IntArray
from optmodel.stages.arcs.arc_numbers import ArcNumbers, ArcPlacement, ArcSolution
from optmodel.stages.arcs.counting_bounds import maps_within, quick_bound


def solve_one_layer(arc: ArcNumbers, cutoff: int) -> ArcSolution:
    """Solve an arc of one layer: the least threshold, filled group by group."""
    value = quick_bound(arc)
    if value is None or value > cutoff:
        return ArcSolution(cutoff + 1)
    each = np.array(arc.receive) + np.array(arc.work)
    most = maps_within(value, each, np.array(arc.caps[0]))
    return ArcSolution(value, ArcPlacement(filled(arc, most)[np.newaxis], ()), value)


def filled(arc: ArcNumbers, most: IntArray) -> IntArray:
    """Deal all maps to the nodes in order, each node of a group taking at most so many."""
    per_node = most[arc.group_of]
    before = np.cumsum(per_node) - per_node
    shares: IntArray = np.clip(arc.maps - before, 0, per_node)
    return shares
