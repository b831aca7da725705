"""The layout of instance files: short parts on a line, everything readable and unchanged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from instances.generate import Recipe, generate
from instances.json_layout import WIDTH, laid_out, write_laid_out
from optmodel.problem.instance import Instance, read_instance

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=60,
)


@pytest.fixture
def instance() -> Instance:
    return generate(Recipe(("vgg16", "lenet"), "mixed", 40, 0.6), "é", "umlauts: ä, é")


@examples(100)
@given(json_values)
def test_the_layout_changes_no_value(value):
    assert json.loads(laid_out(value)) == value


def test_an_instance_survives_the_layout(tmp_path, instance):
    write_laid_out(tmp_path / "made.json", instance)
    assert read_instance(tmp_path / "made.json") == instance
    assert "umlauts: ä, é" in (tmp_path / "made.json").read_text(encoding="utf-8")


def test_every_device_and_layer_has_its_line(instance):
    lines = [
        line.strip().rstrip(",") for line in laid_out(instance.model_dump(mode="json")).splitlines()
    ]
    for part in (*instance.devices, *instance.networks[0].layers):
        assert json.dumps(part.model_dump(mode="json")) in lines


def test_a_changed_budget_changes_one_line(instance):
    devices = list(instance.devices)
    devices[7] = devices[7].model_copy(update={"memory_bytes": 1.0})
    changed = instance.model_copy(update={"devices": tuple(devices)})
    before, after = (
        laid_out(made.model_dump(mode="json")).splitlines() for made in (instance, changed)
    )
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_what_fits_stands_on_one_line_and_what_does_not_is_split():
    assert laid_out([1, [2, {"a": 3}]]) == '[1, [2, {"a": 3}]]'
    assert len(laid_out(["z" * (WIDTH - 4)]).splitlines()) == 1
    assert len(laid_out(["z" * (WIDTH - 3)]).splitlines()) == 3
    parts = ["x" * 200, "y" * 100]
    assert laid_out(parts).splitlines() == ["[", f' "{parts[0]}",', f' "{parts[1]}"', "]"]
