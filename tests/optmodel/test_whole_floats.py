"""A whole number may be written 5.0 in every file, as JSON Schema has it; 5.5 or "5" may not."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from places import CASES, SMALL
from pydantic import BaseModel

from heuristics.scheduler.events import EventLine
from instances.ssim import TABLE_I
from optmodel.ground.json_files import parse_model, read_model
from optmodel.ground.rule_errors import InputError
from optmodel.placement.solution import Solution
from optmodel.problem.instance import FleetDocument, Instance, read_instance
from optmodel.problem.network import Network
from optmodel.problem.ssim import SsimTable
from optmodel.solving import solve

CASE = CASES / "float3.json"
LENET = json.loads((SMALL / "lenet-0.8-4-mixed.json").read_text())

FILES: dict[type[BaseModel], Any] = {
    Instance: LENET,
    FleetDocument: LENET,
    Network: LENET["networks"][0],
    SsimTable: json.loads(TABLE_I.read_text()),
    Solution: json.loads((SMALL / "lenet-0.8-4-mixed.solution.json").read_text()),
    EventLine: {"event": "reoptimise", "most_moves": 3},
}


def all_floats(value: Any) -> Any:
    """Return JSON in which every whole number has become a float."""
    if isinstance(value, dict):
        return {key: all_floats(one) for key, one in value.items()}
    if isinstance(value, list):
        return [all_floats(one) for one in value]
    return float(value) if type(value) is int else value


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.__name__)
def test_whole_floats_are_read_as_the_integers_that_they_are(kind: type[BaseModel]) -> None:
    plain, floats = (json.dumps(one).encode() for one in (FILES[kind], all_floats(FILES[kind])))
    assert plain != floats
    assert parse_model(floats, kind, "file") == parse_model(plain, kind, "file")


def test_a_kernel_of_5_0_is_valid_by_the_schema_and_solved_like_5() -> None:
    jsonschema.validate(json.loads(CASE.read_text()), Instance.model_json_schema())
    read = read_instance(CASE)
    assert read == read_instance(SMALL / "lenet-0.8-4-mixed.json")
    assert f"{solve(read).objective_s:.9f}" == "0.001217059"


@pytest.mark.parametrize("written", ["5.5", "1e400", "-1e400", "true", '"5"', "null", "1e300"])
def test_what_is_no_whole_number_stays_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "float.json"
    file.write_text(CASE.read_text().replace('"kernel": 5.0', f'"kernel": {written}', 1))
    with pytest.raises(InputError, match=r"layers\[0\]\.kernel: expected (a valid|a finite)"):
        read_model(file, Instance)


def test_a_wrong_field_beside_whole_floats_is_named_alone() -> None:
    wrong = all_floats(LENET) | {"word_bits": 32.5, "period_s": "long"}
    with pytest.raises(InputError, match=r"file: word_bits: expected a valid integer, got 32\.5"):
        parse_model(json.dumps(wrong).encode(), Instance, "file")
