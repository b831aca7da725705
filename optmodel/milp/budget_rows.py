"""Budgets as rows of a MILP that no solver's tolerance can bend.

Solvers work in doubles and with absolute tolerances of about 1e-6. A row of amounts near 1e11 that
is met exactly is a broken one to them, and one that is exceeded by one unit is kept. So rows are
stated over the greatest common divisor of their amounts, and amounts that stay large are written
in digits: sum of a · x <= b, with a = A · base + r and b = B · base + s, holds for whole x iff
there is a whole carry q with

    sum of r · x - base · q <= s    and    sum of A · x + q <= B,

namely q = B - sum of A · x. Linear relaxations are the same, too.
"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyomo.environ as pyo

IndexT = TypeVar("IndexT", bound=Hashable)
Terms = Sequence[tuple[int, Any]]

MOST_AMOUNT = 2**16
"""Largest amount in a row: times a solver's tolerance, far below one unit."""
BASE = 2**12
"""Of the digits."""


@dataclass(frozen=True)
class BudgetRow:
    """sum of amount · variable <= budget, in whole numbers."""

    terms: Terms
    """Amounts, none of them 0, and variables of whole values."""
    budget: int
    """What they may come to."""

    @classmethod
    def reduced(cls, terms: Terms, budget: int) -> "BudgetRow":
        """Return the row over the common divisor of its amounts, which keeps the same points."""
        divisor = math.gcd(*(amount for amount, _ in terms))
        # The sum is a multiple of the divisor: between multiples, the budget may be rounded down.
        return cls([(amount // divisor, v) for amount, v in terms], budget // divisor)

    @property
    def load(self) -> int:
        """What the variables' values, rounded to whole numbers, come to."""
        return sum(amount * round(pyo.value(v)) for amount, v in self.terms)

    @property
    def most(self) -> float:
        """What they come to at most; infinite if a variable has no bound."""
        # An amount may be negative: what a node keeps is taken off what it sends.
        return float(sum(max(amount * v.lb, amount * _upper(v)) for amount, v in self.terms))

    def low_digits(self) -> "BudgetRow":
        """Return the row of the last digits, without its carry."""
        # Quotients are rounded down, so that the low digit of a negative amount is not negative.
        return BudgetRow([(a % BASE, v) for a, v in self.terms if a % BASE], self.budget % BASE)

    def high_digits(self, carry: Any) -> "BudgetRow":
        """Return the row of all other digits."""
        terms = [(a // BASE, v) for a, v in self.terms if a // BASE]
        return BudgetRow([*terms, (1, carry)], self.budget // BASE)

    @property
    def expression(self) -> Any:
        """The row as Pyomo takes it."""
        return pyo.quicksum(amount * v for amount, v in self.terms) <= self.budget


def _upper(variable: Any) -> float:
    return math.inf if variable.ub is None else float(variable.ub)


def add_budget_rows(
    model: pyo.ConcreteModel, name: str, rows: Mapping[IndexT, tuple[Terms, int]]
) -> None:
    """Add the constraint `name`, with a row for each index whose terms are not empty.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        Holds the variables, all of whole values; `model.budget_rows` collects the rows as they
        are meant, by name and index, and `model.carries` the carries.
    name : str
        Of the constraint.
    rows : mapping
        Terms and budget of each index.
    """
    # The first of the model's constraints on budgets.
    if not hasattr(model, "budget_rows"):
        model.budget_rows, model.carries = {}, []
    model.add_component(f"{name}_carry", pyo.VarList(domain=pyo.NonNegativeIntegers))
    model.add_component(f"{name}_low_digits", pyo.ConstraintList())
    stated = {}
    for index, (terms, budget) in rows.items():
        some = [(amount, v) for amount, v in terms if amount]
        if some:
            row = BudgetRow.reduced(some, budget)
            model.budget_rows[name, index] = row
            stated[index] = _in_digits(model, name, row)
    model.add_component(
        # Pyomo unpacks an index of several parts.
        name,
        pyo.Constraint(list(stated), rule=lambda _, *i: stated[i if len(i) > 1 else i[0]]),
    )


def _in_digits(model: pyo.ConcreteModel, name: str, row: BudgetRow) -> Any:
    """State all but the first digits of a row, and return the expression of these."""
    if max(abs(amount) for amount, _ in row.terms) <= MOST_AMOUNT:
        return row.expression
    # No values of the variables break it.
    if row.most <= row.budget:
        return pyo.Constraint.Skip
    low = row.low_digits()
    carry = getattr(model, f"{name}_carry").add()
    if low.most < math.inf:
        # Bounded, for CP-SAT takes no other variables.
        carry.setub(int(low.most) // BASE + 1)
    digits = BudgetRow([*low.terms, (-BASE, carry)], low.budget)
    getattr(model, f"{name}_low_digits").add(digits.expression)
    model.carries.append((carry, low))
    return _in_digits(model, name, row.high_digits(carry))


def set_carries(model: pyo.ConcreteModel) -> None:
    """Give every carry the least value that the values of the other variables allow."""
    for carry, low in model.carries:
        # The excess of the low digits in units of the base, rounded up.
        carry.set_value(max(0, -((low.budget - low.load) // BASE)))


def cut_off_broken(model: pyo.ConcreteModel, most: int) -> int:
    """Cut off the model's values where they break a budget; return how many budgets they break.

    Amounts are not negative, so whatever is nowhere below these values breaks the budget too: one
    of the variables in it must be less than it is now.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        Holds values that were returned as a solution.
    most : int
        What no variable without a bound exceeds.
    """
    broken = [row for row in model.budget_rows.values() if row.load > row.budget]
    if broken and not hasattr(model, "is_less"):
        model.is_less = pyo.VarList(domain=pyo.Binary)
        model.cuts = pyo.ConstraintList()
    for row in broken:
        less = list(_less(model, row, most))
        model.cuts.add(pyo.quicksum(less) >= 1)
    return len(broken)


def _less(model: pyo.ConcreteModel, row: BudgetRow, most: int) -> Iterator[Any]:
    """Yield for each variable of a row a mark that says that it is less than now."""
    for _, variable in row.terms:
        now = round(pyo.value(variable))
        # Nothing is less than 0.
        if now > 0:
            mark = model.is_less.add()
            # No larger than it must be to leave an unmarked variable free.
            above = (min(most, _upper(variable)) - now + 1) * (1 - mark)
            model.cuts.add(variable <= now - 1 + above)
            yield mark
