"""Every exact method starts from what the default heuristic places."""

import time

import pytest
from places import CASES

from heuristics.policies import place
from instances.generate import Recipe, generate
from optmodel.online import default_start
from optmodel.online.lookahead import LookaheadPolicy
from optmodel.placement.solution import Termination
from optmodel.problem.instance import read_instance
from optmodel.search.allowance import Allowance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search
from optmodel.solving import METHODS, TOO_LARGE, solve
from optmodel.stages.stage_graph import StageGraph, StagePath

MANY = generate(Recipe(("lenet",), "varied", 60, 0.6), "many")


@pytest.mark.parametrize("method", METHODS)
def test_no_method_ends_above_the_default_heuristic(method: str):
    """With hardly any time: what the method itself does cannot be what makes it good."""
    made = generate(Recipe(("lenet",), "varied", 30, 0.6), "thirty")
    placed = place(made, "lookahead", with_bound=False)
    found = solve(made, method, SolverOptions(time_limit_s=4))
    assert found.objective_s <= placed.objective_s


def test_the_start_is_the_placement_of_the_default_heuristic():
    made = generate(Recipe(("lenet",), "mixed", 6, 0.6, requests=3), "three")
    search = Search(made, SolverOptions())
    default_start.offer_start(search)
    assert search.objective_s == place(made, "lookahead", with_bound=False).objective_s


def test_a_limit_that_is_over_ends_the_start_before_the_first_request(monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(LookaheadPolicy, "place", lambda *_: asked.append(1))
    default_start.offer_start(Search(MANY, SolverOptions(time_limit_s=0.0)))
    assert not asked


def test_requests_for_which_the_look_ahead_has_no_time_are_placed_all_the_same(monkeypatch):
    monkeypatch.setattr(default_start, "START_SHARE", 1e-9)
    made = generate(Recipe(("lenet",), "varied", 30, 0.6, requests=5), "five")
    search = Search(made, SolverOptions(time_limit_s=60))
    default_start.offer_start(search)
    assert search.served == 5
    assert search.objective_s == place(made, "algorithm1", with_bound=False).objective_s


def test_a_path_leaves_time_to_construct_placements(monkeypatch):
    """On fleets of many kinds the path gives a bound only, and constructions the placement."""
    left_s: list[float] = []
    shortest = StageGraph.shortest

    def noted(graph: StageGraph, allowance: Allowance) -> StagePath:
        left_s.append(allowance.deadline - time.perf_counter())
        return shortest(graph, allowance)

    monkeypatch.setattr(StageGraph, "shortest", noted)
    default_start.offer_start(Search(MANY, SolverOptions(time_limit_s=100.0)))
    assert 0 < left_s[0] < default_start.START_SHARE * 100 * 0.5


def test_ctrl_c_in_the_start_ends_the_run(monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LookaheadPolicy, "place", interrupted)
    found = solve(MANY, "auto")
    assert found.termination is Termination.INTERRUPTED
    assert found.placement is None


@pytest.mark.parametrize("method", ["count", "segment", "cpsat"])
def test_a_model_that_cannot_be_built_in_time_is_not_begun(method: str, monkeypatch):
    def built(_: Search) -> Termination:
        raise AssertionError("the model was built")

    monkeypatch.setitem(METHODS, method, built)
    many = generate(Recipe(("lenet",), "varied", 400, 0.6), "very many")
    found = solve(many, method, SolverOptions(time_limit_s=20))
    assert found.termination is Termination.TIME_LIMIT
    assert TOO_LARGE.format(method=method) in found.notes
    assert found.placement is not None


def test_the_porch_is_placed_and_bounded_in_counted_steps(monkeypatch):
    """Three fast devices of each of three rates: one path takes tens of thousands of steps."""
    monkeypatch.setattr("optmodel.online.known_paths.STEPS_PER_S", 200)
    found = place(read_instance(CASES / "porch.json"), "algorithm1")
    assert found.objective_s == pytest.approx(2.372082794667, rel=1e-9)
    assert 0 < found.bound_s <= found.objective_s
