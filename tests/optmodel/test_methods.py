"""Every exact method with every solver: equal to brute force, to known answers, to each other."""

from collections import Counter
from itertools import product

import pytest
import reference
from assigned import place
from engines import QUICK, Engine, every_engine, quick_engines, without_cbc
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import (
    assignments,
    by_hand,
    clashing,
    examples,
    instances,
    twice,
    unlimited,
    with_fleet,
)

from instances.generate import Recipe, generate
from optmodel.checker import check, check_solution
from optmodel.ground.rule_errors import InputError
from optmodel.placement.evaluate import evaluate
from optmodel.placement.solution import Solution, SolutionStatus, Termination
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

INFEASIBLE, OPTIMAL = SolutionStatus.INFEASIBLE, SolutionStatus.OPTIMAL


SEGMENT, COUNT, CPSAT, _ = QUICK

BATCH = generate(Recipe(("lenet",), "mixed", 4, 0.8, requests=4), "batch")
BATCH_OPTIMUM_S = 4 * 0.0012170593984962405
"""Four requests whose budgets do not bind; proving it in one piece takes more than a minute."""


def same(number: object) -> object:
    return pytest.approx(number, rel=1e-9, abs=0)


def assert_solution_is(solution: Solution, best: reference.Best | None) -> None:
    """Compare status, objective and bound of a finished run with brute force."""
    assert solution.termination is Termination.CONVERGED
    if best is None:
        assert solution.solution_status is INFEASIBLE
        assert solution.placement is None
        assert solution.objective_s is None
        return
    assert solution.solution_status is OPTIMAL
    assert solution.objective_s == same(float(best.latency_s))
    assert solution.bound_s <= solution.objective_s
    assert 0 <= solution.gap <= 2.1e-6


def test_brute_force_equals_plain_enumeration():
    seen: Counter[bool] = Counter()

    @examples(40)
    @given(instances())
    def agree(made: Instance) -> None:
        counts = [layer.input_maps for r in made.requests for layer in reference.layers_of(made, r)]
        assume(len(made.nodes) ** sum(counts) <= 730)
        names = [node.id for node in made.nodes]
        feasible = []
        for flat in product(names, repeat=sum(counts)):
            assignment = cut(made, flat)
            if not reference.broken(made, assignment):
                feasible.append(reference.latency(made, assignment))
        best = reference.best(made)
        assert (best.latency_s if best else None) == min(feasible, default=None)
        seen[bool(feasible)] += 1

    agree()
    assert min(seen[True], seen[False]) >= 3


def cut(made: Instance, flat: tuple[str, ...]) -> dict[str, reference.Plan]:
    """Deal a flat tuple of nodes to the segments of all requests."""
    nodes = iter(flat)
    return {
        request.id: tuple(
            tuple(next(nodes) for _ in range(layer.input_maps))
            for layer in reference.layers_of(made, request)
        )
        for request in made.requests
    }


@quick_engines
def test_optimum_equals_brute_force_on_random_instances(engine: Engine):
    seen: Counter[str] = Counter()

    @examples(150)
    @given(instances())
    def agree(made: Instance) -> None:
        best = reference.best(made)
        solution = engine.solve(made)
        assert_solution_is(solution, best)
        seen["infeasible" if best is None else "feasible"] += 1
        seen["two requests"] += len(made.requests) == 2
        if best is not None:
            reported = (solution.placement, solution.objective_s, solution.latency)
            assert check(made, *reported).passed
            seen["budgets bind"] += reference.best(unlimited(made)).latency_s < best.latency_s

    agree()
    assert seen["feasible"] >= 50
    assert seen["infeasible"] >= 20
    assert seen["budgets bind"] >= 10
    assert seen["two requests"] >= 20


@quick_engines
@examples(30)
@given(instances())
def test_the_optimum_without_presolve_is_the_same(engine: Engine, made: Instance):
    assert_solution_is(engine.solve(made, presolve=False), reference.best(made))


@every_engine
@pytest.mark.parametrize("presolve", [True, False])
def test_infeasibility_that_only_the_solver_sees_is_proven(engine: Engine, presolve: bool):
    solution = engine.solve(clashing(), presolve=presolve)
    assert_solution_is(solution, None)
    assert solution.reasons == ()
    assert solution.solver_version is not None or engine.solver == "cbc"  # Which tells none.


def assert_serves(solution: Solution, number: int, best: reference.Best) -> None:
    """Compare a finished run with the largest number of requests, and their least latency."""
    assert solution.termination is Termination.CONVERGED
    assert solution.solution_status is OPTIMAL
    assert solution.most_served == len(solution.placement.requests) == number
    if number:
        assert solution.objective_s == same(float(best.latency_s))
        assert solution.bound_s <= solution.objective_s
    else:
        assert (solution.objective_s, solution.bound_s, solution.gap) == (None, None, None)


@quick_engines
def test_most_requests_are_served_and_then_fastest(engine: Engine):
    seen: Counter[int] = Counter()

    @examples(60)
    @given(instances(requests=2))
    def agree(made: Instance) -> None:
        number, best = reference.most(made)
        solution = engine.solve(made, admission="most")
        assert_serves(solution, number, best)
        assert check_solution(made, solution).passed
        seen[number] += 1

    agree()
    assert min(seen[1], seen[2]) >= 10
    assert seen[0] >= 1


@quick_engines
def test_one_of_three_requests_is_left_out_with_a_reason(engine: Engine):
    made = with_fleet(twice(by_hand()), "memory_bytes", (160.0, 120.0, 60.0))
    third = made.requests[0].model_copy(update={"id": "r3", "tolerated_ssim": 0.1})
    made = made.model_copy(update={"requests": (third, *made.requests)})
    number, best = reference.most(made)
    solution = engine.solve(made, admission="most")
    assert number == 2
    assert_serves(solution, number, best)
    (left_out,) = solution.placement.rejected
    assert (left_out.request, left_out.layer, left_out.segment) == ("r3", None, None)
    assert left_out.condition == "the optimum leaves it out, which serves 2 of 3 requests"


@quick_engines
def test_all_requests_that_can_be_served_are_served_as_without_admission(engine: Engine):
    number, best = reference.most(twice(by_hand()))
    assert number == 2
    assert_serves(engine.solve(twice(by_hand()), admission="most"), number, best)


@quick_engines
def test_a_time_limit_before_the_number_is_proven_leaves_no_bound(engine: Engine):
    solution = engine.solve(BATCH, admission="most", time_limit_s=0.02)
    assert solution.termination is Termination.TIME_LIMIT
    assert solution.solution_status in (SolutionStatus.NONE, SolutionStatus.FEASIBLE)
    if solution.placement is None or len(solution.placement.requests) < 4:
        assert solution.bound_s is None


@examples(100)
@given(instances(), st.data())
def test_segments_of_a_stage_may_be_permuted(made: Instance, data: st.DataObject):
    problem = Problem.of(made)
    assignment = data.draw(assignments(made))
    permuted = data.draw(_permuted_stages(problem, assignment))
    one, other = (evaluate(problem, place(problem, a)) for a in (assignment, permuted))
    for name, layers in one.layer_latency_s.items():
        assert layers.tolist() == other.layer_latency_s[name].tolist()
    assert one.load[2].tolist() == other.load[2].tolist()
    assert reference.latency(made, assignment) == reference.latency(made, permuted)


@st.composite
def _permuted_stages(
    draw: DrawFn, problem: Problem, assignment: reference.Assignment
) -> dict[str, reference.Plan]:
    """Permute the maps of each conv, and with them the segments of all layers that hold them."""
    permuted = {}
    for task in problem.tasks:
        plan, order = [], None
        for k, vector in enumerate(assignment[task.request.id]):
            if not k or task.layers[k - 1].transfer == "broadcast":
                order = draw(st.permutations(range(len(vector))))
            plan.append(tuple(vector[p] for p in order))
        permuted[task.request.id] = tuple(plan)
    return permuted


@quick_engines
@examples(50)
@given(instances(), st.data())
def test_the_order_of_devices_does_not_matter(engine: Engine, made: Instance, data: st.DataObject):
    shuffled = tuple(data.draw(st.permutations(made.devices)))
    other = made.model_copy(update={"devices": shuffled})
    assert_solution_is(engine.solve(other), reference.best(made))


@quick_engines
@examples(30)
@given(instances(requests=2))
def test_the_order_of_requests_does_not_matter(engine: Engine, made: Instance):
    other = made.model_copy(
        update={
            "requests": made.requests[::-1],
            "sources": made.sources[::-1],
            "networks": made.networks[::-1],
        }
    )
    assert_solution_is(engine.solve(other), reference.best(made))


def lenet(devices: int, tolerance: float) -> Instance:
    return generate(Recipe(("lenet",), "mixed", devices, tolerance), "lenet")


@pytest.mark.parametrize(
    ("devices", "tolerance", "milliseconds"), [(4, 0.8, 1.217059), (6, 0.4, 0.964869)]
)
@quick_engines
def test_known_optima_of_lenet(engine: Engine, devices: int, tolerance: float, milliseconds: float):
    solution = engine.solve(lenet(devices, tolerance))
    assert solution.solution_status is OPTIMAL
    assert solution.objective_s * 1e3 == pytest.approx(milliseconds, abs=1e-6)


def test_known_optimum_of_the_cifar_network():
    made = generate(Recipe(("cifar_cnn",), "mixed", 4, 0.8), "cifar")
    solution = COUNT.solve(made, mip_gap=1e-4)
    assert solution.solution_status is OPTIMAL
    assert solution.bound_s * 1e3 <= 97.236343
    assert solution.objective_s * 1e3 == pytest.approx(97.236342, rel=1e-4)


SMALL = {
    "some at risk": by_hand(),
    "all at risk": by_hand(0.3),
    "kept on source": by_hand(0.25, unattainable="source"),
    "memory binds": with_fleet(by_hand(), "memory_bytes", (16.0, 80.0, 16.0)),
    "compute binds": with_fleet(by_hand(), "compute_budget_mult", (20.0, 8.0, 4.0)),
    "bandwidth binds": with_fleet(by_hand(), "bandwidth_budget_bits", (160.0, 200.0, 300.0)),
}


@every_engine
@pytest.mark.parametrize("made", SMALL.values(), ids=SMALL)
def test_solvers_agree_with_brute_force(engine: Engine, made: Instance):
    solution = engine.solve(made)
    assert solution.termination is Termination.CONVERGED
    assert solution.objective_s == same(float(reference.best(made).latency_s))
    assert solution.bound_s is None or solution.bound_s <= solution.objective_s
    if engine.method != "auto":  # Its stages need no solver where budgets are slack.
        assert solution.solver == engine.solver


@without_cbc
def test_two_equal_requests_without_binding_budgets_take_twice_as_long(engine: Engine):
    # CBC's search for this small model did not end in nine minutes.
    solution = engine.solve(twice(by_hand()))
    assert solution.solution_status is OPTIMAL
    assert solution.objective_s == same(2 * float(reference.best(by_hand()).latency_s))


@every_engine
def test_solvers_agree_on_lenet(engine: Engine):
    assert engine.solve(lenet(3, 0.8)).objective_s * 1e3 == pytest.approx(1.530664, abs=1e-6)


@every_engine
def test_solvers_agree_on_how_many_can_be_served(engine: Engine):
    number, best = reference.most(clashing())
    assert_serves(engine.solve(clashing(), admission="most"), number, best)


def test_an_unknown_solver_is_refused_by_name():
    with pytest.raises(InputError, match=r"expected a MILP solver.*'hihgs'"):
        solve(by_hand(), "count", SolverOptions("hihgs"))


@pytest.mark.parametrize("engine", [SEGMENT, COUNT, CPSAT], ids=str)
@pytest.mark.parametrize("limit", [0.01, 1.0])
def test_a_time_limit_gives_incumbent_and_bound_as_far_as_known(engine: Engine, limit: float):
    solution = engine.solve(BATCH, time_limit_s=limit)
    objective, bound = solution.objective_s, solution.bound_s
    assert solution.termination is Termination.TIME_LIMIT
    expected = SolutionStatus.NONE if objective is None else SolutionStatus.FEASIBLE
    assert solution.solution_status is expected
    assert (solution.placement is None) == (objective is None)
    assert objective is None or objective >= BATCH_OPTIMUM_S * (1 - 1e-9)
    assert bound is None or 0 <= bound <= BATCH_OPTIMUM_S * (1 + 1e-9)
    known = objective is not None and bound is not None and bound > 0
    assert solution.gap == (pytest.approx((objective - bound) / bound) if known else None)


@quick_engines
def test_without_time_nothing_is_claimed(engine: Engine):
    solution = engine.solve(BATCH, time_limit_s=1e-6)
    assert solution.gap is None
    if engine.method == "auto":  # Its construction takes milliseconds.
        assert solution.solution_status is SolutionStatus.FEASIBLE
        return
    assert solution.solution_status is SolutionStatus.NONE
    assert solution.objective_s is None
