"""The bound on how many requests can be served: valid, and tight where totals decide."""

import reference
from hypothesis import given
from strategies import by_hand, examples, instances, twice

from instances.generate import Recipe, generate
from optmodel.batch.engine import solve_columns
from optmodel.limits.served_bound import most_served
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions
from optmodel.search.search import Search


@examples(120)
@given(instances(requests=3))
def test_never_below_brute_force(made: Instance) -> None:
    number, _ = reference.most(made)
    assert number <= most_served(Problem.of(made)) <= 3


@examples(25)
@given(instances(requests=2))
def test_columns_bound_most_served_as_brute_force_allows(made: Instance) -> None:
    number, best = reference.most(made)
    search = Search(made, SolverOptions(admission="most", time_limit_s=60))
    solve_columns(search)
    assert search.served <= number <= search.most_served
    if search.bound_s is not None and best is not None:
        assert search.bound_s <= float(best.latency_s) * (1 + 1e-9)


def with_memory_for(made: Instance, share: float) -> Instance:
    """Return the batch with helpers that have that share of the memory its weights take."""
    problem = Problem.of(made)
    weights = sum(
        layer.segments * layer.weight_bytes
        for task in problem.tasks
        for layer in task.layers
        if layer.hosts != (task.source,)
    )
    each = share * weights / problem.helpers
    devices = tuple(d.model_copy(update={"memory_bytes": each}) for d in made.devices)
    return made.model_copy(update={"devices": devices})


def test_memory_for_half_of_the_weights_serves_half_of_equal_requests() -> None:
    made = generate(Recipe(("lenet=10",), "mixed", 8, 0.8), "ten")
    assert most_served(Problem.of(made)) == 10
    assert most_served(Problem.of(with_memory_for(made, 0.55))) == 5
    assert most_served(Problem.of(with_memory_for(made, 0.05))) == 0


def test_small_requests_count_first() -> None:
    """Half of the weights of three LeNet and three CIFAR requests hold all LeNets and one CIFAR."""
    made = generate(Recipe(("lenet=3,cifar_cnn=3",), "mixed", 8, 0.8), "six")
    assert most_served(Problem.of(with_memory_for(made, 0.5))) == 4


def test_two_requests_with_slack_budgets_are_both_counted() -> None:
    assert most_served(Problem.of(twice(by_hand()))) == 2
