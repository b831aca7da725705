"""Serve as many requests as possible, then as fast as possible: two runs of one engine."""

from collections.abc import Callable

from optmodel.placement import Termination
from optmodel.search.search import Search

Phase = Callable[[], Termination]


def most_then_fastest(search: Search, serve_most: Phase, least_latency: Phase) -> Termination:
    """Run an engine as the search's admission asks.

    Parameters
    ----------
    search : Search
        Whose time limit holds for both phases together.
    serve_most : callable
        Offers placements of more and more requests, and lowers the search's `most_served`.
    least_latency : callable
        Minimises the latency of placements that serve `most_served` requests.
    """
    if search.served < search.most_served and search.options.admission == "most":
        termination = serve_most()
        if search.served < search.most_served or termination is Termination.INTERRUPTED:
            return termination
    return least_latency()
