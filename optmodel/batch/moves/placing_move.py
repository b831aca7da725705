"""What the engine asks of a placing move: proposals, a turn at a time."""

from collections.abc import Iterator
from typing import Protocol

from optmodel.placement import Placement
from optmodel.search import Allowance


class PlacingMove(Protocol):
    """A way to better placements of a batch.

    It works on a `BatchWorkbench`, from the incumbent that it finds there at the time. Its turns
    are counted in steps, and cut by time only where the user set a limit.
    """

    @property
    def turns_per_pass(self) -> int:
        """Turns after which it has tried everything once."""
        ...

    @property
    def has_news(self) -> bool:
        """Whether what it works from, prices or plans, has changed since its last turn."""
        ...

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        """Yield placements of the whole problem that keep 8e-8i; the caller keeps the best.

        Parameters
        ----------
        idle_passes : int
            Passes in a row that have won nothing; the move may look wider.
        allowance : Allowance
            What the turn may take.
        """
        ...
