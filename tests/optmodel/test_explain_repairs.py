"""Every repair suffices, and less of it does not; where there is none, brute force finds none."""

from collections import Counter

import pytest
import reference
from hypothesis import assume, given
from lifting import FIELDS
from places import CASES
from strategies import (
    act,
    by_hand,
    clashing,
    conv,
    examples,
    fc,
    instance,
    instances,
    network,
    node,
    ssim_row,
    twice,
    with_budget,
    with_fleet,
)

from optmodel.explain import (
    Explanation,
    FeasibilityVerdict,
    InstanceChange,
    InstanceRepair,
    changed,
    explain,
)
from optmodel.explain.instance_repairs import MOST_NEW_DEVICES
from optmodel.placement.solution import SolutionStatus
from optmodel.problem.instance import Instance, Request, read_instance
from optmodel.problem.network import Network
from optmodel.problem.ssim import SsimTable
from optmodel.solving import solve

KINDS = {"policy", "memory", "compute", "bandwidth", "devices", "tolerance"}


def repairs(made: Instance) -> dict[str, InstanceRepair]:
    explanation = explain(made)
    assert explanation.verdict is FeasibilityVerdict.INFEASIBLE
    found = {repair.change.kind: repair for repair in explanation.repairs}
    assert len(found) == len(explanation.repairs)
    return found


def without_fc(net: Network) -> Network:
    """The network up to its last layer before the first fc."""
    return net.model_copy(update={"layers": net.layers[: net.first_fc]})


def is_feasible(made: Instance) -> bool:
    """Ask brute force where it is quick, the full count formulation elsewhere."""
    if len(made.devices) <= 3:
        return reference.best(made) is not None
    return solve(made, "count").solution_status is not SolutionStatus.INFEASIBLE


# Cases by hand; what `by_hand` asks for stands above the sentences of test_infeasible.


def test_the_missing_devices_are_counted():
    made = by_hand(0.3)
    found = repairs(made.model_copy(update={"devices": made.devices[:1]}))
    assert found["devices"].sentence == "add 2 more any (like 'a')"
    assert found["devices"].least
    assert found["tolerance"].sentence == "let request 'r1' tolerate an SSIM of 0.9"


def test_the_least_tolerance_is_a_measured_one():
    # conv1's maps: 1 map gives 0.3, 2 give 0.5, all 3 give 0.9; with two devices 2 maps must do.
    made = by_hand(0.3)
    found = repairs(made.model_copy(update={"devices": made.devices[:2]}))
    assert found["tolerance"].change.amount == 0.5
    assert found["tolerance"].least


def test_the_slack_of_the_table_counts():
    made = by_hand(0.3)
    table = made.ssim_table.model_copy(update={"slack": 0.01})
    made = made.model_copy(update={"devices": made.devices[:2], "ssim_table": table})
    assert repairs(made)["tolerance"].change.amount == 0.49


def test_the_missing_bits_of_a_camera_are_counted():
    found = repairs(with_budget(by_hand(), "camera", bandwidth_budget_bits=300.5))
    assert found["bandwidth"].sentence == "give 'camera' 84 more bits of bandwidth"
    assert set(found) == {"bandwidth"}


def test_the_node_with_the_least_relative_increase_gets_the_budget():
    # fc1 takes 80 bytes on one device, conv2's three segments 8 each. With fc1 alone on c and
    # conv2 on a and b, c needs 2 bytes more; any other node needs 30 or more.
    found = repairs(with_fleet(by_hand(), "memory_bytes", (50.0, 50.0, 78.0)))
    assert found["memory"].sentence == "give 'c' 2 more bytes of memory"


def test_a_copy_of_a_device_has_a_name_of_its_own():
    made = by_hand(0.3)
    taken = made.devices[0].model_copy(update={"id": "any-new-1"})
    made = made.model_copy(update={"devices": (taken,)})
    wider = changed(made, repairs(made)["devices"].change)
    assert len({at.id for at in wider.nodes}) == 4
    assert reference.best(wider) is not None


def test_the_policy_source_is_offered_where_no_share_is_safe():
    found = repairs(by_hand(0.25))
    assert found["policy"].sentence.startswith('set unattainable to "source"')
    # From 0.3 on one map of conv1 on each of the three devices is safe.
    assert found["tolerance"].change.amount == 0.3
    assert set(found) == {"policy", "tolerance"}


def test_a_budget_that_caps_leave_unused_is_of_no_help():
    """Both budgets clash with the work of conv2, but a may take 2 of its 3 maps, budget or not.

    Each map asks for 4 multiplications: a has room for what its cap allows, 8, and b for none.
    """
    made = with_fleet(by_hand(), "compute_budget_mult", (8.0, 3.0, 3.0))
    made = made.model_copy(update={"networks": (without_fc(made.networks[0]),)})
    conflict = explain(made).conflicts[0]
    assert [group.nodes for group in conflict.groups] == [("a",), ("b",), ("c",)]
    assert repairs(made)["compute"].change == InstanceChange(
        kind="compute", targets=("b",), amount=1
    )


def test_a_policy_that_does_not_help_is_said():
    made = with_budget(by_hand(0.25), "camera", compute_budget_mult=5.0)
    explanation = explain(made)
    assert explanation.repairs == ()
    assert 'unattainable "source" does not help' in explanation.without_repair
    assert "no larger budget helps: it would mend one of 2 conflicts" in explanation.without_repair


def test_requests_of_a_kind_are_loosened_together_and_no_others():
    """One strict request among a tolerant one: only the strict one is named."""
    made = twice(by_hand(0.3))
    strict, tolerant = made.requests
    tolerant = tolerant.model_copy(update={"tolerated_ssim": 0.6})
    made = made.model_copy(update={"devices": made.devices[:2], "requests": (strict, tolerant)})
    assert repairs(made)["tolerance"].change.targets == ("r1",)


def test_a_looser_tolerance_that_makes_things_worse_is_passed_over():
    """8h takes the first fc from the camera once its maps are not at risk any more.

    At 0.3 fc1 is on the camera, and the two devices cannot hold conv1's 3 maps, one each. At 0.5
    they can, but conv2's maps are safe (0.4) and fc1 must go to a device without memory for it.
    No tolerance gives both, so that none is offered.
    """
    made = by_hand(0.3)
    made = made.model_copy(update={"devices": made.devices[:2]})
    made = with_budget(with_budget(made, "a", memory_bytes=40.0), "b", memory_bytes=40.0)
    explanation = explain(made)
    assert "no looser tolerance helps" in explanation.without_repair
    assert "devices" in {repair.change.kind for repair in explanation.repairs}


def test_the_limit_on_new_devices_is_stated():
    made = with_fleet(by_hand(), "memory_bytes", (79.0, 79.0, 79.0))
    sentence = f"{MOST_NEW_DEVICES} more copies of any one device do not help"
    assert sentence in explain(made).without_repair


def test_of_unequal_devices_of_a_family_the_one_that_helps_is_copied():
    """Of the case's devices only d2 has what one more device needs; d0 has no budget at all."""
    file = CASES / "explain-family-of-unequal-devices.json"
    made = read_instance(file)
    assert {device.family for device in made.devices} == {"f0"}
    repair = repairs(made)["devices"]
    assert repair.change == InstanceChange(kind="devices", targets=("d2",), amount=1)
    assert repair.least


def test_the_number_of_new_devices_is_found_between_powers_of_two():
    # 1 map of 12 on each device: 12 are needed, 1 is there.
    layers = [conv("conv1", (1, 12), (1, 1), "row"), act("act1", 12, (1, 1), "row")]
    layers.append(fc("fc1", 12, (12, 1)))
    made = instance(
        devices=[node("a", 1.0, 1.0)],
        sources=[node("camera", 1.0, 1.0)],
        networks=[network("net", (1, 1, 1), layers)],
        requests=[Request(id="r1", source="camera", network="net", tolerated_ssim=0.5)],
        table=SsimTable(source="made up", slack=0.0, rows=(ssim_row("row", {1: 0.1, 12: 0.9}),)),
    )
    repair = repairs(made)["devices"]
    assert repair.change == InstanceChange(kind="devices", targets=("a",), amount=11)
    assert repair.least


def test_the_latency_is_that_of_a_placement_of_the_changed_instance():
    repair = repairs(clashing())["memory"]
    best = reference.best(changed(clashing(), repair.change))
    assert repair.latency_s >= float(best.latency_s) * (1 - 1e-12)


def test_a_repair_leaves_everything_else_as_it_was():
    made = clashing()
    wider = changed(made, InstanceChange(kind="memory", targets=("b",), amount=20))
    assert [at.memory_bytes for at in wider.devices] == [120.0, 80.0, 60.0]
    assert wider.model_copy(update={"devices": made.devices}) == made


# Random instances, against brute force.


def less(made: Instance, change: InstanceChange) -> InstanceChange | None:
    """The next smaller change of the same thing; None if that is none at all."""
    if change.kind == "policy":
        return None
    if change.kind != "tolerance":
        return change.model_copy(update={"amount": change.amount - 1})
    slack = reference.exact(made.ssim_table.slack)
    measured = {m.ssim for row in made.ssim_table.rows for m in row.measurements}
    smaller = [float(reference.exact(s) - slack) for s in measured]
    strictest = min(r.tolerated_ssim for r in made.requests if r.id in change.targets)
    between = [t for t in smaller if strictest < t < change.amount]
    return change.model_copy(update={"amount": max(between)}) if between else None


def assert_suffices_and_less_does_not(made: Instance, repair: InstanceRepair) -> None:
    assert repair.least
    assert is_feasible(changed(made, repair.change)), repair
    smaller = less(made, repair.change)
    if smaller is not None:
        assert not is_feasible(changed(made, smaller)), repair


def nodes_that_help(made: Instance, field: str) -> list[str]:
    """The nodes of which one budget without end would give a placement, by brute force."""
    return [
        at.id
        for at in made.nodes
        if reference.best(with_budget(made, at.id, **{field: 1e12})) is not None
    ]


def test_every_repair_suffices_less_does_not_and_none_is_missed():
    seen: Counter[str] = Counter()

    @examples(40)
    @given(instances())
    def are_least(made: Instance) -> None:
        assume(reference.best(made) is None)
        found = repairs(made)
        for repair in found.values():
            assert_suffices_and_less_does_not(made, repair)
        for kind, field in FIELDS.items():
            helpful = nodes_that_help(made, field)
            assert bool(helpful) is (kind in found)
            assert not helpful or found[kind].change.targets[0] in helpful
            seen["without budget"] += not helpful
        seen.update(found.keys())

    are_least()
    assert set(seen) == KINDS | {"without budget"}
    assert min(seen["without budget"], sum(seen[kind] for kind in FIELDS)) >= 3


def test_a_feasible_instance_is_said_to_be_one():
    @examples(40)
    @given(instances())
    def is_said(made: Instance) -> None:
        best = reference.best(made)
        assume(best is not None)
        explanation = explain(made)
        assert explanation.verdict is FeasibilityVerdict.FEASIBLE
        assert explanation.latency_s >= float(best.latency_s) * (1 - 1e-12)
        assert (explanation.conflicts, explanation.repairs) == ((), ())
        assert not explanation.minimal

    is_said()


def test_without_time_nothing_is_claimed():
    explanation = explain(clashing(), time_limit_s=1e-9)
    assert explanation.verdict is FeasibilityVerdict.UNKNOWN
    assert explanation.conflicts == ()


@pytest.mark.parametrize("limit", [0.02, 0.05, 0.1, 0.2])
def test_what_is_said_within_a_short_time_is_true(limit):
    """However far the search comes, its answers stand."""
    explanation: Explanation = explain(clashing(), time_limit_s=limit)
    assert explanation.verdict is not FeasibilityVerdict.FEASIBLE
    for repair in explanation.repairs:
        assert reference.best(changed(clashing(), repair.change)) is not None
    assert explanation.wall_time_s < 10
