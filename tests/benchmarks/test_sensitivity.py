"""Choices made otherwise: what is run for them, and what the page says moves."""

import pytest
from commands import refusal_of
from invented import results

from benchmarks.evaluation.variants import JUDGED, sensitivity_page, variants
from benchmarks.simulate import Setting

BASE = Setting(requests=10)


def page(changed: str, seeds: int = 1) -> list[str]:
    """The lines of the page where all requests of one variant take ten times as long at 0.6."""

    def figures(name, case):
        slow = name == changed and case.setting.tolerated_ssim == 0.6
        latency = {0.8: 30.0, 0.6: 20.0, 0.4: 10.0}[case.setting.tolerated_ssim]
        return {"latency_s": latency * (10 if slow else 1)}

    told = {
        one.name: results(one.plan(BASE, seeds), lambda case, name=one.name: figures(name, case))
        for one in variants(BASE)
    }
    return sensitivity_page(BASE, told, "python -m benchmarks.sensitivity").splitlines()


def cells(lines: list[str], first: str) -> list[str]:
    (line,) = (line for line in lines if line.startswith(f"| {first}"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_what_moves_is_bold_and_stands_in_the_column_of_its_variant():
    lines = page("memory halved")
    names, told = cells(lines, "the paper says"), cells(lines, "When more devices take part")
    answers = dict(zip(names, told, strict=True))
    assert answers["as chosen"] == "yes / yes"
    assert answers["memory halved"] == "**partly** / **partly**"
    assert answers["period halved"] == "yes / yes"
    assert answers["bandwidth in kbit"] == "yes"  # Concerns Algorithm 1 only.


def test_every_claim_and_variant_has_its_line():
    lines = page("period doubled")
    for claim in JUDGED:
        assert len(cells(lines, claim.says)) == len(variants(BASE))
    doubled = [line for line in lines if line.startswith("| period doubled | ")]
    assert [line.split(" | ")[1] for line in doubled] == ["Algorithm 1", "lookahead"]
    assert " 200 | " in doubled[0]


def test_variants_change_what_they_say_and_nothing_else():
    chosen, *others = variants(BASE)
    assert chosen.plan(BASE, 2).base == BASE
    changed = {one.name: one.plan(BASE, 2).base for one in others}
    assert changed["period halved"] == BASE.model_copy(update={"period_s": 15.0})
    assert changed["memory halved"] == BASE.model_copy(update={"memory_scale": 0.5})
    assert changed["bandwidth in Gbit"].bandwidth_unit_bits == 1e9
    assert len({plan.model_dump_json() for plan in changed.values()}) == len(others)


def test_only_the_points_that_claims_look_at_are_run():
    plan = variants(BASE)[0].plan(BASE, 1)
    assert {setting.devices for setting in plan.settings()} == {20, 50, 70}
    assert len(plan.settings()) == 2 * 3 * (2 + 4 + 4)


@pytest.mark.parametrize("option", ["--seeds", "--requests"])
def test_a_bad_option_is_refused(option, tmp_path):
    message = refusal_of("benchmarks.sensitivity", "--out", tmp_path / "out", option, 0)
    assert f"{option}: expected a number from 1 to" in message
    assert not (tmp_path / "out").exists()
