"""The requests that wait: by kind, so that a try costs the kinds that wait, not the requests."""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from optmodel.ground.json_files import StrictModel
from optmodel.placement import Rejection
from optmodel.problem import Request

RequestKind = tuple[str, float, str]
"""Network, tolerance and source of a request: all that its placement depends on."""


def kind_of(request: Request) -> RequestKind:
    """Return what a placement of the request depends on."""
    return request.network, request.tolerated_ssim, request.source


class WaitingRequest(StrictModel):
    """A rejected request that is tried again."""

    request: Request
    """What was asked for."""
    arrival: int
    """Its number in order of arrival."""
    rejection: Rejection
    """Why it has no place."""


class WaitingLine:
    """Waiting requests by id, and in order of arrival by kind.

    Adding one that waits, or removing one that does not, changes nothing: so each undoes the other
    wherever that was cut off.
    """

    def __init__(self, waiting: Iterable[WaitingRequest] = ()) -> None:
        self._by_id: dict[str, WaitingRequest] = {}
        self._order: dict[RequestKind, list[tuple[int, str]]] = {}
        for one in waiting:
            self.add(one)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[WaitingRequest]:
        """Yield all in order of arrival."""
        return iter(sorted(self._by_id.values(), key=lambda one: one.arrival))

    def get(self, request_id: str) -> WaitingRequest | None:
        """Return a request that waits, None if it does not."""
        return self._by_id.get(request_id)

    def add(self, one: WaitingRequest) -> None:
        """Let a request wait."""
        self._by_id[one.request.id] = one
        # In its place, not last: a request that lost its device came before others that wait.
        order = self._order.setdefault(kind_of(one.request), [])
        entry = one.arrival, one.request.id
        at = bisect_left(order, entry)
        if order[at : at + 1] != [entry]:
            order.insert(at, entry)

    def remove(self, request_id: str) -> None:
        """Let a request wait no longer."""
        one = self._by_id.pop(request_id, None)
        if one is None:
            return
        kind, entry = kind_of(one.request), (one.arrival, request_id)
        order = self._order.get(kind, [])
        at = bisect_left(order, entry)
        if order[at : at + 1] == [entry]:
            del order[at]
        if not order:
            self._order.pop(kind, None)

    def first_of_each_kind(self) -> Iterator[WaitingRequest]:
        """Yield in order of arrival; of a kind the next one only once the one before has gone."""
        ahead = [order[0] for order in self._order.values()]
        heapq.heapify(ahead)
        while ahead:
            tried = heapq.heappop(ahead)
            one = self._by_id[tried[1]]
            yield one
            # Whoever tried it may have taken it out of the line meanwhile: then the next is first.
            following = self._order.get(kind_of(one.request), [tried])[0]
            if following != tried:
                heapq.heappush(ahead, following)
