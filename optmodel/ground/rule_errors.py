"""What is wrong with an input: one clear message that names the culprit and the repair."""

import re
from collections.abc import Iterable


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


class ResultError(Exception):
    """A method returned something that its checker refuses; never the user's fault."""


class JsonError(RuleError):
    """Text that is no JSON.

    `reason` is what the parser says of it.
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


class OptionError(InputError):
    """A field of a run's options that cannot be used; a command calls it by its own option."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.args = (field, message)  # What it can be made of again.
        self.field, self.message = field, message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


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
