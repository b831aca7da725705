"""One broken condition: where, what, and by how much."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Violation:
    """One broken condition."""

    equation: str
    """"8b" to "8i", "5" for a misreported latency, "claim" for another contradiction."""
    where: str
    """Request, layer and node concerned."""
    message: str
    """What is asked and what stands there."""
    amount: Fraction
    """By how much, in the unit that the message names."""

    def __str__(self) -> str:
        return f"({self.equation}) {self.where}: {self.message}"


def claim(where: str, message: str, amount: Fraction | int = 1) -> Violation:
    """Return the violation of a claim that contradicts what else the file says."""
    return Violation("claim", where, message, Fraction(amount))
