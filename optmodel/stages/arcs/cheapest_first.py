"""Deal things to takers with room for some each, the cheapest first."""

from typing import Any

import numpy as np

from optmodel.problem import FloatArray, IntArray


def cheapest_first(
    number: FloatArray | IntArray | int, room: IntArray | FloatArray, price: IntArray | FloatArray
) -> FloatArray:
    """Return how many each takes: a linear program with one equation and bounds.

    Parameters
    ----------
    number : ndarray, shape (...,), or int
        How many there are to deal.
    room : ndarray, shape (..., takers)
        How many each takes at most.
    price : ndarray, shape (takers,) or that of `room`
        What decides who comes first; of equal prices, the first taker.

    Returns
    -------
    ndarray, shape (..., takers)
        Fewer than `number` in all where there is too little room.
    """
    order = np.argsort(price, axis=-1, kind="stable")
    # Every row of prices has its own order; one order for all rows holds along the last axis.
    place: Any = (..., *np.ogrid[tuple(map(slice, order.shape))][:-1], order)
    most = room[place]
    before = np.cumsum(most, axis=-1) - most
    taken = np.empty(most.shape)
    taken[place] = np.clip(np.asarray(number)[..., np.newaxis] - before, 0, most)
    return taken
