"""What a named set of instances is made of: members, each with its purpose and its recipe."""

from dataclasses import dataclass
from pathlib import Path

from instances.generate import Recipe


@dataclass(frozen=True)
class Member:
    """One instance of a set."""

    name: str
    """Name of the instance and of its file."""
    purpose: str
    """What it tests."""
    recipe: Recipe
    """How it is generated."""


@dataclass(frozen=True)
class InstanceSet:
    """A named set of instances."""

    name: str
    """Name of the set and of its folder."""
    introduction: str
    """What the set is for: the first paragraph of its page."""
    members: tuple[Member, ...]
    """The instances, in the order of the page."""

    @property
    def folder(self) -> Path:
        """Where the set is shipped."""
        return Path(__file__).parent / self.name


def solution_file(instance_file: Path) -> Path:
    """Return where the solution of an instance stands: NAME.solution.json beside NAME.json."""
    return instance_file.with_name(f"{instance_file.stem}.solution.json")
