"""What every policy promises: limits kept, everyone answered, equal input equal output, a bound."""

import pytest
import reference
from hypothesis import given, settings
from recipes import recipes
from strategies import by_hand, examples, instances, unlimited, with_fleet

from heuristics.policies import POLICIES, live_bound, make_policy, place
from heuristics.policy import place_all
from instances.generate import Recipe, generate
from optmodel.ground.rule_errors import ResultError
from optmodel.online.known_paths import KnownPaths
from optmodel.placement.solution import SolutionStatus, relative_gap
from optmodel.problem.arrays import Problem
from optmodel.problem.budget_ledger import BudgetLedger

ROUNDING = 1e-9
"""What a float says of a fraction, relatively, and then some."""
QUICK = [name for name in POLICIES if name != "exact"]


def keeps_its_promises(recipe: Recipe, policy: str) -> None:
    """Place a batch; the checker raises if a limit is broken, and the bound if it is beaten."""
    instance = generate(recipe, "drawn")
    solution = place(instance, policy, seed=1)
    assert solution.placement is not None
    answered = [placed.request for placed in solution.placement.requests]
    answered += [rejection.request for rejection in solution.placement.rejected]
    assert sorted(answered) == sorted(request.id for request in instance.requests)
    assert (solution.bound_s is None) == (solution.objective_s is None)
    assert solution.gap == relative_gap(solution.objective_s, solution.bound_s)
    again = place(instance, policy, seed=1)
    assert again.placement == solution.placement


@pytest.mark.parametrize("policy", QUICK)
def test_limits_are_kept_everyone_is_answered_and_equal_seeds_agree(policy):
    seen = set()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(recipes)
    def promises(recipe: Recipe) -> None:
        keeps_its_promises(recipe, policy)
        seen.add(place(generate(recipe, "drawn"), policy, with_bound=False).solution_status)

    promises()
    assert SolutionStatus.NONE in seen
    if policy != "source":
        assert SolutionStatus.FEASIBLE in seen


@settings(max_examples=8, deadline=None, derandomize=True)
@given(recipes)
def test_the_exact_policy_keeps_them_too(recipe):
    keeps_its_promises(recipe, "exact")


def test_the_bound_never_exceeds_the_least_latency():
    """Of one request on budgets that bind: no placement whatsoever is below the live bound."""
    bounded = 0

    @examples(60)
    @given(instances(requests=1))
    def hold(made) -> None:
        nonlocal bounded
        best, found = reference.best(made), place(made, "lookahead")
        if found.bound_s is None:
            return
        bounded += 1
        assert best is not None
        assert found.bound_s <= float(best.latency_s) * (1 + ROUNDING)

    hold()
    assert bounded >= 15


def test_the_bound_of_a_batch_never_exceeds_its_least_latency():
    bounded = 0

    @examples(40)
    @given(instances(requests=2))
    def hold(made) -> None:
        nonlocal bounded
        found = place(made, "algorithm1")
        if found.solution_status is SolutionStatus.FEASIBLE:
            bounded += 1
            assert found.bound_s <= float(reference.best(made).latency_s) * (1 + ROUNDING)

    hold()
    assert bounded >= 8


def test_the_bound_of_a_partial_service_is_that_of_the_served_requests():
    recipe = Recipe(("lenet=2",), "mixed", 4, 0.8)
    problem = Problem.of(generate(recipe, "partial"))
    both = place_all(problem, make_policy("algorithm1"))
    paths = KnownPaths()
    kept = {"r1": both.placement.requests["r1"]}
    one = type(both)(type(both.placement)(kept), ())
    assert live_bound(problem, one, paths) == pytest.approx(live_bound(problem, both, paths) / 2)
    nobody = type(both)(type(both.placement)({}), ())
    assert live_bound(problem, nobody, paths) is None


def test_a_bound_above_the_latency_is_an_error(monkeypatch):
    instance = generate(Recipe(("lenet",), "mixed", 4, 0.8), "bounded")
    monkeypatch.setattr("heuristics.policies.live_bound", lambda *_: 1.0)
    with pytest.raises(ResultError, match=r"the stages claim the bound 1.0 s, but lookahead takes"):
        place(instance, "lookahead")


def test_without_a_bound_there_is_no_gap():
    solution = place(
        generate(Recipe(("lenet",), "mixed", 4, 0.8), "free"), "lookahead", with_bound=False
    )
    assert (solution.bound_s, solution.gap) == (None, None)
    assert solution.objective_s is not None


@settings(max_examples=80, deadline=None, derandomize=True)
@given(recipes)
def test_layerwise_uses_the_fewest_devices_that_the_caps_allow(recipe):
    plenty = Recipe(recipe.networks, recipe.fleet, recipe.devices, recipe.tolerated_ssim)
    problem = Problem.of(generate(plenty, "drawn"))
    outcome = place_all(problem, make_policy("layerwise"))
    for task in problem.tasks:
        placed = outcome.placement.requests.get(task.request.id)
        if placed is None:
            continue
        for layer, counts in zip(task.layers, placed.counts, strict=True):
            fewest = 1 if layer.whole else -(-layer.segments // layer.cap)
            assert (counts > 0).sum() == fewest


def test_layerwise_takes_the_fastest_of_those_with_most_room():
    """Sending costs next to nothing here, so that c, twice as fast as a, takes what its cap allows:

    of conv2 the two maps that a holds, at .002 s each; the third one, of b, goes to a: .004 s.
    """
    made = with_fleet(unlimited(by_hand()), "rate_bits_per_s", (1e6, 1e6, 1e6))
    placed = place_all(Problem.of(made), make_policy("layerwise")).placement.requests["r1"]
    assert placed.counts[2].tolist() == [1, 0, 2, 0]
    assert placed.counts[4].tolist() == [0, 0, 2, 0]


def test_source_may_compute_no_layer_between_first_and_last():
    solution = place(generate(Recipe(("lenet",), "mixed", 4, 0.8), "all-at-home"), "source")
    (rejection,) = solution.placement.rejected
    assert rejection.layer == "relu1"
    assert rejection.condition == "8h: the layer may not be on the source"


def test_source_serves_what_must_stay_there():
    """First and last layer are the source's; so a network of these two alone stays whole."""
    lenet = generate(Recipe(("lenet",), "mixed", 4, 0.8), "short")
    network = lenet.networks[0]
    first = network.layers[0]
    last = first.model_copy(update={"name": "conv9", "input_maps": first.output_maps})
    short = lenet.model_copy(
        update={"networks": (network.model_copy(update={"layers": (first, last)}),)}
    )
    solution = place(short, "source")
    assert solution.solution_status is SolutionStatus.FEASIBLE
    assert {node for layer in solution.placement.requests[0].layers for node in layer.segments} == {
        "camera-1"
    }


def test_random_placements_depend_on_the_seed_alone():
    instance = generate(Recipe(("lenet",), "mixed", 6, 0.6), "drawn")
    drawn = [place(instance, "random", seed, with_bound=False).placement for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] or drawn[0] != drawn[3]


def test_exact_is_best_for_each_request_on_what_is_left():
    served = 0

    @examples(12)
    @given(instances(requests=1))
    def agree(made) -> None:
        nonlocal served
        best, found = reference.best(made), place(made, "exact")
        assert (best is None) == (found.objective_s is None)
        if best is not None:
            served += 1
            assert found.objective_s == pytest.approx(float(best.latency_s), rel=2e-6)

    agree()
    assert served >= 4


def test_the_ledger_gives_back_what_was_reserved_and_names_what_is_short():
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", 3, 0.8), "booked"))
    ledger = BudgetLedger.of(problem)
    load = ledger.left.copy()
    assert ledger.has_room(load)
    ledger.reserve(load)
    assert not ledger.left.any()
    assert not ledger.has_room(load)
    told = ledger.describe_shortage(problem, load)
    node = problem.instance.nodes[0]
    assert told == (
        f"'{node.id}' has 0 bytes of memory (8b), the placement takes {int(node.memory_bytes):,}"
    )
    ledger.release(load)
    assert (ledger.left == BudgetLedger.of(problem).left).all()
