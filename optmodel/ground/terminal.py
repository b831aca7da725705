"""What people read: consoles that outlive their reader, and show names without obeying them."""

import os
import sys
from collections.abc import Iterable
from typing import IO, TextIO, cast

from rich.console import Console as RichConsole
from rich.console import ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment

from optmodel.ground.rule_errors import one_line

LEAST_COLUMNS = 40
"""Tables lose columns on anything narrower, and a terminal may say that it has none."""
WIDEST = 1000
"""Columns of a table that is measured."""


class Output:
    """Standard output or standard error, whichever these are when something is written.

    That nobody reads it any more, or that its disk is full, is noted and ends no work: results that
    go to files are still to be written.

    Attributes
    ----------
    failure : OSError or None
        Why nothing is written any more.
    """

    def __init__(self, to_errors: bool = False) -> None:
        self.to_errors = to_errors
        self.failure: OSError | None = None

    @property
    def _stream(self) -> TextIO | None:
        """The stream itself; None if the process was started without it."""
        stream = sys.stderr if self.to_errors else sys.stdout
        return cast("TextIO | None", getattr(stream, "rich_proxied_file", stream))

    @property
    def encoding(self) -> str:
        """Encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write text, unless writing has failed before."""
        self._attempt("write", text)
        return len(text)

    def flush(self) -> None:
        """Send what is written on its way."""
        self._attempt("flush")

    def isatty(self) -> bool:
        """Return whether a person is watching."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the number of the stream's file, -1 if there is none."""
        return -1 if self._stream is None else self._stream.fileno()

    def _attempt(self, method: str, *arguments: str) -> None:
        stream = self._stream
        if stream is None or self.failure is not None:
            return
        try:
            getattr(stream, method)(*arguments)
        except OSError as error:
            self.fail(error)

    def fail(self, failure: OSError) -> None:
        """Note a failure; what the stream still holds goes nowhere, or Python complains at exit."""
        self.failure = failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


class Console(RichConsole):
    """A console that escapes control characters in what it prints, and is never too narrow.

    Parameters
    ----------
    file : Output or text stream
        Where it prints.
    width : int, optional
        Columns; by default those of the terminal, and texts go on beyond them.
    markup : bool
        Whether brackets in what it prints may mean styles.
    """

    def __init__(
        self, file: Output | IO[str], width: int | None = None, *, markup: bool = True
    ) -> None:
        stream = cast(IO[str], file)  # As much of one as rich asks for.
        super().__init__(
            file=stream, width=width, highlight=False, soft_wrap=width is None, markup=markup
        )

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines; never too few columns to print anything."""
        size = super().size
        return ConsoleDimensions(max(size.width, LEAST_COLUMNS), size.height)

    @size.setter
    def size(self, dimensions: tuple[int, int]) -> None:
        self._width, self._height = dimensions

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments to print; what a terminal would obey in their texts is escaped."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else shown(text), style, control)


def print_wide(console: RichConsole, table: RenderableType) -> None:
    """Print a table in its natural width, whatever that of the console; names are no markup."""
    natural = Console(console.file, WIDEST, markup=False).measure(table).maximum
    Console(console.file, max(natural, console.width), markup=False).print(table)


def shown(text: str) -> str:
    """Return text with what a terminal would obey escaped, but for line breaks."""
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))
