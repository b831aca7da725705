"""Instances survive a round trip, match their JSON Schema, and refuse whatever is malformed."""

import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import CASES

import optmodel
from instances.generate import Recipe, generate
from optmodel.ground.json_files import parse_model, write_model
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import Solution
from optmodel.problem.arrays import Problem
from optmodel.problem.instance import Instance, read_instance

VALID = Path(__file__).parent / "bad_input" / "valid.json"
SCHEMA = Instance.model_json_schema()
both_formats = pytest.mark.parametrize("model", [Instance, Solution])


def test_an_instance_survives_writing_and_reading_and_is_written_the_same_again(tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    write_model(first, read_instance(VALID))
    assert read_instance(first) == read_instance(VALID)
    write_model(second, read_instance(first))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("tolerance", [0.1 + 0.2, 1e-17, 5e-324, -1.0])
def test_a_tolerance_survives_to_the_last_digit(tmp_path, tolerance):
    document = json.loads(VALID.read_text())
    document["requests"][0]["tolerated_ssim"] = tolerance
    instance = parse_model(json.dumps(document).encode(), Instance, "instance")
    write_model(tmp_path / "copy.json", instance)
    assert read_instance(tmp_path / "copy.json").requests[0].tolerated_ssim == tolerance


def test_nodes_are_the_helpers_and_then_the_sources():
    nodes = read_instance(VALID).nodes
    assert [node.id for node in nodes] == ["helper-1", "helper-2", "camera-1", "camera-2"]


def test_the_network_of_a_request_is_found_by_its_id():
    instance = read_instance(VALID)
    assert instance.network_of(instance.requests[0]).id == "digits"


@both_formats
def test_the_shipped_schema_is_the_exported_one(model):
    schema = model.model_json_schema()
    file = Path(optmodel.__file__).with_name(f"{model.__name__.lower()}.schema.json")
    assert file.read_text(encoding="utf-8") == json.dumps(schema, indent=1) + "\n"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_accepts_a_valid_and_a_generated_file():
    jsonschema.validate(json.loads(VALID.read_text()), SCHEMA)
    instance = generate(Recipe(("lenet", "cifar_cnn"), devices=3), "generated")
    jsonschema.validate(instance.model_dump(mode="json"), SCHEMA)


@pytest.mark.parametrize(
    "name",
    ["unknown_field", "missing_field", "wrong_type", "zero_rate", "ssim_above_one", "no_requests"],
)
def test_the_schema_refuses_a_bad_file(name):
    document = json.loads(VALID.with_name(f"{name}.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


@both_formats
def test_every_field_of_the_schema_has_a_description(model):
    schema = model.model_json_schema()
    for thing in (schema, *schema["$defs"].values()):
        for name, field in thing.get("properties", {}).items():
            told = f"{thing['title']}.{name}"
            assert "description" in field or told.endswith("Layer.kind"), told


Key = str | int


def places(value: object, here: tuple[Key, ...] = ()) -> Iterator[tuple[Key, ...]]:
    """Yield the path of every value inside a JSON document."""
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in inside:
            yield (*here, key)
            yield from places(child, (*here, key))


DOCUMENT = json.loads(VALID.read_text())
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)  # exact as a double
    | st.integers(-2, 3)
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(["helper-1", "camera-2", "digits", "conv", "fc", "block2", "r1"])
)
JSON = st.recursive(
    LEAVES | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)
)


@st.composite
def mutated_instances(draw: st.DrawFn) -> bytes:
    """Draw the valid file with one to three values replaced, deleted or added."""
    document = json.loads(VALID.read_text())
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(list(places(document))))
        holder = reduce(getitem, parents, document)
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                holder[last] = draw(JSON)
            case "delete" if len(document) > 1:
                del holder[last]
            case "add" if isinstance(holder, dict):
                holder[draw(ANY_TEXT)] = draw(JSON)
            case "add":
                holder.insert(last, draw(JSON))
    return json.dumps(document).encode()


def read_unless_refused(content: bytes) -> Instance | None:
    """Return the instance, None if it is refused with a message."""
    try:
        return parse_model(content, Instance, "mutated.json")
    except InputError as refusal:
        message = str(refusal)
    assert message.startswith("mutated.json: ")
    return None


@given(mutated_instances())
@settings(max_examples=300, deadline=None)
def test_a_mutated_instance_is_either_refused_with_a_message_or_usable(content):
    instance = read_unless_refused(content)
    if instance is not None:
        assert len(Problem.of(instance).tasks) == len(instance.requests)


@given(st.sampled_from(list(places(DOCUMENT))), LEAVES)
@settings(max_examples=300, deadline=None)
def test_a_replaced_value_is_either_refused_with_a_message_or_read_as_it_stands(place, leaf):
    document = json.loads(VALID.read_text())
    *parents, last = place
    reduce(getitem, parents, document)[last] = leaf
    instance = read_unless_refused(json.dumps(document).encode())
    if instance is not None:
        assert instance.model_dump(mode="json") == document


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_random_bytes_are_refused_with_a_message(content):
    with pytest.raises(InputError, match=r"\Arandom\.json: "):
        parse_model(content, Instance, "random.json")


def test_a_speed_that_no_arithmetic_bears_is_refused_with_the_range():
    file = CASES / "slow324.json"
    with pytest.raises(InputError, match=r"compute_mult_per_s: expected .*0\.001, got 5e-324"):
        read_instance(file)


@pytest.mark.parametrize("field", ["compute_mult_per_s", "rate_bits_per_s"])
def test_a_billion_times_faster_is_the_most(field):
    document = json.loads(VALID.read_text())
    document["devices"][0][field] = 1e12
    for node in (*document["devices"][1:], *document["sources"]):
        node[field] = 1e3
    parse_model(json.dumps(document).encode(), Instance, "instance")
    document["sources"][1][field] = 999.0
    with pytest.raises(
        InputError, match=rf"sources\[1\].{field}: expected at least 1000 .*got 999"
    ):
        parse_model(json.dumps(document).encode(), Instance, "instance")
