"""Turns: a move that does not win rests, news wake it; all of it is counted."""

from collections.abc import Iterator

import pytest
from assigned import written
from improving import at_random
from pydantic import ValidationError
from strategies import by_hand, twice

from instances.devices import BudgetScales
from instances.generate import Recipe, generate
from optmodel.batch import placing_side
from optmodel.batch.engine import BatchEngine
from optmodel.batch.moves.batch_construction import constructions
from optmodel.batch.options import MOVES, BatchOptions, RecreateOptions
from optmodel.batch.placing_side import PLACING_MOVES, PlacingSide
from optmodel.batch.workbench import BatchWorkbench
from optmodel.checker import check
from optmodel.placement.evaluate import evaluate
from optmodel.placement.named_placement import to_document
from optmodel.placement.placement import Placement
from optmodel.placement.solution import Termination
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search

TIGHT = BudgetScales(memory=0.008, compute=0.0018, bandwidth=0.01)


class Recorded:
    """A move that proposes what it is told, and notes the idle passes of each turn."""

    def __init__(self, proposals: list[list[Placement]], turns_per_pass: int = 1) -> None:
        self.proposals, self.turns_per_pass = proposals, turns_per_pass
        self.has_news = False
        self.asked: list[int] = []

    def propose(self, idle_passes: int, allowance: Allowance) -> Iterator[Placement]:
        self.asked.append(idle_passes)
        yield from self.proposals.pop(0) if self.proposals else []


def side(monkeypatch: pytest.MonkeyPatch, move: Recorded, search: Search) -> PlacingSide:
    monkeypatch.setattr(placing_side, "PLACING_MOVES", {"recreate": lambda _: move})
    return PlacingSide(BatchWorkbench(search, BatchOptions(), seed=0), lambda: True)


def a_round(placing: PlacingSide, number: int) -> None:
    for _ in placing.turns(number):
        pass


def placed_twice() -> tuple[Search, Placement, Placement]:
    """Return a search, and two placements of its batch, the slower one first."""
    search = Search(twice(by_hand()), SolverOptions())
    slow, fast = at_random(search.problem), next(constructions(search.problem, "most"))
    assert evaluate(search.problem, fast).latency_s < evaluate(search.problem, slow).latency_s
    return search, slow, fast


def test_a_move_without_a_win_rests_twice_as_long_each_time(monkeypatch):
    search, slow, _ = placed_twice()
    search.offer(slow)
    move = Recorded([])
    placing = side(monkeypatch, move, search)
    asked_in = []
    for number in range(12):
        before = len(move.asked)
        a_round(placing, number)
        if len(move.asked) > before:
            asked_in.append(number)
    assert asked_in == [0, 2, 5, 10]
    assert move.asked == [0, 1, 2, 3]
    assert placing.exhausted


def test_news_wake_a_move_that_rests_or_had_nothing_left(monkeypatch):
    search, slow, _ = placed_twice()
    search.offer(slow)
    move = Recorded([])
    placing = side(monkeypatch, move, search)
    a_round(placing, 0)
    a_round(placing, 1)
    assert len(move.asked) == 1
    move.has_news = True
    assert not placing.exhausted
    a_round(placing, 1)
    assert len(move.asked) == 2


def test_a_move_that_wins_does_not_rest(monkeypatch):
    search, slow, fast = placed_twice()
    move = Recorded([[slow], [fast], []])
    placing = side(monkeypatch, move, search)
    for number in range(3):
        a_round(placing, number)
    assert move.asked == [0, 0, 0]
    assert search.incumbent is fast
    a_round(placing, 3)
    assert len(move.asked) == 3


def test_a_pass_of_several_turns_is_no_reason_to_rest_before_its_end(monkeypatch):
    search, slow, _ = placed_twice()
    search.offer(slow)
    move = Recorded([], turns_per_pass=3)
    placing = side(monkeypatch, move, search)
    for number in range(4):
        a_round(placing, number)
    assert move.asked == [0, 0, 0]  # The fourth round falls into the rest.


@pytest.mark.parametrize("left_out", MOVES)
def test_the_engine_ends_with_any_move_left_out(left_out):
    made = generate(Recipe(("lenet=2",), "mixed", 6, 0.8, scales=TIGHT), "some")
    search = Search(made, SolverOptions())
    options = BatchOptions(
        moves=tuple(name for name in MOVES if name != left_out), recreate=RecreateOptions(stall=20)
    )
    ended = BatchEngine(search, options, rounds=4).run()
    assert ended in (Termination.CONVERGED, Termination.HEURISTIC_END)
    assert search.incumbent is not None
    assert check(made, to_document(search.problem, search.incumbent)).passed


def test_the_same_seed_gives_the_same_incumbents_and_bounds_without_a_time_limit():
    made = generate(Recipe(("lenet=3", "cifar_block3=2"), "mixed", 8, 0.8, scales=TIGHT), "same")
    steps = []
    for _ in range(2):
        search = Search(made, SolverOptions(seed=5))
        BatchEngine(search, rounds=3).run()
        steps.append([(point.incumbent_s, point.bound_s) for point in search.trace])
    assert steps[0] == steps[1]
    assert len(steps[0]) >= 3


def test_with_admission_most_requests_left_out_are_inserted():
    scarce = BudgetScales(memory=0.008, compute=0.00001, bandwidth=0.01)
    made = generate(Recipe(("lenet=12",), "mixed", 8, 0.8, scales=scarce), "most")
    search = Search(made, SolverOptions(admission="most"))
    whole = next(constructions(search.problem, "most"))
    one = next(iter(whole.requests))
    search.offer(Placement({one: whole.requests[one]}))
    bench = BatchWorkbench(search, BatchOptions(), seed=0)
    insert = PLACING_MOVES["insert"](bench)
    for _ in range(len(search.problem.tasks)):
        for placement in insert.propose(0, Allowance()):
            assert search.offer(placement)
    assert search.served >= len(whole.requests)
    assert check(made, written(search.problem, search.incumbent)).violations == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"bound_share": 0},
        {"moves": ("swap",)},
        {"patience": 0},
        {"recreate": {"jitter": -1}},
        {"constructions": {"scales": ()}},
        {"bound": {"early": (2, 4)}},
        {"bound": {"bands": (0, 4, 4)}},
    ],
)
def test_options_are_validated(wrong):
    with pytest.raises(ValidationError):
        BatchOptions(**wrong)


def test_scales_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="above"):
        RecreateOptions(least_scale=3.0, largest_scale=2.0)
