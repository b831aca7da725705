"""Placements of one request that `lookahead` weighs: where each of them comes from."""

from collections.abc import Iterator, Sequence

import numpy as np

from optmodel.batch import RequestSpreader
from optmodel.online.weighing import PlacementWeighing
from optmodel.placement import RequestPlacement
from optmodel.search import Allowance
from optmodel.stages import PathAssembler

MULTIPLES = (1.0, 4.0, 16.0)
"""Of the prices on nodes, at which placements are constructed."""


def on_the_path(weighing: PlacementWeighing) -> RequestPlacement | None:
    """Return the best path over the stages, on the nodes with most left.

    It is optimal for the request by itself (within `known_paths.TOLERANCE`) where the budgets allow
    it; None if no path is known.
    """
    requests, path = weighing.known.requests, weighing.known.path
    if path.value is None:
        return None
    deal = PathAssembler(requests.fleet)
    # Shares in the place of loads: among equal devices they rank alike. Last comes the source.
    deal.load[:, :-1] = weighing.used[:, : weighing.problem.helpers]
    return _on_all_nodes(weighing, deal.place(requests.task, path))


def constructed(
    weighing: PlacementWeighing, spreaders: Sequence[RequestSpreader], allowance: Allowance
) -> Iterator[RequestPlacement | None]:
    """Yield a placement by a plan of who sends, and one for each of `MULTIPLES`, while time lasts.

    There is a spreader for each multiple, with what it has learnt on this fleet.
    """
    if not allowance.over:
        yield _planned(weighing)
    for multiple, spreader in zip(MULTIPLES, spreaders, strict=True):
        if not allowance.over:
            yield _spread(weighing, spreader, multiple)


def _planned(weighing: PlacementWeighing) -> RequestPlacement | None:
    """Return the placement by a plan of who sends, if even an idle fleet needs one."""
    found = weighing.known.planned
    return None if found is None else _on_all_nodes(weighing, found)


def _spread(
    weighing: PlacementWeighing, spreader: RequestSpreader, multiple: float
) -> RequestPlacement | None:
    """Return a placement constructed within what is left at a multiple of the prices.

    Stage by stage, each balances the load of its layers and counts what its slowest sender costs
    all later stages.
    """
    # The spreader knows this request's source only, as its last node.
    where = [*range(weighing.problem.helpers), weighing.task.source]
    room, prices = weighing.left.left[:, where].astype(float), multiple * weighing.prices[:, where]
    # These do not depend on what is used: later stages are estimated once.
    idle = np.broadcast_to(multiple * weighing.idle_price, prices.shape)
    found = spreader.place(room, prices, idle)
    return None if found is None else _on_all_nodes(weighing, found)


def _on_all_nodes(weighing: PlacementWeighing, placed: RequestPlacement) -> RequestPlacement:
    nodes = len(weighing.problem.node_ids)
    return weighing.known.requests.for_member(weighing.task, placed, nodes)
