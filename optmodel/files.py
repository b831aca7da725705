"""Read and write JSON files: one clear message on bad input, atomic writes."""

import errno
import io
import json
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, TextIO, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

MAX_FILE_BYTES = 64_000_000
EXACT_FLOATS = 2**53
"""Up to here every whole number is a float of its own."""
MOST_ERRORS = 10
"""Of one file that are told."""
STANDARD = Path("-")
"""Standard input where something is read, standard output where something is written."""
RANDOM_BYTES = 4
"""In the names of temporary files."""
PYDANTIC_PREFIX = re.compile(r"^(Input|Tuple|String) should (be|have) ")

SchemaVersion = Annotated[int, Field(ge=1, le=1)]
"""The one version of the file formats so far; unlike `Literal[1]` it refuses true."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class RuleError(ValueError):
    """A rule of the input format that one field breaks.

    Parameters
    ----------
    field : str
        Path of the culprit, relative to the object that states the rule.
    expected, got : str
        What the rule asks for and what stands there.
    repair : str
        What the user should do.
    """

    def __init__(self, field: str, expected: str, got: str, repair: str) -> None:
        where = f"{field}: " if field else ""
        super().__init__(field, expected, got, repair)  # What it can be made of again.
        self._text = f"{where}expected {expected}, got {got}; {repair}"
        self.field = field
        self.expected = expected
        self.got = got
        self.repair = repair

    def __str__(self) -> str:
        return self._text

    def below(self, parent: str) -> "RuleError":
        """Return the same rule told by the object that holds the one that states it."""
        field = ".".join(part for part in (parent, self.field) if part)
        return RuleError(field, self.expected, self.got, self.repair)


class JsonError(RuleError):
    """Text that is no JSON.

    Parameters
    ----------
    expected : str
        What it should be.
    reason : object
        What the parser says of it.
    """

    def __init__(self, expected: str, reason: object) -> None:
        super().__init__("", expected, f"'{reason}'", "mend the syntax")
        self.args = (expected, reason)  # What it can be made of again.


class InputError(Exception):
    """Input that cannot be used; the message names the culprit and the repair.

    Parameters
    ----------
    message : str
        In one line for each thing that is wrong.
    *rules : RuleError
        The rules of the format that are broken, if it is that; those that the message tells.
    """

    def __init__(self, message: str, *rules: RuleError) -> None:
        super().__init__(message)
        self.rules = rules

    @property
    def rule(self) -> RuleError | None:
        """The first of the rules, None if there is none."""
        return self.rules[0] if self.rules else None


TOO_DEEP = RuleError(
    "", "JSON nested a few levels deep", "hundreds of levels", "name the right file"
)


def refuse_repeated(collection: str, key: str, values: Iterable[object]) -> None:
    """Raise a `RuleError` that names the first value of `key` that comes twice."""
    seen = set()
    for index, value in enumerate(values):
        if value in seen:
            raise RuleError(
                f"{collection}[{index}].{key}", "a value used once", repr(value), "rename one"
            )
        seen.add(value)


class StrictModel(BaseModel):
    """Base of every JSON object: frozen, no unknown field, no coercion, no NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a file, or of standard input, of at most so many bytes.

    Raises
    ------
    InputError
        If the file is missing, unreadable, not a regular file, or too large.
    """
    if path == STANDARD:
        return _read_standard_input(most)
    try:
        size = path.stat().st_size
        if not path.is_file():
            got = "a folder" if path.is_dir() else "a device or pipe"
            raise InputError(f"{path}: expected a file, got {got}; name a JSON file")
        if size > most:
            raise _too_large(path, most, f"{size / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_standard_input(most: int) -> bytes:
    content = b"" if sys.stdin is None else sys.stdin.buffer.read(most + 1)
    if not content:
        raise InputError(
            f"{STANDARD}: expected a file on standard input, read once, got nothing; name the file"
        )
    if len(content) > most:
        raise _too_large(STANDARD, most, "more")
    return content


def _too_large(path: Path, most: int, got: str) -> InputError:
    return InputError(
        f"{path}: expected at most {most / 1e6:.0f} MB, got {got}; split it or name the right file"
    )


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file that may be too large to be read at once.

    Raises
    ------
    InputError
        If the file is missing or unreadable.
    """
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: expected a readable file, got '{error.strerror}'; check the name and the "
        "permissions"
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


def field_path(location: Iterable[int | str]) -> str:
    """Return `devices[2].rate_bits_per_s` for `("devices", 2, "rate_bits_per_s")`."""
    path = ""
    for step in location:
        plain = isinstance(step, str) and re.fullmatch(r"\w+", step)
        path += f".{step}" if plain else f"[{step!r}]"
    return path.removeprefix(".")


def one_line(message: str) -> str:
    """Return a message with line breaks and control characters escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def shorten(value: object) -> str:
    """Return how a value is written, cut to what a message bears."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def refuse_standard_output(path: Path | None) -> None:
    """Refuse standard output where a file is written more than once, or beside others.

    Raises
    ------
    InputError
        If that is what is named.
    """
    if path == STANDARD:
        raise InputError(
            f"{path}: expected the name of a file or folder, got standard output, which cannot be "
            "taken up again; name one"
        )


def require_writable(path: Path, *others: Path | None) -> None:
    """Refuse an output path, unless it is standard output, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where something will be written.
    *others : Path or None
        Inputs and other outputs, which it must not replace.

    Raises
    ------
    InputError
        If the folder is missing or takes no new file, the path is no regular file, or it is one
        of the others.
    """
    if path == STANDARD:
        return
    obstacle = _obstacle(path, [other for other in others if other is not None])
    if obstacle:
        raise InputError(
            f"{path}: expected a file name in a writable folder, got {obstacle}; name another file"
        )


def _obstacle(path: Path, others: Iterable[Path]) -> str | None:
    """Return why a path cannot be written, None if it can."""
    try:
        target = path.resolve()
        if target in {other.resolve() for other in others}:
            return "the name of another file of this command"
        if target.is_dir():
            return "a folder"
        if target.exists() and not target.is_file():
            return "a device or pipe"
        if not target.parent.is_dir():
            return f"a folder that does not exist ({target.parent})"
        with _temporary_beside(target) as temporary:
            temporary.touch(exist_ok=False)
    except OSError as error:
        return f"'{error.strerror}'"
    return None


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or nothing, in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: a temporary file beside it, then a rename.

    Standard output is written as it is.

    Raises
    ------
    InputError
        If the folder takes no new file, the disk is full, or the path is a folder.
    """
    if path == STANDARD:
        _write_standard_output(content)
        return
    target = path.resolve()
    try:
        with _temporary_beside(target) as temporary:
            with temporary.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError(
            f"{path}: expected a place for {len(content):,} bytes, got '{error.strerror}'; name "
            "another file or free the space"
        ) from error


def _write_standard_output(content: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(
            f"standard output: expected a place for {len(content):,} bytes, got "
            f"'{error.strerror}'; name a file or free the space"
        ) from error


@contextmanager
def written_at_the_end(path: Path) -> Iterator[TextIO]:
    """Give a stream whose text becomes the file when all is written; if that fails, none of it.

    Standard output is written at the end.

    Raises
    ------
    InputError
        If the folder takes no new file, the disk is full, or the path is a folder.
    """
    if path == STANDARD:
        text = io.StringIO()
        yield text
        _write_standard_output(text.getvalue().encode())
        return
    target = path.resolve()
    try:
        with _temporary_beside(target) as temporary:
            with temporary.open("x", encoding="utf-8") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError(
            f"{path}: expected a place for the file, got '{error.strerror}'; name another file or "
            "free the space"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where its file system can: else a name can be lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove what writers of a file that were killed have left beside it.

    Only for a file that nobody else writes at the time.
    """
    target = path.resolve()
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{{2 * RANDOM_BYTES}}}")
    for file in target.parent.iterdir():
        if ours.fullmatch(file.name):
            file.unlink()


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """Give the name of a new file beside the target, and remove what is left there at the end.

    The name is known before the file is made, so that Ctrl-C at any moment leaves none behind.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(RANDOM_BYTES)}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def write_model(path: Path, model: BaseModel) -> None:
    """Write a pydantic model as indented JSON, atomically."""
    write_text(path, model.model_dump_json(indent=1) + "\n")
