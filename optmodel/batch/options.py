"""The numbers that steer the engine for batches, its moves and who gets how much."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

MoveName = Literal["construct", "plans", "recreate", "windows", "insert"]
BoundName = Literal["alone", "prices"]

Share = Annotated[float, Field(gt=0, le=1)]
Number = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
SOME = Field(min_length=1)
NotNegative = Annotated[float, Field(ge=0)]

MOVES: tuple[MoveName, ...] = get_args(MoveName)
"""All placing moves, in the order of their turns; `placing_side.PLACING_MOVES` has each."""
BOUNDS: tuple[BoundName, ...] = get_args(BoundName)
"""All bounds, in the order in which they are raised."""


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConstructOptions(_Options):
    """Of constructions, which place one request after another at prices on the budgets."""

    scales: Annotated[tuple[NotNegative, ...], SOME] = (10.0, 3.0, 1.0, 0.3, 30.0, 0.0)
    """What all budgets of a kind cost together, as multiples of a rough latency of the batch: a
    batch is constructed at each, in this order."""
    dearer: Annotated[tuple[Positive, ...], SOME] = (1.0, 4.0, 16.0, 64.0)
    """A request without a place is tried again at these multiples of the prices."""
    start_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the time left after which no further construction is begun, once as many requests
    are served as can be."""
    most_pace: Positive = 3.0
    """No price is raised to more than the square of this multiple."""
    priced_scales: tuple[Positive, ...] = (1.0, 1.5, 0.6)
    """Multiples of the best prices at which the move `construct` places the batch."""
    price_floor: Positive = 0.01
    """What all budgets of a kind cost together at least in the move `construct`, as a share of the
    batch's bound."""
    most_rates: Number = 6
    """Rates of which each may be the slowest of a stage, thinned out where devices all differ."""
    most_latencies: Annotated[int, Field(ge=2)] = 12
    """Latencies of a layer that are tried."""
    most_widths: Number = 2**22
    """Numbers that are kept of what was tried before; then all are forgotten, so that memory stays
    flat."""


class PlanOptions(_Options):
    """Of `plans`, which places requests between given numbers of senders."""

    scales: tuple[Positive, ...] = (0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 2.0)
    """What the bandwidth of all helpers costs, in latencies of the request times the requests of
    the batch: each may give other plans."""
    stage_gap: Positive = 1e-3
    """Relative gap to which stages of placements are solved."""
    arc_steps: Positive = 2_000
    """Steps for one stage, after which the best placement by then counts; 2,000 take about half a
    second."""
    most_shares: Number = 3
    """A node takes at most this multiple of an equal share, so that most nodes count as equal."""


class RecreateOptions(_Options):
    """Of `recreate`, which takes a few requests out and places them anew."""

    most_out: Number = 4
    """Requests that are taken out at a time, at most; also those that `insert` moves."""
    least_scale: Positive = 0.03
    largest_scale: Positive = 30.0
    """From `least_scale` to `largest_scale` the multiple of all prices is drawn, evenly in its
    logarithm."""
    jitter: NotNegative = 0.5
    """Deviation of the logarithm of a single node's price from the others."""
    worse: NotNegative = 0.003
    """Relative loss that a step may bring on average, so that the search leaves dead ends."""
    usual_scale: Positive = 3.0
    """Scale of `scarcity` at which the costs of later stages are estimated."""
    stall: Number = 150
    """Steps without a better batch that end a turn."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least_scale > self.largest_scale:
            raise ValueError("least_scale is above largest_scale")
        return self


class WindowOptions(_Options):
    """Of `windows`, which solves a part of one request exactly with everything else in place."""

    device_sets: Number = 4
    """Sets of devices that are freed per request and turn."""
    most_devices: Annotated[int, Field(ge=2)] = 4
    """Devices that are drawn for such a set, at most."""
    width: Number = 2
    """Stages in a window; each pass that finds nothing frees one more."""
    work: Positive = 0.1
    """Deterministic time of CP-SAT for one window, about seconds; each pass that finds nothing adds
    as much."""
    most_pairs: Number = 2_000
    """Pairs of nodes between consecutive layers in a window: with 2,000 its model is built in a
    tenth of a second."""


class BoundOptions(_Options):
    """Of the bound from prices: graphs of one class, and the search for good prices."""

    arc_gap: Positive = 1e-4
    """Relative gap to which arcs are solved."""
    arc_steps: Positive = 1_200
    """Steps for one arc; without a solution it has a bound all the same."""
    most_ranges: Number = 250
    """Ranges of senders behind a stage beyond which a class has no graph of them."""
    most_signatures: Number = 60
    """Signatures that a stage tells apart in the graph of a class of more than `most_ranges`; all
    pairs of them are priced, again and again."""
    most_packs: Number = 2**13
    """Sets of broadcasts of a node up to which broadcasts get prices of their own; beyond, so many
    are small, and a price on bandwidth does as well."""
    rounds: Number = 12
    """Times that a path is looked at more closely for one bound or plan."""
    rough_rounds: Number = 3
    """As `rounds`, at prices on budgets for as long as arcs are not solved."""
    most_first: Number = 32
    """Values of the latency of a stage's first layer that are told apart."""
    last_ratio: Annotated[float, Field(gt=1)] = 1.015
    """Ratio of two neighbouring values of the latency of its last layer that are told apart."""
    early: Annotated[tuple[Number, ...], SOME] = (1, 2, 4, 8)
    """Multiples of the least time to move a map at which latencies of layers between are cut."""
    bands: Annotated[tuple[int, ...], SOME] = (0, 4, 16)
    """Where last latencies are told apart if segments have prices: that many beyond the first."""
    tolerance: Positive = 1e-5
    """Relative distance to the highest possible bound at which the search for prices on budgets
    ends."""
    broadcast_tolerance: Positive = 1e-4
    """As `tolerance`, for prices on broadcasts."""
    near: Positive = 1e-3
    """Relative distance to the highest bound that the planes allow at which a climb on budgets no
    longer keeps near the best prices, and begins to solve arcs."""
    promising: Share = 0.95
    """Once a climb solves arcs, it does so at new prices only if the bound without that comes up to
    this share of the best one."""
    stride: Share = 0.5
    """How far, from the best prices known to those that the planes propose, the next lie."""
    highest: Positive = 20.0
    """No price is more than this multiple of the bound that the climb starts from."""
    reach: Annotated[float, Field(gt=1)] = 4.0
    """While a climb keeps near, a price is at most this multiple of the best one known, and
    `margin` more; and at least its `reach`-th part, or nothing where it is at most `margin`."""
    margin: Positive = 0.05
    """As a share of the bound that the climb starts from."""
    most_plans: Number = 12
    """Plans of who sends that are handed on to the move `plans`."""

    @model_validator(mode="after")
    def _cut_upwards(self) -> Self:
        # A gap between intervals, or one that is missing, would leave placements out of the bound.
        if list(self.early) != sorted(set(self.early)) or self.early[0] != 1:
            raise ValueError("early does not rise from 1")
        if list(self.bands) != sorted(set(self.bands)) or self.bands[0] != 0:
            raise ValueError("bands does not rise from 0")
        return self


class BatchOptions(_Options):
    """What steers the engine for batches: its parts, and who gets how much."""

    moves: tuple[MoveName, ...] = MOVES
    """The placing moves, see `MOVES`."""
    bounds: tuple[BoundName, ...] = BOUNDS
    """The bounds, see `BOUNDS`."""
    bound_share: Share = 0.4
    """Of the time that has passed, for bounds; the rest is for moves. Without a time limit, which
    alone may make a result depend on clocks, `bound_steps` counts instead."""
    bound_steps: Number = 3
    """Steps of the bound between two turns of moves without a time limit."""
    alone_shares: tuple[Share, ...] = (0.05, 0.2)
    """Shares of the time left for solving each request as if alone: a small one, in which what no
    budget binds is placed and proven, and another, after a round of moves, if that was too
    little."""
    turn_share: Share = 0.3
    """Of the time left, for one turn of a move."""
    longest_rest: Number = 8
    """Rounds; a move rests twice as long after each pass that has won nothing."""
    patience: Number = 3
    """Passes in a row without a win after which a move has nothing left to find. A pass is as many
    turns as a move takes to have tried everything once."""
    least_gain: Positive = 1e-5
    """Relative; less is kept, but is no win."""
    insert_tries: Number = 30
    """Random sets of requests that are moved for one that has no room."""
    constructions: ConstructOptions = ConstructOptions()
    plans: PlanOptions = PlanOptions()
    recreate: RecreateOptions = RecreateOptions()
    windows: WindowOptions = WindowOptions()
    bound: BoundOptions = BoundOptions()

    @classmethod
    def before_a_proof(cls) -> Self:
        """Return options for a search that a MILP goes on with from what is found.

        It is not to wait long, and windows are what it does itself.
        """
        return cls(moves=tuple(name for name in MOVES if name != "windows"), patience=1)
