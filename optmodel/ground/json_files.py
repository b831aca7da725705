"""JSON files and the pydantic models that they are read into."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from optmodel.ground.rule_errors import (
    TOO_DEEP,
    InputError,
    JsonError,
    RuleError,
    field_path,
    one_line,
    shorten,
)
from optmodel.ground.whole_files import MAX_FILE_BYTES, read_bytes, write_text

EXACT_FLOATS = 2**53
"""Up to here every whole number is a float of its own."""
MOST_ERRORS = 10
"""Of one file that are told."""
PYDANTIC_PREFIX = re.compile(r"^(Input|Tuple|String) should (be|have) ")
SchemaVersion = Annotated[int, Field(ge=1, le=1)]
"""The one version of the file formats so far; unlike `Literal[1]` it refuses true."""
ModelT = TypeVar("ModelT", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of every JSON object: frozen, no unknown field, no coercion, no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def read_model(path: Path, model: type[ModelT], most: int = MAX_FILE_BYTES) -> ModelT:
    """Read a JSON file of at most so many bytes into a pydantic model.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON, or breaks a rule of the model.
    """
    return parse_model(read_bytes(path, most), model, str(path))


def parse_model(content: bytes, model: type[ModelT], name: str) -> ModelT:
    """Parse JSON text into a pydantic model; `name` stands for the file in messages."""
    try:
        written = _parse_json(content)
    except RuleError as error:
        raise InputError(f"{name}: {one_line(str(error))}", error) from error
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        if _put_whole_numbers(written, error.errors(include_url=False)):
            return parse_model(json.dumps(written).encode(), model, name)
        rules = [_broken_rule(detail, written) for detail in _causes(error)]
        lines = [f"{name}: {one_line(str(rule))}" for rule in rules[:MOST_ERRORS]]
        if len(rules) > MOST_ERRORS:
            lines.append(f"{name}: {len(rules) - MOST_ERRORS} more like these")
        raise InputError("\n".join(lines), *rules[:MOST_ERRORS]) from error


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Return what is wrong, without what only follows: a list is too short without a bad item.

    A file of another version has other fields, too.
    """
    details = error.errors(include_url=False)
    for detail in details:
        if detail["loc"] == ("schema_version",) and detail["type"] != "missing":
            return [detail]
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail, place in zip(details, places, strict=True)
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


def _parse_json(content: bytes) -> Any:
    """Refuse text that is not JSON, nests too deeply, or repeats a key."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_refuse_repeated_keys)
    except RuleError:
        raise
    except RecursionError as error:
        raise TOO_DEEP from error
    except ValueError as error:
        raise JsonError("JSON in UTF-8", error) from error


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        field = field_path([twice])
        raise RuleError(field, "each key once in an object", "it twice", "delete one of the two")
    return found


def _put_whole_numbers(written: Any, details: Iterable[ErrorDetails]) -> bool:
    """Put 5 for 5.0 where an integer is asked for, as JSON Schema takes it; tell if anywhere."""
    found = False
    for detail in details:
        number = detail["input"]
        whole = isinstance(number, float) and number.is_integer() and abs(number) <= EXACT_FLOATS
        if detail["type"] == "int_type" and whole:
            *parents, last = _steps_in_file(detail["loc"], written)
            reduce(getitem, parents, written)[last] = int(number)
            found = True
    return found


def _steps_in_file(location: Iterable[Any], written: Any) -> Iterator[Any]:
    """Yield the steps of a location down to a number, without those that pydantic adds."""
    for step in location:
        inside = step in written if isinstance(written, dict) else isinstance(step, int)
        if inside and isinstance(written, dict | list):
            yield step
            written = written[step]


def _broken_rule(detail: ErrorDetails, written: object) -> RuleError:
    kind, context = detail["type"], detail.get("ctx", {})
    location, cause = detail["loc"], context.get("error")
    if isinstance(cause, RuleError):
        return cause.below(field_path(_in_file(location, written)))
    field = field_path([*_in_file(location[:-1], written), *location[-1:]])
    if kind == "json_invalid":
        return TOO_DEEP if "recursion" in str(cause) else JsonError("JSON", cause)
    if kind == "extra_forbidden":
        return RuleError(field, "no such field", "one", "delete it or mend its name")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = context["discriminator"].strip("'")
        tagged = f"{field}.{tag}" if field else tag
        if kind == "union_tag_not_found":
            return RuleError(tagged, "a value", "nothing", "add the field")
        expected, got = f"one of {context['expected_tags']}", f"'{context['tag']}'"
        return RuleError(tagged, expected, got, "name the one that it is; no other can be written")
    if kind == "missing":
        return RuleError(field, "a value", "nothing", "add the field")
    expected, got = PYDANTIC_PREFIX.sub("", detail["msg"]), shorten(detail["input"])
    return RuleError(field, expected, got, "correct the field" if field else "name the right file")


def _in_file(location: Iterable[int | str], written: object) -> Iterator[int | str]:
    """Yield the steps of a location that stand in the file; pydantic adds the kind of a layer."""
    for step in location:
        if isinstance(written, dict) and step not in written:
            continue
        yield step
        if isinstance(written, dict | list):
            written = written[step]  # type: ignore[index]


def write_model(path: Path, model: BaseModel) -> None:
    """Write a pydantic model as indented JSON, atomically."""
    write_text(path, model.model_dump_json(indent=1) + "\n")
