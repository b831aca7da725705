"""What a policy remembers: the one cache of this room, and its one rule of forgetting."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class RecentMemory(Generic[KeyT, ValueT]):
    """A cache that forgets what was met longest ago, so that memory stays flat.

    At most `most` in all is remembered; without `size_of` each value counts as one.
    """

    def __init__(self, most: int, size_of: Callable[[ValueT], int] | None = None) -> None:
        self.most, self._size_of = most, size_of or (lambda _: 1)
        self._kept: OrderedDict[KeyT, ValueT] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[ValueT]:
        return iter(self._kept.values())

    def find(self, key: KeyT) -> ValueT | None:
        """Return what was kept, which counts as met now; None if it is not remembered."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: KeyT, value: ValueT) -> None:
        """Remember a value, and forget others if there is too much."""
        # First, or the size of an old value would stay counted.
        self._drop(key)
        self._kept[key] = value
        self.size += self._size_of(value)
        while self.size > self.most:
            # What was met longest ago; a value too large by itself goes last, but goes too.
            self._drop(next(iter(self._kept)))

    def forget(self, concerns: Callable[[KeyT], bool]) -> None:
        """Forget all keys of which this is true."""
        for key in [key for key in self._kept if concerns(key)]:
            self._drop(key)

    def _drop(self, key: KeyT) -> None:
        if key in self._kept:
            self.size -= self._size_of(self._kept.pop(key))
