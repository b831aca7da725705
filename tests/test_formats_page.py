"""The instance of docs/formats.md is valid, and its answer is the one that the page explains."""

import json
import re

import pytest
from places import DOCS, ROOT

from optmodel import Instance, check, solve

PAGE = (DOCS / "formats.md").read_text(encoding="utf-8")
(WRITTEN,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXPLAINED = re.findall(r"^\| (\w+) \| .* \| (\d+\.\d+) \|$", PAGE, re.MULTILINE)


def test_the_answer_is_the_one_that_the_page_explains():
    instance = Instance.model_validate_json(WRITTEN)
    solution = solve(instance)
    (latency,) = solution.latency
    in_ms = {name: 1e3 * seconds for name, seconds in latency.layers_s.items()}
    assert in_ms == pytest.approx({name: float(number) for name, number in EXPLAINED}, abs=5e-4)
    assert f"The answer is {1e3 * solution.objective_s:.3f} ms, proven" in PAGE
    assert check(instance, solution.placement).passed


def test_every_field_is_explained():
    named = set(re.findall(r"`(\w+)`", PAGE))
    for schema in ("instance", "solution"):
        file = ROOT / "optmodel" / f"{schema}.schema.json"
        assert set(json.loads(file.read_text(encoding="utf-8"))["properties"]) <= named
