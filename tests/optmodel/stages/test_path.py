"""The path keeps to its tolerance, its cutoffs and its deadline."""

import pytest

from instances.generate import Recipe, generate
from optmodel.problem.arrays import Problem
from optmodel.problem.fleet import Fleet
from optmodel.search.allowance import Allowance
from optmodel.stages.arcs.arc_numbers import ArcSolution
from optmodel.stages.arcs.counting_bounds import UNREACHABLE
from optmodel.stages.stage_graph import ArcBook, StageGraph, StagePath


def graph(book: ArcBook, devices: int = 4, tolerance: float = 0.8) -> StageGraph:
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", devices, tolerance), "path"))
    return StageGraph(Fleet(problem), problem.tasks[0], book)


def gap(path: StagePath) -> float:
    assert path.value is not None
    return (path.value - path.bound) / path.value


@pytest.fixture(scope="module")
def shortest() -> StagePath:
    return graph(ArcBook(0.0)).shortest(Allowance())


def test_without_tolerance_the_path_is_proven(shortest: StagePath) -> None:
    assert shortest.value == shortest.bound
    assert sum(step.solution.value or 0 for step in shortest.steps) == shortest.value


@pytest.mark.parametrize("devices", [4, 8])
@pytest.mark.parametrize("tolerance", [0.003, 0.01, 0.03])
def test_a_path_is_within_the_asked_tolerance_and_no_search_goes_further(
    devices: int, tolerance: float
) -> None:
    best = graph(ArcBook(0.0), devices).shortest(Allowance())
    assert best.value is not None
    path = graph(ArcBook(tolerance), devices).shortest(Allowance())
    assert gap(path) <= tolerance
    assert path.bound <= best.value <= (path.value or 0)


@pytest.mark.parametrize(
    ("bound", "value", "solved"),
    [
        (99, 100, True),
        (98, 100, False),
        (95, 100, False),
        (100, 100, True),
        (10, None, False),
        (UNREACHABLE, None, True),
        (UNREACHABLE - 1, None, False),
    ],
)
def test_an_arc_is_solved_within_the_tolerance_or_if_there_is_none(
    bound: int, value: int | None, solved: bool
) -> None:
    assert ArcBook(0.01).solved(ArcSolution(bound, None, value)) is solved


def test_at_the_deadline_there_is_a_bound_and_going_on_ends_at_the_optimum(
    shortest: StagePath,
) -> None:
    begun = graph(ArcBook(0.0))
    first = begun.shortest(Allowance(deadline=0.0))
    assert first.value is None
    assert 0 < first.bound <= shortest.bound
    assert begun.shortest(Allowance()).value == shortest.value


def test_a_book_shares_arcs_and_keeps_the_better_bound(shortest: StagePath) -> None:
    book = ArcBook(0.0)
    path = graph(book).shortest(Allowance())
    again = graph(book)
    assert again.shortest(Allowance()).value == path.value == shortest.value
    arc = max((step.choice.arc for step in path.steps), key=lambda arc: book.look(arc).bound)
    known = book.look(arc)
    assert book.solve(arc, 0, Allowance()) is known
    assert known.value is not None
    fresh = ArcBook(0.0)
    quick = fresh.look(arc).bound
    refused = fresh.solve(arc, known.value - 1, Allowance())
    assert refused.value is None
    assert quick <= refused.bound <= known.value
    assert fresh.solve(arc, UNREACHABLE, Allowance(deadline=0.0)).bound >= refused.bound
    found = fresh.solve(arc, UNREACHABLE, Allowance())
    assert (found.value, found.bound) == (known.value, known.value)


def test_an_arc_may_take_as_long_as_the_cutoff_and_no_longer(shortest: StagePath) -> None:
    tight = [
        (step.choice.arc, step.solution.value)
        for step in shortest.steps
        if step.solution.value == ArcBook(0.0).look(step.choice.arc).bound
    ]
    assert tight
    for arc, value in tight:
        assert value is not None
        assert ArcBook(0.0).solve(arc, value, Allowance()).value == value
        assert ArcBook(0.0).solve(arc, value - 1, Allowance()).value is None


def test_a_request_that_no_device_may_serve_is_unreachable() -> None:
    path = graph(ArcBook(0.0), devices=1, tolerance=0.2).shortest(Allowance())
    assert (path.bound, path.steps, path.value) == (UNREACHABLE, (), None)
