"""The bound of `columns` against brute force, and what its placements promise."""

import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, instances, with_fleet

from optmodel.batch.bound.price_search import PriceSearch
from optmodel.placement.request_class import classes_of
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


@st.composite
def squeezed(draw: st.DrawFn, equations: tuple[str, ...]) -> Instance:
    """Draw two requests and cut the given budgets below what their fastest plans carry."""
    made = draw(instances(requests=2))
    for equation in equations:
        fastest = reference.best(made)
        assume(fastest is not None)
        carried = reference.loads(made, fastest.assignment)[equation]
        percent = draw(st.sampled_from((99, 90, 75, 60)))
        busiest = max(made.devices, key=lambda device: carried[device.id])
        budgets = tuple(
            carried[d.id] * percent / 100
            if d.id == busiest.id
            else getattr(d, reference.BUDGETS[equation])
            for d in made.devices
        )
        made = with_fleet(made, reference.BUDGETS[equation], budgets)
    return made


def best_bound(made: Instance) -> float | None:
    """Return the best bound from prices; None if a layer has no host."""
    problem = Problem.of(made)
    if any(task.unattainable for task in problem.tasks):
        return None
    found = [priced.bound_s for priced in PriceSearch(classes_of(problem)).improving()]
    return max(found)


def check_bound(made: Instance) -> None:
    """Hold every bound against the optimum of brute force, in exact numbers."""
    optimum = reference.best(made)
    assume(optimum is not None)
    bound = best_bound(made)
    assert bound is not None
    assert reference.Fraction(bound) <= optimum.latency_s


@pytest.mark.parametrize("equations", [("8b",), ("8c",), ("8d",), ("8b", "8c", "8d")], ids="+".join)
def test_bound_never_exceeds_brute_force(equations: tuple[str, ...]) -> None:
    @examples(40)
    @given(squeezed(equations))
    def holds(made: Instance) -> None:
        check_bound(made)

    holds()
