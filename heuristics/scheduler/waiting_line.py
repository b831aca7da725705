"""The requests that wait: by kind, so that a try costs the kinds that wait, not the requests."""

import heapq
from collections.abc import Iterable, Iterator

from optmodel.ground.json_files import StrictModel
from optmodel.placement import Rejection
from optmodel.problem import Request

RequestKind = tuple[str, float, str]
"""Network, tolerance and source of a request: all that its placement depends on."""


MOST_STALE = 1000
"""Entries left behind, beyond as many as requests wait, after which the order is made anew."""


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

    What goes leaves its entry in the order behind, which is passed over when it is met.
    """

    def __init__(self, waiting: Iterable[WaitingRequest] = ()) -> None:
        self._begin(waiting)

    def _begin(self, waiting: Iterable[WaitingRequest]) -> None:
        self._by_id: dict[str, WaitingRequest] = {}
        self._order: dict[RequestKind, list[tuple[int, str]]] = {}
        self._gone = 0
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
        order = self._order.setdefault(kind_of(one.request), [])
        heapq.heappush(order, (one.arrival, one.request.id))

    def remove(self, request_id: str) -> None:
        """Let a request wait no longer."""
        del self._by_id[request_id]
        self._gone += 1
        if self._gone > len(self._by_id) + MOST_STALE:
            self._begin([*self._by_id.values()])

    def first_of_each_kind(self) -> Iterator[WaitingRequest]:
        """Yield in order of arrival; of a kind the next one only once the one before has gone."""
        heads = [self._head(kind) for kind in [*self._order]]
        ahead = [(one.arrival, one.request.id) for one in heads if one is not None]
        heapq.heapify(ahead)
        while ahead:
            one = self._by_id[heapq.heappop(ahead)[1]]
            yield one
            following = self._head(kind_of(one.request))
            if following is not None and following is not one:
                heapq.heappush(ahead, (following.arrival, following.request.id))

    def _head(self, kind: RequestKind) -> WaitingRequest | None:
        """Return the first of a kind that still waits."""
        order = self._order.get(kind, [])
        while order:
            one = self._by_id.get(order[0][1])
            # An id that went may have come again, with another number.
            if one is not None and one.arrival == order[0][0]:
                return one
            heapq.heappop(order)
        self._order.pop(kind, None)
        return None
