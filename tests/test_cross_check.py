"""The search for wrong answers of CP-SAT notices them, and finds none in a few instances."""

import cross_check
import numpy as np
import pytest
import reference

from optmodel.ground.rule_errors import ResultError
from optmodel.placement.solution import SolutionStatus
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

MADE = cross_check.drawn(np.random.default_rng((0, 3)))
BEST_S = float(reference.best(MADE).latency_s)


def answering(monkeypatch, **changes: object) -> str:
    """Return what the search says of CP-SAT's answer with these changes."""
    answer = solve(MADE, "cpsat", SolverOptions(threads=1)).model_copy(update=changes)
    monkeypatch.setattr(cross_check, "solve", lambda *_: answer)
    return cross_check.fault(MADE, SolverOptions(threads=1))[1]


def test_a_right_answer_passes(monkeypatch):
    assert answering(monkeypatch) == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"bound_s": BEST_S * (1 + 1e-12)}, "bound"),
        ({"solution_status": SolutionStatus.INFEASIBLE, "placement": None}, "without a placement"),
    ],
)
def test_a_wrong_answer_is_noticed(monkeypatch, changes: dict[str, object], complaint: str):
    assert complaint in answering(monkeypatch, **changes)


def test_an_error_is_noticed(monkeypatch):
    def contradicts(*_: object) -> None:
        raise ResultError("one claims, the other has")

    monkeypatch.setattr(cross_check, "solve", contradicts)
    assert cross_check.fault(MADE, SolverOptions()) == ("error", "one claims, the other has")


def test_a_few_instances_hold_no_wrong_answer():
    record = cross_check.Record("", "", seed=0)
    for number in range(8):
        record.add(number)
    assert record.instances == sum(record.statuses.values()) == 8
    assert record.wrong == {}
