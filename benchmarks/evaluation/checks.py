"""Comparisons of figures over seeds, and what they say of a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from benchmarks.evaluation.looser import only_adds
from benchmarks.evaluation.results import Point, Results
from benchmarks.evaluation.table import mean_and_half
from optmodel.problem import FloatArray

LATENCY, BOUND, UNSERVED = "latency_total_s", "bound_total_s", "unserved_percent"


class Verdict(StrEnum):
    """What runs say of a sentence."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DEPENDS = "depends"
    """Holds for a part of what the sentence is about, or seeds disagree."""
    OPEN = "not known"
    """Neither proven nor refuted."""


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes
    ----------
    text : str
        What was compared, with figures.
    holds : bool or None
        None if the interval over seeds does not tell.
    """

    text: str
    holds: bool | None


def verdict_of(checks: Sequence[Check]) -> Verdict:
    """Return what checks say together."""
    told = {check.holds for check in checks}
    if told == {True}:
        return Verdict.HOLDS
    return Verdict.FAILS if told == {False} else Verdict.DEPENDS


def figure(values: FloatArray, unit: str) -> str:
    """Return a mean with its interval as text."""
    mean, half = mean_and_half(values)
    spread = "" if np.isnan(half) else f" ± {half:.2g}"
    return f"{mean:.4g}{spread} {unit}"


def is_positive(values: FloatArray) -> bool | None:
    """Tell whether the mean over all seeds is positive; None if its 95 % interval does not tell."""
    mean, half = mean_and_half(values)
    half = 0.0 if np.isnan(half) else half
    if mean - half > 0:
        return True
    return False if mean + half <= 0 or mean <= 0 else None


def less(results: Results, policy: str, measure: str, unit: str, low: Point, high: Point) -> Check:
    """Check that a measure is less at one point than at another, seed by seed."""
    first, second = (results.values(point, policy, measure) for point in (low, high))
    text = f"{low}: {figure(first, unit)}; {high}: {figure(second, unit)}"
    return Check(text, is_positive(second - first))


def faster(results: Results, policy: str, fast: Point, slow: Point) -> Check:
    """Check that all requests are served in less time at one point than at another.

    Where fewer of them are ever served, it takes longer. What is served at both is told too.
    """
    lost = [results.values(point, policy, UNSERVED) for point in (fast, slow)]
    check = less(results, policy, LATENCY, "s", fast, slow)
    if not lost[0].any() and not lost[1].any():
        return check
    names, one, other = results.common(fast, slow, policy)
    text = (
        f"{fast}: {figure(lost[0], '%')} never served; {slow}: {figure(lost[1], '%')} never served;"
        f" {', '.join(names) or 'no network'}, served in full at both: {figure(one, 's')} and "
        f"{figure(other, 's')}"
    )
    more_lost = is_positive(lost[1] - lost[0])
    return Check(text, more_lost if np.any(lost[0] != lost[1]) else check.holds)


def faster_at_best(results: Results, policy: str, fast: Point, slow: Point) -> Check:
    """Check whether an optimal placement takes less at one point than at another, if proven.

    Optima lie between the certified bound and what a policy reaches, if it serves all requests. And
    where a looser tolerance only adds placements, its optimum is no worse.
    """
    text = f"{fast} against {slow}: "
    at_fast, at_slow = (results.setting(point, policy) for point in (fast, slow))
    if only_adds(at_slow, at_fast):
        return Check(text + "all that is allowed at the first is allowed at the second", False)
    if only_adds(at_fast, at_slow):
        return Check(text + "all that is allowed at the second is allowed at the first", True)
    reached = [results.values(point, policy, LATENCY) for point in (fast, slow)]
    bounds = [results.values(point, policy, BOUND) for point in (fast, slow)]
    if any(results.values(point, policy, UNSERVED).any() for point in (fast, slow)):
        return Check(text + "not every request is served", None)
    if (reached[0] < bounds[1]).all():
        text += f"at most {figure(reached[0], 's')}, at least {figure(bounds[1], 's')}"
        return Check(text, True)
    if (reached[1] <= bounds[0]).all():
        text += f"at least {figure(bounds[0], 's')}, at most {figure(reached[1], 's')}"
        return Check(text, False)
    text += " and ".join(
        f"{figure(least, 's')} to {figure(most, 's')}"
        for least, most in zip(bounds, reached, strict=True)
    )
    return Check(text, None)


def above(
    results: Results, policy: str, measure: str, unit: str, point: Point, least: float
) -> Check:
    """Check that the mean of a measure is above a figure."""
    values = results.values(point, policy, measure)
    return Check(f"{point}: {figure(values, unit)}", is_positive(values - least))
