"""The paper's sentences, judged by runs whose figures are invented so that the answer is known."""

from typing import Any

import numpy as np
import pytest
from commands import refusal_of
from invented import outcome, results, share

from benchmarks.common.origins import simulating
from benchmarks.evaluation import checks
from benchmarks.evaluation.checks import Check, ClaimVerdict, faster, faster_at_best, verdict_of
from benchmarks.evaluation.claims import CLAIMS, verdict
from benchmarks.evaluation.claims_page import claims_page
from benchmarks.evaluation.looser_tolerances import only_adds
from benchmarks.evaluation.panels import EvaluationPlan, PanelCase
from benchmarks.evaluation.results import PanelPoint, Results
from benchmarks.evaluation.runs import SimulatedRun, SimulatedRuns, key_of
from benchmarks.simulate import Setting
from benchmarks.simulate.outcome import Timing
from optmodel.ground.rule_errors import InputError

PLAN = EvaluationPlan(seeds=3)
BOTH = ("algorithm1", "lookahead")
FEW, MANY = PanelPoint("3a", "20", 0.8), PanelPoint("3a", "70", 0.8)
FEW_TIGHT, MANY_TIGHT = PanelPoint("3a", "20", 0.4), PanelPoint("3a", "70", 0.4)


def as_the_paper_says(case: PanelCase) -> dict[str, float]:
    """Figures of which every sentence of the paper is true."""
    tolerance, seed = case.setting.tolerated_ssim, case.setting.seed
    data = {0.8: 1, 0.6: 2, 0.4: 3}[tolerance] * 10**9
    latency = {0.8: 6.0, 0.6: 8.0, 0.4: 9.0}[tolerance]
    rejected = 0
    if case.panel in ("3a", "3b"):
        few = case.x in {"20", "30", "40"}
        latency = latency if few else 4 - latency / 3
        data *= int(case.x)
        rejected = 5 if case.x == "20" and tolerance < 0.8 else 0
    elif case.panel in ("3c", "3d"):
        latency = {"100-0": 2.0, "70-30": 2.1, "50-50": 2.5, "30-70": 20.0}[case.x]
        latency += tolerance
        rejected = 3 if case.x == "30-70" and tolerance == 0.4 else 0
    elif case.x in ("lenet", "cifar_cnn"):
        latency, data = latency / 100, data // 100
    if case.setting.policy == "layerwise":
        latency += 0.5
    latency *= 1 + seed / 100
    return {
        "latency_s": latency,
        "computing_s": latency / 4,
        "bound_s": latency * 0.99,
        "shared_bits": data,
        "rejected_first": rejected,
    }


def test_every_sentence_holds_of_runs_that_are_as_the_paper_says():
    told = results(PLAN, as_the_paper_says)
    assert {claim.says: verdict(claim, told, BOTH) for claim in CLAIMS} == {
        claim.says: ClaimVerdict.HOLDS for claim in CLAIMS
    }


def test_no_sentence_holds_of_runs_that_are_all_alike():
    told = results(PLAN, lambda case: {"computing_s": 9.0})
    serves_all = "With 50 % powerful devices or more, all requests are served"
    assert {
        claim.says for claim in CLAIMS if verdict(claim, told, BOTH) is not ClaimVerdict.FAILS
    } == {serves_all}


def test_a_sentence_that_only_one_placement_bears_out_depends():
    def figures(case):
        told = as_the_paper_says(case)
        if case.setting.policy == "lookahead":
            told |= {"latency_s": 5.0 + case.setting.seed, "bound_s": 5.0 + case.setting.seed}
        return told

    told = results(PLAN, figures)
    (claim,) = (one for one in CLAIMS if one.says.startswith("When more devices"))
    assert verdict_of(claim.checks(told, "algorithm1")) is ClaimVerdict.HOLDS
    assert verdict_of(claim.checks(told, "lookahead")) is ClaimVerdict.FAILS
    assert verdict(claim, told, BOTH) is ClaimVerdict.DEPENDS
    assert claim.under_optimum(told, "lookahead") is ClaimVerdict.FAILS
    page = claims_page(told, BOTH, "python -m benchmarks.claims figures")
    assert "Proven: it does not hold under an optimal placement." in page
    assert f"| {claim.says} | 3a | holds | does not hold | does not hold | **depends** |" in page


def test_the_interval_decides_whether_a_difference_is_one():
    assert checks.is_positive(np.array([1.0, 1.1, 0.9])) is True
    assert checks.is_positive(np.array([1.0, -0.5, 0.6])) is None
    assert checks.is_positive(np.array([-5.0, 6.0, -2.0])) is None
    assert checks.is_positive(np.array([-1.0, -1.1])) is False
    assert checks.is_positive(np.array([np.nan, np.nan])) is None
    assert checks.is_positive(np.array([0.0, 0.0])) is False
    assert checks.is_positive(np.array([0.1])) is True  # One seed has no interval.
    assert checks.is_positive(np.array([-0.1])) is False


def test_verdicts_of_several_comparisons():
    yes, no, open_ = (Check("", holds) for holds in (True, False, None))
    assert verdict_of([yes, yes]) is ClaimVerdict.HOLDS
    assert verdict_of([no]) is ClaimVerdict.FAILS
    assert verdict_of([yes, no]) is ClaimVerdict.DEPENDS
    assert verdict_of([yes, open_]) is ClaimVerdict.DEPENDS
    assert verdict_of([open_, open_]) is ClaimVerdict.OPEN


def lost_at_tight(case: PanelCase) -> dict[str, Any]:
    """At 0.4 half of LeNet is lost; of the CIFAR network nothing, which takes 3 instead of 2 s."""
    tight = case.setting.tolerated_ssim == 0.4
    cifar = share(latency_s=3.0 if tight else 2.0, shared_bits=1 if tight else 2)
    if len(case.setting.networks) == 1:
        return {}
    return {"served": 5 if tight else 10, "latency_s": 1.0 if tight else 10.0, "beside": cifar}


def test_latencies_are_compared_over_networks_that_both_serve_in_full():
    told = results(PLAN, lost_at_tight)
    lost, in_time = faster(told, "algorithm1", FEW, FEW_TIGHT)
    assert lost == Check(
        "20 devices at 0.8: 0 ± 0 % never served; 20 devices at 0.4: 25 ± 0 % never served", True
    )
    assert in_time == Check(
        "cifar_cnn, served in full at each; 20 devices at 0.8: 2 ± 0 s; 20 devices at 0.4: 3 ± 0 s",
        True,
    )
    assert [one.holds for one in faster(told, "algorithm1", FEW_TIGHT, FEW)] == [False, False]
    assert faster_at_best(told, "algorithm1", FEW, FEW_TIGHT).holds is None


def test_shared_data_is_compared_over_networks_that_both_serve_in_full():
    told = results(PLAN, lost_at_tight)
    data = ("shared_total_gbit", "Gbit")
    few, tight = (FEW, "algorithm1"), (FEW_TIGHT, "algorithm1")
    assert checks.less_in_total(told, *data, tight, few).holds is True
    assert checks.less_in_total(told, *data, few, tight).holds is False


def test_where_no_network_is_served_in_full_nothing_is_told():
    told = results(PLAN, lambda case: {"served": 5})
    check = checks.less_in_total(
        told, checks.LATENCY, "s", (FEW, "algorithm1"), (MANY, "algorithm1")
    )
    assert check.holds is None
    assert check.text.startswith(
        "no network is served in full at all of them; 20 devices at 0.8: -"
    )


def test_faster_only_for_some_networks_and_losing_others_depends():
    def figures(case):
        told = lost_at_tight(case)
        if case.setting.tolerated_ssim == 0.4 and "beside" in told:
            told["beside"] = share(latency_s=1.0)
        return told

    told = results(PLAN, figures)
    assert verdict_of(faster(told, "algorithm1", FEW, FEW_TIGHT)) is ClaimVerdict.DEPENDS


@pytest.mark.parametrize(
    ("tight", "proven"),
    [
        ({"latency_s": 30.0, "bound_s": 20.0}, True),  # 10 at 0.8 is less than 20 at least.
        ({"latency_s": 8.0, "bound_s": 5.0}, False),  # At most 8, and at least 9 at 0.8.
        ({"latency_s": 30.0, "bound_s": 9.5}, None),
    ],
)
def test_optimal_placements_are_compared_by_bounds(tight, proven):
    told = results(PLAN, lambda case: tight if case.setting.tolerated_ssim == 0.4 else {})
    assert faster_at_best(told, "lookahead", MANY, MANY_TIGHT).holds is proven


@pytest.mark.parametrize(
    ("network", "tight", "adds"),
    [
        ("vgg16", 0.4, True),
        ("vgg19", 0.6, True),
        ("vgg19", 0.4, False),  # Block 3 is kept on the camera.
        ("lenet", 0.6, False),  # So is the first fc.
        ("cifar_cnn", 0.6, True),
    ],
)
def test_a_looser_tolerance_adds_placements_unless_layers_leave_the_camera(network, tight, adds):
    loose = Setting(networks=(network,))
    tightly = loose.model_copy(update={"tolerated_ssim": tight})
    assert only_adds(loose, tightly) is adds
    assert not only_adds(tightly, loose)
    assert not only_adds(loose, tightly.model_copy(update={"devices": 20}))


LOOSE_VGG, TIGHT_VGG = PanelPoint("3e", "vgg16", 0.8), PanelPoint("3e", "vgg16", 0.4)


def test_what_only_adds_placements_is_never_slower_which_does_not_make_it_faster():
    told = results(PLAN, lambda case: {})
    check = faster_at_best(told, "lookahead", LOOSE_VGG, TIGHT_VGG)
    assert check.holds is None
    assert "never slower" in check.text
    assert faster_at_best(told, "lookahead", TIGHT_VGG, LOOSE_VGG).holds is False


def test_what_only_adds_placements_is_faster_if_bounds_say_so():
    slow = {"latency_s": 30.0, "bound_s": 20.0}
    told = results(PLAN, lambda case: slow if case.setting.tolerated_ssim == 0.4 else {})
    assert faster_at_best(told, "lookahead", LOOSE_VGG, TIGHT_VGG).holds is True


def test_equal_optima_are_proven_not_to_be_faster():
    told = results(PLAN, lambda case: {"bound_s": 10.0})
    assert faster_at_best(told, "lookahead", LOOSE_VGG, TIGHT_VGG).holds is False


def test_a_sentence_of_which_a_part_is_refuted_does_not_hold_in_full_at_best():
    """0.4 is proven slower than 0.8 with many devices; of 0.6 nothing is known."""

    def figures(case):
        tight = case.setting.tolerated_ssim == 0.4
        return {"latency_s": 30.0, "bound_s": 20.0} if tight else {}

    told = results(PLAN, figures)
    (claim,) = (one for one in CLAIMS if one.says.startswith("When more devices"))
    assert [check.holds for check in claim.at_best(told, "lookahead")] == [None, False]
    assert claim.under_optimum(told, "lookahead") is ClaimVerdict.DEPENDS
    page = claims_page(told, BOTH, "command")
    assert "Proven: under an optimal placement it does not hold in full." in page


def test_the_first_whole_seeds_count(tmp_path):
    """With LeNet alone and nobody to place, from finished files; of seed 1 one is missing."""
    plan = EvaluationPlan(
        base=Setting(networks=("lenet",), requests=1), seeds=3, policies=("source",)
    )
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    folder = SimulatedRuns(tmp_path / "runs")
    settings = plan.settings()
    gone = next(one for one in settings if one.seed == 1)
    for one in settings:
        if one is not gone:
            told = {
                "outcome": outcome(one, submitted=1, served=1),
                "timing": Timing(events=1, total_s=0.0, slowest_s=0.0),
            }
            folder.add(SimulatedRun(setting=one, **told, **simulating("source").stamp()))
    assert Results.read(tmp_path).plan.seeds == 1
    folder.file(key_of(settings[0])).unlink()
    with pytest.raises(InputError, match="--networks lenet --policies source --requests 1"):
        Results.read(tmp_path)


EVERY = ("lenet", "cifar_cnn", "vgg16", "vgg19")


def all_networks(case: PanelCase, **vgg19: float) -> dict[str, Any]:
    """All networks alike, but for VGG19."""
    others = dict.fromkeys(EVERY, share(latency_s=1.0, bound_s=0.5))
    return {"every": others | {"vgg19": share(**vgg19)}}


def test_what_is_placed_beyond_the_papers_model_is_compared_apart():
    """VGG19 takes ten times as long at 0.4, where the camera computes a part of it."""

    def figures(case):
        tight = case.setting.tolerated_ssim == 0.4
        return all_networks(case, latency_s=100.0 if tight else 10.0, bound_s=99.0 if tight else 9)

    told = results(EvaluationPlan(panels=("3a",), seeds=2), figures)
    whole, apart = faster(told, "lookahead", MANY, MANY_TIGHT)
    assert (whole.holds, apart.holds) == (True, False)
    assert apart.text.startswith("lenet, cifar_cnn, vgg16, served in full at each; ")
    whole, apart = checks.all_faster_at_best(told, "lookahead", MANY, MANY_TIGHT)
    assert (whole.holds, apart.holds) == (True, None)
    assert len(faster(told, "lookahead", MANY, PanelPoint("3a", "70", 0.6))) == 1


def test_a_proof_needs_every_seed():
    def figures(case):
        if case.setting.tolerated_ssim == 0.8:
            return {}
        return {"latency_s": 30.0, "bound_s": 20.0 if case.setting.seed else 9.5}

    told = results(PLAN, figures)
    assert faster_at_best(told, "lookahead", MANY, MANY_TIGHT).holds is None


def test_a_network_is_served_in_full_only_if_it_is_with_every_seed():
    def figures(case):
        lost = case.setting.seed == 2 and case.setting.tolerated_ssim == 0.4
        return {"served": 9 if lost else 10}

    told = results(PLAN, figures)
    assert told.served_in_full([(MANY, "lookahead")]) is None
    assert told.served_in_full([(MANY, "lookahead"), (MANY_TIGHT, "lookahead")]) == ()


def test_a_network_is_cheap_if_it_takes_a_tenth():
    (claim,) = (one for one in CLAIMS if one.says.startswith("LeNet and the CIFAR"))
    for small, verdict_then in ((0.9, ClaimVerdict.HOLDS), (1.1, ClaimVerdict.FAILS)):

        def figures(case, small=small):
            factor = small if case.x in ("lenet", "cifar_cnn") else 10.0
            return {"latency_s": factor, "shared_bits": round(factor * 1e9)}

        told = results(PLAN, figures)
        assert verdict_of(claim.checks(told, "lookahead")) is verdict_then


def test_half_is_enough_only_if_the_step_to_it_saves_more_than_that_to_all():
    (claim,) = (one for one in CLAIMS if one.says.startswith("50 % powerful"))
    for half, verdict_then in ((5.0, ClaimVerdict.HOLDS), (8.0, ClaimVerdict.FAILS)):

        def figures(case, half=half):
            return {"latency_s": {"100-0": 4.0, "50-50": half, "30-70": 10.0}.get(case.x, 5.0)}

        told = results(PLAN, figures)
        assert verdict_of(claim.checks(told, "lookahead")) is verdict_then


def test_being_served_later_is_not_being_served_at_once():
    (claim,) = (one for one in CLAIMS if "all requests are served" in one.says)
    told = results(PLAN, lambda case: {"rejected_first": 1})
    assert [check.holds for check in claim.checks(told, "lookahead")] == [True] * 9 + [False] * 9


def test_bad_input_is_told_in_one_line(tmp_path):
    message = refusal_of("benchmarks.claims", tmp_path / "nowhere", "--out", tmp_path / "claims.md")
    assert "plan.json: expected a readable file" in message
    (tmp_path / "plan.json").write_text(EvaluationPlan(seeds=1).model_dump_json())
    message = refusal_of("benchmarks.claims", tmp_path, "--out", tmp_path / "claims.md")
    assert "expected the runs of one seed at least" in message
    refusal_of("benchmarks.claims", tmp_path, "--out", tmp_path / "claims.txt")
    assert not (tmp_path / "claims.md").exists()
