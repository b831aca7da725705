"""Strengthening cuts off no placement: the unreduced model has the same optimum, a weaker bound."""

from collections import Counter

import pyomo.environ as pyo
import pytest
import reference
from assigned import place
from hypothesis import assume, given
from strategies import by_hand, examples, instances, node, with_budget, with_fleet

from instances.generate import Recipe, generate
from optmodel.milp.count import CountModel
from optmodel.milp.count.constraints import add_constraints
from optmodel.milp.count.host_groups import HostGroup, groups
from optmodel.milp.count.objective import minimise_latency
from optmodel.milp.count.variables import add_variables
from optmodel.milp.solvers import run_solver
from optmodel.placement.evaluate import evaluate, transfer_bits
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions


def unreduced(problem: Problem) -> pyo.ConcreteModel:
    """Return the count model of Eq. 5-8 and nothing else."""
    model = pyo.ConcreteModel()
    add_variables(model, problem)
    add_constraints(model, problem)
    minimise_latency(model)
    model.served.fix(1)
    return model


def optimum_s(problem: Problem, model: pyo.ConcreteModel) -> float | None:
    """Return the latency of the placement that the solver ends with, None if there is none."""
    if run_solver(model, SolverOptions()).status is SolutionStatus.INFEASIBLE:
        return None
    return evaluate(problem, CountModel(problem, model).placement()).latency_s


def relaxed(model: pyo.ConcreteModel) -> float:
    pyo.TransformationFactory("core.relax_integer_vars").apply_to(model)
    assert run_solver(model, SolverOptions()).status is SolutionStatus.OPTIMAL
    return pyo.value(model.latency)


def alike(*changes: tuple[str, str, float]) -> Instance:
    """Return the instance by hand with three equal helpers, but for the changes."""
    made = by_hand().model_copy(
        update={"devices": tuple(node(name, 1000.0, 1000.0) for name in "abc")}
    )
    for name, field, value in changes:
        made = with_budget(made, name, **{field: value})
    return made


CASES = {
    "all equal": alike(),
    "memory differs": alike(("a", "memory_bytes", 16.0), ("b", "memory_bytes", 20.0)),
    "compute differs": alike(("a", "compute_budget_mult", 4.0), ("c", "compute_budget_mult", 8.0)),
    "bandwidth differs": alike(("b", "bandwidth_budget_bits", 200.0)),
    "one group of two, one of one": alike(("c", "compute_mult_per_s", 2000.0)),
    "all different": by_hand(),
    "all different, memory binds": with_fleet(by_hand(), "memory_bytes", (16.0, 80.0, 16.0)),
    "a single sender": by_hand(0.95),
    "kept on source": by_hand(0.25, unattainable="source"),
}


@pytest.mark.parametrize("made", CASES.values(), ids=CASES)
def test_the_unreduced_model_has_the_same_optimum(made: Instance):
    problem = Problem.of(made)
    plain, strong = unreduced(problem), CountModel.build(problem).pyomo_model
    best = pytest.approx(float(reference.best(made).latency_s), rel=1e-9)
    assert optimum_s(problem, strong) == best
    assert optimum_s(problem, plain) == best


@examples(30)
@given(instances())
def test_so_it_has_on_random_instances(made: Instance):
    problem = Problem.of(made)
    assume(not any(task.unattainable for task in problem.tasks))
    found_s = optimum_s(problem, unreduced(problem))
    expected = None if found_s is None else pytest.approx(found_s, rel=1e-9)
    assert optimum_s(problem, CountModel.build(problem).pyomo_model) == expected


def test_the_relaxation_of_lenet_is_tighter():
    problem = Problem.of(generate(Recipe(("lenet",), "mixed", 4, 0.8), "lenet"))
    weak, strong = relaxed(unreduced(problem)), relaxed(CountModel.build(problem).pyomo_model)
    assert strong > weak * 1.001


# The argument behind it.


def test_what_each_segment_waits_for_is_waited_for_in_every_placement():
    """Every vector pair of every transition: brute force over the claim of `Group.sender`."""
    seen: Counter[str] = Counter()

    @examples(40)
    @given(instances())
    def holds(made: Instance) -> None:
        best = reference.best(made)
        assume(best is not None)
        problem = Problem.of(made)
        placed = place(problem, best.assignment)
        for group in groups(problem):
            seen["with sender" if group.sender is not None else "without"] += 1
            if group.sender is not None:
                assert_waits(problem, placed.requests, group)

    holds()
    assert min(seen["with sender"], seen["without"]) >= 10


def assert_waits(problem: Problem, requests: dict, group: HostGroup) -> None:
    task = problem.tasks[group.r]
    placed = requests[task.request.id]
    before = task.layers[group.k - 1]
    received_s = transfer_bits(task, placed, group.k - 1) / problem.rate[:, None]
    for i in group.nodes:
        claimed_s = before.output_bits / problem.rate[group.sender] * placed.counts[group.k, i]
        assert received_s[:, i].max() >= claimed_s * (1 - 1e-12)


def test_groups_are_equally_fast_and_cover_the_hosts():
    problem = Problem.of(generate(Recipe(("cifar_cnn",), "mixed", 10, 0.4), "cifar"))
    found: dict[tuple[int, int], list[int]] = {}
    for group in groups(problem):
        assert len({(problem.speed[i], problem.rate[i]) for i in group.nodes}) == 1
        found.setdefault((group.r, group.k), []).extend(group.nodes)
    for (r, k), nodes in found.items():
        assert sorted(nodes) == list(problem.tasks[r].layers[k].hosts)


def test_one_active_node_need_not_wait_for_anyone():
    # At 0.95 nothing is at risk: all of conv2 may be on one helper, and so may act2.
    by_layer = {group.k: group.sender for group in groups(Problem.of(by_hand(0.95)))}
    assert by_layer[1] == 3
    assert by_layer[2] is None
    assert by_layer[3] is None
    # At 0.6 at least two helpers compute conv2; c is the fastest of them all.
    assert {g.sender for g in groups(Problem.of(by_hand())) if g.k == 3} == {2}
