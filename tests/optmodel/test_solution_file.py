"""Solution files match their published schema; a placement alone can be checked."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from commands import run
from places import INSTANCES

from optmodel.checker import check
from optmodel.ground.rule_errors import InputError
from optmodel.placement.bare_placement import with_flows
from optmodel.placement.solution import (
    PlacementDocument,
    Solution,
    read_solution,
    read_solution_or_placement,
)
from optmodel.problem.instance import read_instance

SCHEMA = Solution.model_json_schema()
FILE = INSTANCES / "small" / "lenet-0.8-4-mixed.json"
SOLVED = FILE.with_suffix(".solution.json")


def bare(**changes: Any) -> dict[str, Any]:
    """Return the shipped placement as one would write it by hand."""
    placement = json.loads(SOLVED.read_text())["placement"]
    for layer in placement["requests"][0]["layers"]:
        del layer["flows"]
        layer["segments"] = changes.get(layer["layer"], layer["segments"])
    return {"requests": placement["requests"]}


def checked(path: Path, content: object) -> tuple[int, str]:
    """Return exit code and output of the command for a file with this content."""
    path.write_text(json.dumps(content))
    done = run("optmodel.check", FILE, path)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", ["small", "medium", "paper", "measured"])
def test_the_schema_accepts_every_shipped_solution(name: str) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    # The large ones repeat themselves: every third takes all kinds of fields.
    files = sorted((INSTANCES / name).glob("*.solution.json"))[::3]
    assert files
    for file in files:
        validator.validate(json.loads(file.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        {"gap": "small"},
        {"solution_status": "best"},
        {"schema_version": 2},
        {"colour": 1},
        {"objective_s": -1.0},
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(tmp_path: Path, change: dict[str, Any]) -> None:
    document = json.loads(SOLVED.read_text()) | change
    (tmp_path / "changed.json").write_text(json.dumps(document))
    with pytest.raises(InputError):
        read_solution(tmp_path / "changed.json")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_a_placement_by_hand_is_checked_and_its_latency_told(tmp_path: Path) -> None:
    code, out = checked(tmp_path / "mine.json", bare())
    assert code == 0
    assert "request r1: 1.217059 ms" in out
    assert "relu1   0.765873 ms   rpi3-1: 3, nexus-1: 2, rpi3-2: 3" in out
    assert out.endswith("mine.json: passed, 1 request(s), latency 1.217059 ms\n")


def test_the_placement_of_a_solution_is_one(tmp_path: Path) -> None:
    placement = json.loads(SOLVED.read_text())["placement"]
    code, out = checked(tmp_path / "cut.json", placement)
    assert code == 0
    assert out.endswith(": passed, 1 request(s), latency 1.217059 ms\n")
    schema = SCHEMA["$defs"]["PlacementDocument"] | {"$defs": SCHEMA["$defs"]}
    jsonschema.validate(placement, schema)


def test_a_bad_placement_is_told_with_every_violation(tmp_path: Path) -> None:
    wrong = bare(relu1={"rpi3-1": 8}, conv1={"rpi3-1": 1})
    code, out = checked(tmp_path / "mine.json", wrong)
    assert code == 1
    assert "(8f) request 'r1', layer 'relu1', node 'rpi3-1': holds 8 maps of 'conv1'" in out
    assert "(8h) request 'r1', layer 'conv1', node 'rpi3-1'" in out
    assert out.endswith("2 violation(s)\n")


def test_a_request_that_is_neither_placed_nor_rejected_is_told(tmp_path: Path) -> None:
    code, out = checked(tmp_path / "none.json", {"requests": []})
    assert code == 1
    assert "(8e) request 'r1': expected once among placed and rejected" in out
    rejected = [{"request": "r1", "condition": "I leave it out"}]
    code, out = checked(tmp_path / "none.json", {"requests": [], "rejected": rejected})
    assert code == 0
    assert out.endswith(": passed, 0 request(s), latency 0.000000 ms\n")


def test_maps_stay_where_they_can_and_the_others_go_in_the_order_of_the_file() -> None:
    moved = bare(conv2={"nexus-1": 4, "rpi3-2": 3, "stm32h7-1": 1})
    document = PlacementDocument.model_validate_json(json.dumps(moved))
    instance = read_instance(FILE)
    layers = {one.layer: one for one in with_flows(instance, document).requests[0].layers}
    flows = layers["pool1"].flows
    assert flows is not None
    assert [(flow.sender, flow.receiver, flow.maps) for flow in flows] == [
        ("nexus-1", "nexus-1", 2),
        ("rpi3-2", "rpi3-2", 3),
        ("rpi3-1", "nexus-1", 2),
        ("rpi3-1", "stm32h7-1", 1),
    ]
    assert layers["conv1"].flows is layers["fc3"].flows is None
    assert check(instance, with_flows(instance, document)).passed


def test_flows_that_are_written_are_kept() -> None:
    written = bare()
    layer = written["requests"][0]["layers"][1]
    layer["flows"] = [{"sender": "rpi3-1", "receiver": "nexus-1", "maps": 8}]
    document = PlacementDocument.model_validate_json(json.dumps(written))
    layers = with_flows(read_instance(FILE), document).requests[0].layers
    assert layers[1].flows == document.requests[0].layers[1].flows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"requests": [{"request": "r1"}]}, r"requests\[0\]\.layers: expected a value"),
        ({"requests": [], "colour": 1}, "colour: expected no such field"),
        ({"requests": [], "schema_version": 1}, "instance: expected a value"),
        ([], "expected an object"),
    ],
)
def test_what_is_neither_solution_nor_placement_is_refused(
    tmp_path: Path, content: object, message: str
) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_solution_or_placement(file)


def test_a_solution_is_read_as_one() -> None:
    assert isinstance(read_solution_or_placement(SOLVED), Solution)
