"""The placing side of the engine: rounds of moves, in which those rest that do not win."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from optmodel.batch.moves.fix_and_optimise import FixAndOptimise
from optmodel.batch.moves.insertion import InsertedRequests
from optmodel.batch.moves.placing_move import PlacingMove
from optmodel.batch.moves.planned_construction import PlannedConstruction
from optmodel.batch.moves.priced_construction import PricedConstruction
from optmodel.batch.moves.ruin_and_recreate import RuinAndRecreate
from optmodel.batch.options import MoveName
from optmodel.batch.workbench import BatchWorkbench

PLACING_MOVES: dict[MoveName, Callable[[BatchWorkbench], PlacingMove]] = {
    "construct": PricedConstruction,
    "plans": PlannedConstruction,
    "recreate": RuinAndRecreate,
    "windows": FixAndOptimise,
    "insert": InsertedRequests,
}
"""Every move by the name that `BatchOptions` takes."""


@dataclass
class MoveRecord:
    """How a move has done lately."""

    move: PlacingMove
    """Whose record it is."""
    idle_turns: int = 0
    """Turns in a row that have won nothing."""
    due: int = 0
    """The round in which it gets its next turn."""

    @property
    def idle_passes(self) -> int:
        """Passes in a row that have won nothing."""
        return self.idle_turns // self.move.turns_per_pass

    def has_lost(self, number: int, longest_rest: int) -> None:
        """Count a turn that won nothing; after each whole pass of them it rests twice as long."""
        self.idle_turns += 1
        if self.idle_turns % self.move.turns_per_pass:
            self.due = number + 1
            return
        # Capped before the power is taken, which would grow without end.
        doublings = min(self.idle_passes - 1, longest_rest.bit_length())
        self.due = number + 1 + min(2**doublings, longest_rest)


class PlacingSide:
    """Gives moves their turns.

    Parameters
    ----------
    bench : BatchWorkbench
    may_go_on : callable
        Tells whether anything more may be begun.
    """

    def __init__(self, bench: BatchWorkbench, may_go_on: Callable[[], bool]) -> None:
        self.bench, self.search, self.options = bench, bench.search, bench.options
        self.may_go_on = may_go_on
        self.records = [
            MoveRecord(move(bench))
            for name, move in PLACING_MOVES.items()
            if name in bench.options.moves
        ]

    @property
    def exhausted(self) -> bool:
        """Whether no move has anything left to find."""
        return all(
            record.idle_passes >= self.options.patience and not record.move.has_news
            for record in self.records
        )

    def turns(self, number: int) -> Iterator[None]:
        """Give every move that does not rest a turn; yield after each."""
        for record in self.records:
            if record.due > number and not record.move.has_news:
                continue
            if not self.may_go_on():
                return
            if self._turn(record):
                record.idle_turns, record.due = 0, number + 1
            else:
                record.has_lost(number, self.options.longest_rest)
            yield

    def _turn(self, record: MoveRecord) -> bool:
        """Let a move propose, and tell whether it has won."""
        served, latency_s = self.search.served, self.search.objective_s
        allowance = self.search.allowance(self.options.turn_share)
        for placement in record.move.propose(record.idle_passes, allowance):
            self.search.offer(placement)
            if not self.may_go_on():
                break
        # More requests may take longer, and win all the same.
        if self.search.served > served or latency_s is None:
            return self.search.served > served
        assert self.search.objective_s is not None
        # Tiny gains are kept but are no win: with them moves would hardly ever rest.
        return self.search.objective_s < latency_s * (1 - self.options.least_gain)
