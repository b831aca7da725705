"""Serve as many requests as possible, then as fast as possible: two runs of one engine."""

from collections.abc import Callable

from optmodel.placement import Termination
from optmodel.search.search import Search

Phase = Callable[[], Termination]


def most_then_fastest(
    search: Search,
    serve_most: Phase,
    least_latency: Phase,
    confirm: Callable[[int | None], bool],
) -> Termination:
    """Run an engine as the search's admission asks.

    What it says cannot be served is taken back unless another engine agrees (`agreement`).

    Parameters
    ----------
    search : Search
        Whose time limit holds for all of it together.
    serve_most : callable
        Offers placements of more and more requests, and lowers the search's `most_served`.
    least_latency : callable
        Minimises the latency of placements that serve `most_served` requests.
    confirm : callable
        Asks another engine whether so many requests, None for all, cannot be served; raises what
        follows if they can.
    """
    trusted = search.claims
    try:
        if search.served < search.most_served and search.options.admission == "most":
            ended = serve_most()
            fewer = search.most_served < trusted.most_served
            if fewer and ended is Termination.CONVERGED and confirm(search.most_served + 1):
                trusted = search.claims
            if search.served < search.most_served or ended is Termination.INTERRUPTED:
                return ended
        ended = least_latency()
        none = search.infeasible and not trusted.infeasible
        if none and ended is Termination.CONVERGED and confirm(None):
            trusted = search.claims
        agreed = search.claims.same_verdict(trusted)
        return Termination.TIME_LIMIT if ended is Termination.CONVERGED and not agreed else ended
    finally:
        if not search.claims.same_verdict(trusted):
            search.take_back(trusted)
