"""A fleet of many kinds of devices, seen as one of few: a relaxation, so that its bounds hold."""

import numpy as np

from optmodel.problem.arrays import NODE_FIELDS, FloatArray, IntArray, Problem

FEW_KINDS = 15
"""Kinds that a fleet of very many is seen as: with a source, a path over them takes seconds."""


MOST_GROUPS = 16
"""Fleets of more kinds of nodes are bounded as if they had few, see `with_fewer_kinds`."""


def with_fewer_kinds(problem: Problem, most: int, few: int) -> Problem:
    """Return the problem with few kinds of helpers if it has more than `most`, else itself.

    Helpers are parted by speed and rate, where they lie furthest apart in proportion, and each
    becomes as good in everything as the best of its part. Whatever keeps 8b-8h on the fleet keeps
    them on this one, and takes no longer (Eq. 5): a lower bound here is one there, and a request
    without a placement here has none there.

    Parameters
    ----------
    problem : Problem
        Any batch.
    most, few : int
        Kinds of helpers; few is at least 1, and at most `most`.
    """
    devices = problem.instance.devices
    data = problem.node_data[:, : problem.helpers].T.copy()
    if len(np.unique(data, axis=0)) <= most:
        return problem
    for members in _parts(np.log(data[:, :2]), few):
        data[members] = data[members].max(axis=0)
    better = [
        device.model_copy(update=dict(zip(NODE_FIELDS, row, strict=True)))
        for device, row in zip(devices, data.tolist(), strict=True)
    ]
    return Problem.of(problem.instance.model_copy(update={"devices": tuple(better)}))


def _parts(points: FloatArray, most: int) -> list[IntArray]:
    """Halve the points, shape (points, axes), again and again where they lie furthest apart."""
    parts: list[IntArray] = [np.arange(len(points))]
    while len(parts) < most:
        spreads = [np.ptp(points[members], axis=0) for members in parts]
        widest = max(range(len(parts)), key=lambda part: float(spreads[part].max()))
        axis = int(spreads[widest].argmax())
        if not spreads[widest][axis]:
            break
        members = parts[widest]
        values = points[members, axis]
        low = values <= (values.min() + values.max()) / 2
        if low.all():  # The middle was rounded up to the largest.
            low = values < values.max()
        parts[widest : widest + 1] = [members[low], members[~low]]
    return parts
