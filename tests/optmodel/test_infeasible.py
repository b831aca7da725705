"""Every reason given is a proof, and each kind of sentence says what is wrong."""

from collections import Counter

import pytest
import reference
from hypothesis import given
from strategies import by_hand, clashing, examples, instances, twice, with_budget, with_fleet

from optmodel.limits.infeasible_reasons import reasons_infeasible
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance


def reasons(made: Instance) -> tuple[str, ...]:
    return reasons_infeasible(Problem.of(made))


def helpers(number: int, tolerance: float) -> Instance:
    made = by_hand(tolerance)
    return made.model_copy(update={"devices": made.devices[:number]})


def fleet(field: str, *budgets: float) -> Instance:
    return with_fleet(by_hand(), field, budgets)


def camera(**budgets: float) -> Instance:
    return with_budget(by_hand(), "camera", **budgets)


# Of the helpers' layers of `by_hand`, conv2 has 3 segments of 8 bytes and 4 multiplications, fc1 2
# of 40 bytes and 10 multiplications and 160 bits of output. The camera holds 12 + 40 bytes, runs
# 12 + 10 multiplications, and sends 3 maps of 128 bits.
SENTENCES = {
    "helpers": (
        helpers(2, 0.3),
        "request 'r1': layer 'act1' needs 3 helpers (3 maps, at most 1 on each), the fleet has 2 "
        "(8f)",
    ),
    "no admissible share": (
        by_hand(0.25),
        "request 'r1': the maps of 'conv1' (row early) have no admissible share at 0.25, lowest "
        "measured SSIM 0.3 (8f)",
    ),
    "fc memory": (
        fleet("memory_bytes", 79.0, 79.0, 79.0),
        "request 'r1': layer 'fc1' needs 80 bytes of memory on one device, the largest budget is "
        "79 (8b)",
    ),
    "fc compute": (
        fleet("compute_budget_mult", 19.0, 19.5, 19.0),
        "request 'r1': layer 'fc1' needs 20 multiplications on one device, the largest budget is "
        "19.5 (8c)",
    ),
    "fc bandwidth": (
        fleet("bandwidth_budget_bits", 159.0, 158.0, 159.0),
        "request 'r1': layer 'fc1' needs 160 bits of bandwidth on one device, the largest budget "
        "is 159 (8d)",
    ),
    "room for memory": (
        fleet("memory_bytes", 1000.0, 7.0, 7.0),
        "request 'r1': layer 'conv2' has 3 segments, the helpers have room for 2 (8b-8d, 8f, each "
        "helper on its own)",
    ),
    "room for compute": (
        fleet("compute_budget_mult", 1000.0, 3.0, 3.0),
        "request 'r1': layer 'conv2' has 3 segments, the helpers have room for 2 (8b-8d, 8f, each "
        "helper on its own)",
    ),
    "source memory": (
        camera(memory_bytes=51.0),
        "source 'camera' must carry 52 bytes, its budget is 51 (8b)",
    ),
    "source compute": (
        camera(compute_budget_mult=21.0),
        "source 'camera' must carry 22 multiplications, its budget is 21 (8c)",
    ),
    "source bandwidth": (
        camera(bandwidth_budget_bits=383.0),
        "source 'camera' must carry 384 bits to send, its budget is 383 (8d)",
    ),
    "fleet memory": (
        fleet("memory_bytes", 85.0, 9.0, 9.0),
        "the requests need 104 bytes on helpers, all helpers together have 103 (8b)",
    ),
    "fleet compute": (
        fleet("compute_budget_mult", 20.0, 5.0, 6.0),
        "the requests need 32 multiplications on helpers, all helpers together have 31 (8c)",
    ),
    "fleet bandwidth": (
        with_fleet(twice(by_hand()), "bandwidth_budget_bits", (160.0, 100.0, 59.0)),
        "the requests need 320 bits to send on helpers, all helpers together have 319 (8d)",
    ),
}


@pytest.mark.parametrize(("made", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_the_sentence_names_culprit_need_and_budget(made: Instance, sentence: str):
    assert sentence in reasons(made)
    assert reference.best(made) is None


@pytest.mark.parametrize(
    ("budgets", "sentence"),
    [
        # A helper may hold 1 map of act1 and conv2, and the 2 maps of conv2 are at risk (0.4): act2
        # has Nf = 1, so that a holder of conv2 sends the other map's 64 bits at least.
        ((64.0, 64.0, 63.0), "layer 'conv2' has 3 segments, the helpers have room for 2"),
        # fc1 receives maps at risk and is on the camera: act2 sends its 2 maps of 64 bits.
        ((1000.0, 63.0, 63.0), "layer 'act2' has 2 segments, the helpers have room for 1"),
    ],
    ids=["broadcast", "pointwise"],
)
def test_bandwidth_that_a_layer_needs_limits_the_room_at_0_3(budgets, sentence: str):
    made = with_fleet(by_hand(0.3), "bandwidth_budget_bits", budgets)
    assert any(sentence in reason for reason in reasons(made))
    assert reference.best(made) is None


@pytest.mark.parametrize(
    "made",
    [
        helpers(3, 0.3),
        by_hand(0.3),
        by_hand(0.25, unattainable="source"),
        fleet("memory_bytes", 8.0, 16.0, 80.0),
        fleet("compute_budget_mult", 20.0, 8.0, 4.0),
        camera(memory_bytes=52.0, compute_budget_mult=22.0, bandwidth_budget_bits=384.0),
    ],
    ids=["helpers", "share", "kept on source", "memory", "compute", "source"],
)
def test_what_just_suffices_gives_no_reason(made: Instance):
    assert reasons(made) == ()
    assert reference.best(made) is not None


def test_a_clash_between_requests_is_left_to_the_solver():
    assert reasons(clashing()) == ()
    assert reference.best(clashing()) is None


def test_every_reason_is_a_proof():
    seen: Counter[bool] = Counter()

    @examples(400)
    @given(instances())
    def none_is_possible(made: Instance) -> None:
        found = reasons(made)
        seen[bool(found)] += 1
        assert not found or reference.best(made) is None, found

    none_is_possible()
    assert min(seen[True], seen[False]) >= 50
