"""The segment formulation: true to each equation, one group of constraints at a time."""

from collections.abc import Callable, Mapping

import pyomo.environ as pyo
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import by_hand, examples, instances, twice, with_budget

from optmodel.milp.count.objective import minimise_latency
from optmodel.milp.segment import SegmentModel, constraints
from optmodel.milp.segment.variables import add_variables
from optmodel.milp.solvers import run_solver
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.options import SolverOptions

INFEASIBLE, OPTIMAL = SolutionStatus.INFEASIBLE, SolutionStatus.OPTIMAL

# Every group of constraints on its own.

NODES = {"a": 0, "b": 1, "c": 2, "camera": 3}
LAYERS = {"conv1": 0, "act1": 1, "conv2": 2, "act2": 3, "fc1": 4, "fc2": 5}

Fixed = Mapping[tuple[str, int, str], int]


def status(
    made: Instance, fixed: Fixed, relax: Callable[[pyo.ConcreteModel], None] | None = None
) -> SolutionStatus:
    """Return what the solver says with A[r1, layer, segment, node] fixed as told."""
    model = SegmentModel.build(Problem.of(made)).pyomo_model
    for (layer, segment, node), value in fixed.items():
        model.A[0, LAYERS[layer], segment, NODES[node]].fix(value)
    if relax is not None:
        relax(model)
    return run_solver(model, SolverOptions()).status


def without(*names: str) -> Callable[[pyo.ConcreteModel], None]:
    def relax(model: pyo.ConcreteModel) -> None:
        for name in names:
            model.component(name).deactivate()

    return relax


def uncapped(model: pyo.ConcreteModel) -> None:
    for count in model.x.values():
        count.setub(None)


def on(layer: str, *vector: str) -> dict[tuple[str, int, str], int]:
    """Fix all segments of a layer."""
    return {(layer, p, node): 1 for p, node in enumerate(vector)}


TIGHT_MEMORY = with_budget(by_hand(), "c", memory_bytes=79.0)
TIGHT_COMPUTE = with_budget(by_hand(), "c", compute_budget_mult=19.0)
TIGHT_BANDWIDTH = with_budget(by_hand(), "c", bandwidth_budget_bits=159.0)

GROUPS = {
    # fc1 has 80 bytes, 20 multiplications, and 160 bits to send to the camera.
    "8b": (TIGHT_MEMORY, on("fc1", "a", "a"), on("fc1", "c", "c"), without("respect_memory")),
    "8c": (TIGHT_COMPUTE, on("fc1", "a", "a"), on("fc1", "c", "c"), without("respect_compute")),
    "8d": (TIGHT_BANDWIDTH, on("fc1", "a", "a"), on("fc1", "c", "c"), without("respect_bandwidth")),
    "8e, nowhere": (
        by_hand(),
        {("conv2", 0, "a"): 0, ("conv2", 0, "b"): 0},
        {("conv2", 0, "a"): 0, ("conv2", 0, "b"): 0, ("conv2", 0, "c"): 0},
        without("assign_every_segment_once"),
    ),
    "8e, twice": (
        by_hand(),
        {("conv2", 0, "a"): 1, ("conv2", 0, "b"): 0},
        {("conv2", 0, "a"): 1, ("conv2", 0, "b"): 1},
        without("assign_every_segment_once"),
    ),
    "8f": (by_hand(), on("conv2", "a", "a", "b"), on("conv2", "a", "a", "a"), uncapped),
    "8g": (
        by_hand(),
        on("fc1", "b", "b"),
        on("fc1", "a", "b"),
        without("keep_first_fc_whole", "whole_means_every_segment"),
    ),
}


@pytest.mark.parametrize(("made", "satisfied", "violated", "relax"), GROUPS.values(), ids=GROUPS)
def test_each_group_alone_tells_right_from_wrong(
    made: Instance, satisfied: Fixed, violated: Fixed, relax: Callable[[pyo.ConcreteModel], None]
):
    assert status(made, satisfied) is OPTIMAL
    assert status(made, violated) is INFEASIBLE
    assert status(made, violated, relax) is OPTIMAL


def hosts(made: Instance) -> dict[str, set[str]]:
    """Return the nodes for which the model has variables, by layer of the first request."""
    model = SegmentModel.build(Problem.of(made)).pyomo_model
    names = list(NODES)
    found: dict[str, set[str]] = {name: set() for name in LAYERS}
    for r, k, _, i in model.A:
        if r == 0:
            found[list(LAYERS)[k]].add(names[i])
    return found


def test_8h_no_variable_exists_for_a_forbidden_node():
    helpers, camera = {"a", "b", "c"}, {"camera"}
    middle = dict.fromkeys(("act1", "conv2", "act2", "fc1"), helpers)
    assert hosts(by_hand()) == {"conv1": camera, **middle, "fc2": camera}


def test_8h_an_exposed_first_fc_has_variables_on_the_source_only():
    # At 0.3 the maps that fc1 receives are at risk (0.4).
    assert hosts(by_hand(0.3))["fc1"] == {"camera"}
    assert hosts(by_hand(0.3))["act2"] == {"a", "b", "c"}


def test_8h_layers_without_a_safe_share_have_variables_on_the_source_only():
    # At 0.25 no share of the maps of conv1 and act1 is safe (0.3).
    found = hosts(by_hand(0.25, unattainable="source"))
    assert found["act1"] == found["conv2"] == {"camera"}
    assert found["act2"] == {"a", "b", "c"}


def test_8h_another_request_s_source_is_no_host():
    made = twice(by_hand())
    other = made.sources[0].model_copy(update={"id": "other"})
    requests = (made.requests[0], made.requests[1].model_copy(update={"source": "other"}))
    made = made.model_copy(update={"sources": (*made.sources, other), "requests": requests})
    model = SegmentModel.build(Problem.of(made)).pyomo_model
    for r, k, _, i in model.A:
        assert i in ((3 + r,) if k in (0, 5) else (0, 1, 2))


def test_8i_assignments_are_binary():
    model = SegmentModel.build(Problem.of(by_hand())).pyomo_model
    assert len({index[:3] for index in model.A}) == 1 + 3 + 3 + 2 + 2 + 1
    assert all(variable.is_binary() for variable in model.A.values())


STATEMENTS = (
    constraints.assign_every_segment_once,
    constraints.count_segments,
    constraints.respect_caps,
    constraints.keep_first_fc_whole,
    constraints.mark_senders,
    constraints.broadcast_partial_sums,
    constraints.follow_moved_maps,
    constraints.count_moved_maps,
    constraints.bound_latency_by_computation,
    constraints.bound_latency_by_reception,
    constraints.respect_memory,
    constraints.respect_compute,
    constraints.respect_bandwidth,
)


def constraint_names(model: pyo.ConcreteModel) -> set[str]:
    return set(model.component_map(pyo.Constraint))


@examples(40)
@given(instances(requests=1), st.permutations(STATEMENTS))
def test_the_order_of_constraints_does_not_matter(made: Instance, statements: list[Callable]):
    problem = Problem.of(made)
    best = reference.best(made)
    assume(best is not None)
    model = pyo.ConcreteModel()
    add_variables(model, problem)
    for state in statements:
        state(model, problem)
    model.served.fix(1)
    minimise_latency(model)
    built = SegmentModel.build(problem)
    assert constraint_names(model) == constraint_names(built.pyomo_model)
    assert run_solver(model, SolverOptions()).status is OPTIMAL
    found = pyo.value(model.latency) * built.problem.time_unit_s
    assert found == pytest.approx(float(best.latency_s), rel=1e-6)
