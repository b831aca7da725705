"""Policies as a user might write them, good and bad; tests run them by their dotted names."""

from optmodel.online.algorithm1 import Algorithm1
from optmodel.placement.solution import Rejection
from optmodel.problem.budget_ledger import BudgetLedger


class Cautious:
    """Leaves a tenth of every budget alone."""

    def __init__(self, *, seed: int = 0) -> None:
        self._inner = Algorithm1()

    def place(self, problem, task, left):
        left.left -= BudgetLedger.of(problem).left // 10
        return self._inner.place(problem, task, left)


class Forgetful:
    """Places each request as if it were the first."""

    def __init__(self, *, seed: int = 0) -> None:
        self._inner = Algorithm1()

    def place(self, problem, task, left):
        return self._inner.place(problem, task, BudgetLedger.of(problem))


class Sloppy:
    """Loses a segment of the last layer."""

    def __init__(self, *, seed: int = 0) -> None:
        self._inner = Algorithm1()

    def place(self, problem, task, left):
        placed = self._inner.place(problem, task, left)
        if not isinstance(placed, Rejection):
            placed.counts[-1, placed.counts[-1].argmax()] -= 1
        return placed


class Choosy:
    """Serves every second request."""

    def __init__(self, *, seed: int = 0) -> None:
        self._inner = Algorithm1()
        self._asked = 0

    def place(self, problem, task, left):
        self._asked += 1
        if self._asked % 2 == 0:
            return Rejection(request=task.request.id, condition="every second one is turned away")
        return self._inner.place(problem, task, left)


class NoPolicy:
    """Cannot place anything."""


class Undecided:
    """Returns neither a placement nor a rejection."""

    def __init__(self, *, seed: int = 0) -> None:
        pass

    def place(self, problem, task, left):
        return None


class Seedless:
    """Is not made with a seed."""

    def place(self, problem, task, left):
        return Rejection(request=task.request.id, condition="never asked")
