"""The numbers that steer the engine for batches, its moves and who gets how much."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MoveName = Literal["construct", "plans", "recreate", "recombine", "windows", "insert"]
BoundName = Literal["alone", "prices"]

Share = Annotated[float, Field(gt=0, le=1)]
Number = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]

MOVES: tuple[MoveName, ...] = (
    "construct",
    "plans",
    "recreate",
    "recombine",
    "windows",
    "insert",
)
"""All placing moves, in the order in which a round gives them their turns."""
BOUNDS: tuple[BoundName, ...] = ("alone", "prices")
"""All bounds, in the order in which they are raised."""


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecreateOptions(_Options):
    """Of `recreate`, which takes a few requests out and places them anew.

    Attributes
    ----------
    most_out : int
        Requests that are taken out at a time, at most.
    least_scale, largest_scale : float
        Bounds of the multiple of all prices, which is drawn evenly in its logarithm.
    jitter : float
        Deviation of the logarithm of a single node's price from the others.
    worse : float
        Relative loss that a step may bring on average, so that the search leaves dead ends.
    stall : int
        Steps without a better batch that end a turn.
    """

    most_out: Number = 4
    least_scale: Positive = 0.03
    largest_scale: Positive = 30.0
    jitter: Annotated[float, Field(ge=0)] = 0.5
    worse: Annotated[float, Field(ge=0)] = 0.003
    stall: Number = 150

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least_scale > self.largest_scale:
            raise ValueError("least_scale is above largest_scale")
        return self


class RecombineOptions(_Options):
    """Of `recombine`, which chooses among all placements that were met.

    Attributes
    ----------
    share : float
        Of the time left, for one integer programme.
    most_columns : int
        Columns that are kept: those of least reduced cost.
    most_nodes : int
        Of the branch and bound: what it has not found by then is rarely worth it.
    least_price_scale : float
        No node's price that the master teaches falls below that of `scarcity` at this scale.
    """

    share: Share = 0.1
    most_columns: Number = 3_000
    most_nodes: Number = 500
    least_price_scale: Positive = 0.03


class WindowOptions(_Options):
    """Of `windows`, which solves a part of one request exactly with everything else in place.

    Attributes
    ----------
    device_sets : int
        Sets of devices that are freed per request and turn.
    width : int
        Stages in a window; each pass that finds nothing frees one more.
    work : float
        Deterministic time of CP-SAT for one window, about seconds; each pass that finds nothing
        adds as much.
    """

    device_sets: Number = 4
    width: Number = 2
    work: Positive = 0.1


class BatchOptions(_Options):
    """What steers the engine for batches: its parts, and who gets how much.

    Attributes
    ----------
    moves : tuple of str
        The placing moves, see `MOVES`.
    bounds : tuple of str
        The bounds, see `BOUNDS`.
    bound_share : float
        Of the time that has passed, for bounds; the rest is for moves. Without a time limit, which
        alone may make a result depend on clocks, `bound_steps` counts instead.
    bound_steps : int
        Steps of the bound between two turns of moves without a time limit.
    alone_shares : tuple of float
        Shares of the time left for solving each request as if alone: a small one, in which what no
        budget binds is placed and proven, and another, after a round of moves, if that was too
        little.
    turn_share : float
        Of the time left, for one turn of a move.
    longest_rest : int
        Rounds; a move rests twice as long after each pass that has won nothing.
    patience : int
        Passes in a row without a win after which a move has nothing left to find. A pass is as many
        turns as a move takes to have tried everything once.
    least_gain : float
        Relative; less is kept, but is no win.
    stage_gap : float
        Relative gap to which stages of placements are solved.
    price_floor : float
        Share of the batch's latency that all budgets of a kind together cost at least.
    priced_scales : tuple of float
        Multiples of the best prices at which whole batches are constructed.
    insert_tries : int
        Random sets of requests that are moved for one that has no room.
    recreate : RecreateOptions
    recombine : RecombineOptions
    windows : WindowOptions
    """

    moves: tuple[MoveName, ...] = MOVES
    bounds: tuple[BoundName, ...] = BOUNDS
    bound_share: Share = 0.4
    bound_steps: Number = 3
    alone_shares: tuple[Share, ...] = (0.05, 0.2)
    turn_share: Share = 0.3
    longest_rest: Number = 8
    patience: Number = 3
    least_gain: Positive = 1e-5
    stage_gap: Positive = 1e-3
    price_floor: Positive = 0.01
    priced_scales: tuple[Positive, ...] = (1.0, 1.5, 0.6)
    insert_tries: Number = 30
    recreate: RecreateOptions = RecreateOptions()
    recombine: RecombineOptions = RecombineOptions()
    windows: WindowOptions = WindowOptions()

    @classmethod
    def before_a_proof(cls) -> Self:
        """Return options for a search that a MILP goes on with from what is found.

        It is not to wait long, and windows are what it does itself.
        """
        return cls(moves=tuple(name for name in MOVES if name != "windows"), patience=1)
