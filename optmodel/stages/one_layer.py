"""Arcs of one layer: senders of one stage are received by nodes that compute at once."""

import numpy as np

from optmodel.problem import IntArray
from optmodel.stages.arc import Arc, ArcPlacement, ArcSolution
from optmodel.stages.relaxation import least_threshold, room


def solve_one_layer(arc: Arc, cutoff: int) -> ArcSolution:
    """Solve an arc of one layer: the least threshold, filled group by group."""
    each = [receive + work for receive, work in zip(arc.receive, arc.work, strict=True)]
    value = least_threshold(each, arc.caps[0], arc.sizes, arc.maps)
    if value is None or value > cutoff:
        return ArcSolution(cutoff + 1)
    return ArcSolution(value, _filled(arc, np.array(each), value), value)


def _filled(arc: Arc, each: IntArray, threshold: int) -> ArcPlacement:
    """Fill nodes in order up to the threshold until all maps have a place."""
    most = room(threshold, each, np.array(arc.caps[0]))
    per_node = most[arc.group_of]
    before = np.concatenate([[0], np.cumsum(per_node)[:-1]])
    return ArcPlacement(np.clip(arc.maps - before, 0, per_node)[np.newaxis], ())
