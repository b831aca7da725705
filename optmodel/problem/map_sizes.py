"""Sizes of feature maps: what a window makes of them, with a stride and a padding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, WrapValidator

from optmodel.ground.rule_errors import RuleError, shorten

SMALL_PADDING = 4
"""Pixels at both ends together that are possible whatever the kernel, as frameworks take them."""
Count = Annotated[int, Field(ge=1, le=65_536)]
Pixels = Annotated[int, Field(ge=0, le=65_536)]
PairT = TypeVar("PairT")


def _one_or_a_pair(expected: str) -> WrapValidator:
    """Return a validator that tells a bad value once, not once for each form of the field."""

    def read(written: Any, handler: Callable[[object], PairT]) -> PairT:
        several = isinstance(written, list)
        numbers = [_whole_if_so(one) for one in (written if several else [written])]
        try:
            return handler(tuple(numbers) if several else numbers[0])
        except ValidationError as error:
            raise RuleError("", expected, shorten(written), "correct the field") from error

    return WrapValidator(read)


def _whole_if_so(number: Any) -> Any:
    """Return 5 for 5.0, which JSON Schema takes for an integer."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Pair = Annotated[
    Count | tuple[Count, Count],
    _one_or_a_pair("a whole number from 1 to 65536, or [height, width] of such"),
]
"""Pixels down and across, or one number for both."""
Padding = Annotated[
    Literal["same", "valid"] | Pixels | tuple[Pixels, Pixels],
    _one_or_a_pair("'same', 'valid', a whole number from 0 to 65536, or [height, width] of such"),
]
"""Rows and columns of zeros: by name, or how many on each side."""


@dataclass(frozen=True)
class SlidingWindow:
    """A kernel or a pooling window along one axis of a map."""

    side: int | None
    stride: int | None
    """Its extent and its steps, in pixels; None if not stated."""
    padding: str | int | None
    """Pixels added at each end; "same" adds what makes ⌈size / stride⌉ of a size, "valid" none.
    None, if not stated, is anything up to "same" or to `SMALL_PADDING`."""

    def sizes(self, received: int, stride: int) -> tuple[int, int]:
        """Return the least and the largest size that such steps make of the size received."""
        same = -(-received // stride)
        if self.padding == "same":
            return same, same
        side = received if self.side is None else self.side
        if isinstance(self.padding, int):
            padded = (received + 2 * self.padding - side) // stride + 1
            return padded, padded
        valid = (received - side) // stride + 1
        if self.padding == "valid":
            return valid, valid
        if self.side is None:
            return valid, -(-(received + 1) // stride)  # A pool of 2 with a padding of 1.
        padded = (received + SMALL_PADDING - side) // stride + 1
        # A window larger than the map sees all of it from wherever it stands.
        least = valid if side <= received else 1 if padded > 0 else same
        return least, max(same, padded)

    def makes(self, received: int, put_out: int) -> bool:
        """Tell whether it can make one size of another."""
        strides = [self.stride] if self.stride else self._fitting(received, put_out)
        sizes = (self.sizes(received, stride) for stride in strides)
        return any(least <= put_out <= largest for least, largest in sizes)

    def _fitting(self, received: int, put_out: int) -> list[int]:
        """Return the longest stride that can make as much as the size put out, if any does.

        A longer stride makes smaller maps, whatever the padding, so no other needs to be tried.
        """
        _, largest = self.sizes(received, 1)
        if put_out > largest:
            return []
        # Stride s makes at most ⌊(largest - 1) / s⌋ + 1.
        return [largest if put_out == 1 else (largest - 1) // (put_out - 1)]

    def told(self, received: int) -> str:
        """Return which sizes it makes of one, for a message."""
        if self.side is None:
            return f"at most {received + 1} (a pool enlarges its maps by one pixel at most)"
        kernel, padding = f"kernel {self.side}", repr(self.padding)
        if self.padding is None:
            padding = f"up to 'same' or {SMALL_PADDING} pixels"
            if self.side > received + SMALL_PADDING:
                padding = "'same'"
        least, largest = self.sizes(received, self.stride or 1)
        if largest < 1:
            return f"{kernel} to fit into {received} with padding {padding}"
        if self.stride is None:
            return f"a size that {kernel} makes of {received} with some stride, padding {padding}"
        sizes = str(least) if least == largest else f"{least} to {largest}"
        return f"{sizes} ({kernel}, stride {self.stride}, padding {padding} on {received})"


def windows(kernel: Any, stride: Any, padding: Any) -> tuple[SlidingWindow, SlidingWindow]:
    """Return the windows down and across of what a layer states for both, or for each."""
    stated = (kernel, stride, padding)
    down, across = (
        SlidingWindow(*(value[k] if isinstance(value, tuple) else value for value in stated))
        for k in range(2)
    )
    return down, across


def told(size: tuple[int, int]) -> str:
    """Return a size as messages write it."""
    return f"{size[0]} x {size[1]}"
