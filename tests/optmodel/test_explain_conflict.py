"""Conflicts are infeasible by themselves, need each of their groups, and none is smaller."""

from collections import Counter
from itertools import combinations

import pytest
import reference
from assigned import place
from hypothesis import assume, given
from hypothesis import strategies as st
from lifting import EQUATIONS, FIELDS, best_keeping
from strategies import by_hand, clashing, examples, instances, twice, with_budget, with_fleet

from optmodel.explain import ConflictProof, LimitConflict
from optmodel.explain.limit_conflict import find_conflict, find_conflicts, smallest_hitting_set
from optmodel.explain.limit_groups import LimitGroup, broken_by, groups_of, lift
from optmodel.milp.any_placement import find_placement
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance
from optmodel.search.allowance import Allowance

FOREVER = Allowance()


def conflicts(made: Instance) -> tuple[LimitConflict, ...]:
    return find_conflicts(Problem.of(made), FOREVER)


def sentences(conflict: LimitConflict) -> list[str]:
    return [group.sentence for group in conflict.groups]


# Cases by hand; what `by_hand` asks for stands above the sentences of test_infeasible.


def test_too_few_devices_is_a_matter_of_privacy_alone():
    made = by_hand(0.3)
    [conflict] = conflicts(made.model_copy(update={"devices": made.devices[:2]}))
    assert sentences(conflict) == [
        "privacy of 'conv1' and 'act1' at 0.3, request 'r1': at most 1 map on a device "
        "(row early; 8f)"
    ]
    assert conflict.groups[0].layers == ("act1", "conv2")
    assert conflict.proof is ConflictProof.SMALLEST


def test_maps_of_which_no_share_is_safe_are_named():
    conflict, *_ = conflicts(by_hand(0.25))
    assert sentences(conflict) == [
        "privacy of 'conv1' and 'act1' at 0.25, request 'r1': no device may hold any of the maps "
        "(row early; 8f)"
    ]


def test_a_whole_fc_that_fits_nowhere_needs_8g_and_every_memory():
    # 79 bytes hold one of the two segments of fc1, 40 bytes each, and conv2's 24 bytes.
    made = with_fleet(by_hand(), "memory_bytes", (79.0, 79.0, 79.0))
    [conflict] = conflicts(made)
    assert sentences(conflict) == [
        "memory of 'a': 79 bytes (8b)",
        "memory of 'b': 79 bytes (8b)",
        "memory of 'c': 79 bytes (8b)",
        "'fc1' whole on one device, request 'r1' (8g)",
    ]


def test_the_budget_of_a_camera_is_a_conflict_by_itself():
    [conflict] = conflicts(with_budget(by_hand(), "camera", bandwidth_budget_bits=383.0))
    assert sentences(conflict) == ["bandwidth of 'camera': 383 bits (8d)"]


def test_alike_devices_are_one_group():
    made = with_fleet(by_hand(), "memory_bytes", (79.0, 79.0, 79.0))
    first = made.devices[0]
    same = tuple(first.model_copy(update={"id": name}) for name in ("a", "b", "c"))
    [conflict] = conflicts(made.model_copy(update={"devices": same}))
    assert sentences(conflict)[0] == "memory of the 3 any: 79 bytes each (8b)"
    assert conflict.groups[0].nodes == ("a", "b", "c")


def test_alike_requests_are_one_group():
    # fc1 of one request fits on a, of two it does not; whole on one device, nowhere else either.
    [conflict] = conflicts(clashing())
    assert sentences(conflict)[-1] == "'fc1' whole on one device, requests 'r1' and 'r2' (8g)"


def test_conflicts_without_a_common_group_are_all_told():
    made = with_budget(by_hand(), "camera", bandwidth_budget_bits=383.0, memory_bytes=51.0)
    found = [sentences(conflict) for conflict in conflicts(made)]
    assert sorted(found) == [
        ["bandwidth of 'camera': 383 bits (8d)"],
        ["memory of 'camera': 51 bytes (8b)"],
    ]


def test_the_smallest_conflict_comes_first():
    """The deletion filter alone would keep the last conflict in the order of the groups."""
    made = with_fleet(by_hand(), "memory_bytes", (79.0, 79.0, 79.0))
    made = with_budget(made, "camera", memory_bytes=51.0)
    first, second = conflicts(made)
    assert sentences(first) == ["memory of 'camera': 51 bytes (8b)"]
    assert len(second.groups) == 4


# Random instances, against brute force.


def assert_each_group_is_needed(made: Instance, conflict: LimitConflict) -> None:
    assert best_keeping(made, conflict.groups) is None
    for group in conflict.groups:
        others = [g for g in conflict.groups if g != group]
        assert best_keeping(made, others) is not None


def assert_none_is_smaller(made: Instance, size: int) -> None:
    """Whatever smaller set of groups is kept, there is a placement."""
    problem = Problem.of(made)
    groups = groups_of(problem)
    for fewer in combinations(groups, size - 1):
        dropped = set(groups).difference(fewer)
        assert find_placement(lift(problem, dropped), FOREVER).placement is not None


def assert_nothing_else_stands_in_the_way(made: Instance, named: list[LimitGroup]) -> None:
    others = [group for group in groups_of(Problem.of(made)) if group not in named]
    assert best_keeping(made, others) is not None


def test_conflicts_are_infeasible_irreducible_smallest_and_complete():
    sizes: Counter[int] = Counter()
    numbers: Counter[int] = Counter()

    @examples(30)
    @given(instances())
    def are_what_they_claim(made: Instance) -> None:
        assume(reference.best(made) is None)
        found = conflicts(made)
        for conflict in found:
            assert conflict.proof is ConflictProof.SMALLEST
            assert_each_group_is_needed(made, conflict)
        smallest = len(found[0].groups)
        if smallest <= 3:
            assert_none_is_smaller(made, smallest)
        named = [group for conflict in found for group in conflict.groups]
        assert len(named) == len(set(named))
        assert_nothing_else_stands_in_the_way(made, named)
        sizes[smallest] += 1
        numbers[len(found)] += 1

    are_what_they_claim()
    assert min(sizes[1], numbers[1], numbers.total() - numbers[1]) >= 3
    assert sizes[2] + sizes[3] >= 5


def broken_by_reference(made: Instance, plans: reference.Assignment) -> set[tuple[str, ...]]:
    """(kind, node) and (kind, request, layer) of every limit that an assignment breaks."""
    carried = reference.loads(made, plans)
    found = {
        (kind, at.id)
        for (equation, field), kind in zip(reference.BUDGETS.items(), FIELDS, strict=True)
        for at in made.nodes
        if carried[equation][at.id] > reference.exact(getattr(at, field))
    }
    for request in made.requests:
        for index, layer in enumerate(reference.layers_of(made, request)):
            vector = plans[request.id][index]
            equations = set(reference.broken_by_vector(made, request, index, vector))
            for kind, equation in EQUATIONS.items():
                if equation in equations:
                    found.add((kind, request.id, layer.name))
    return found


@st.composite
def plans_within_8h(draw: st.DrawFn, made: Instance) -> reference.Assignment:
    """Draw a node for every segment, whatever the caps and budgets."""
    drawn = {}
    for request in made.requests:
        plan = []
        for index, layer in enumerate(reference.layers_of(made, request)):
            on_source = reference.is_on_source(made, request, index)
            names = [request.source] if on_source else [device.id for device in made.devices]
            plan.append(tuple(draw(st.sampled_from(names)) for _ in range(layer.input_maps)))
        drawn[request.id] = tuple(plan)
    return drawn


def test_what_a_placement_breaks_is_what_the_reference_says():
    seen: Counter[str] = Counter()

    @examples(100)
    @given(instances(), st.data())
    def agrees(made: Instance, data: st.DataObject) -> None:
        problem = Problem.of(made)
        groups = groups_of(problem)
        plans = data.draw(plans_within_8h(made))
        expected = broken_by_reference(made, plans)
        broken = broken_by(problem, place(problem, plans), groups)
        for each in groups:
            keys = {(each.kind, name) for name in each.nodes}
            keys |= {(each.kind, r, layer) for r in each.requests for layer in each.layers}
            assert (each in broken) is bool(keys & expected)
        seen.update(each.kind for each in broken)
        assert {kind for kind, *_ in expected} <= {each.kind for each in groups}

    agrees()
    assert set(seen) == {*FIELDS, *EQUATIONS}


# The search itself.


def group(name: str) -> LimitGroup:
    return LimitGroup(kind="memory", nodes=(name,), sentence=name)


A, B, C, D = (group(name) for name in "abcd")


@pytest.mark.parametrize(
    ("sets", "size"),
    [
        ([{A}], 1),
        ([{A, B}, {B, C}], 1),
        ([{A, B}, {B, C}, {C, A}], 2),
        ([{A}, {B}, {C}, {A, B, C, D}], 3),
    ],
)
def test_a_smallest_hitting_set_meets_every_set(sets, size):
    found = smallest_hitting_set([frozenset(s) for s in sets], FOREVER)
    assert len(found) == size
    assert all(found & s for s in sets)


def test_without_time_every_group_is_returned_and_nothing_claimed():
    problem = Problem.of(clashing())
    groups = groups_of(problem)
    conflict = find_conflict(problem, groups, Allowance.of_seconds(0.0))
    assert set(conflict.groups) == set(groups)
    assert conflict.proof is ConflictProof.UNREDUCED


def test_the_same_conflict_is_found_every_time():
    made = with_fleet(twice(by_hand()), "memory_bytes", (85.0, 9.0, 9.0))
    assert conflicts(made) == conflicts(made)
