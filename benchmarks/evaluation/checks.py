"""Comparisons of figures over seeds, and what they say of a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from benchmarks.evaluation.looser_tolerances import kept_beyond_paper, only_adds
from benchmarks.evaluation.results import PanelPoint, Results
from benchmarks.evaluation.table import BOUND, LATENCY, UNSERVED, mean_and_half
from optmodel.problem import FloatArray

Key = tuple[PanelPoint, str]
"""A point, and the policy that places requests there."""


class ClaimVerdict(StrEnum):
    """What runs say of a sentence."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DEPENDS = "depends"
    """Comparisons differ: some say yes, others no or nothing."""
    OPEN = "not known"
    """No comparison tells."""


@dataclass(frozen=True)
class Check:
    """One comparison."""

    text: str
    """What was compared, with figures."""
    holds: bool | None
    """None if the interval over seeds does not tell."""


def verdict_of(checks: Sequence[Check]) -> ClaimVerdict:
    """Return what checks say together."""
    told = {check.holds for check in checks}
    if len(told) > 1:
        return ClaimVerdict.DEPENDS
    return {True: ClaimVerdict.HOLDS, False: ClaimVerdict.FAILS, None: ClaimVerdict.OPEN}[
        told.pop()
    ]


def figure(values: FloatArray, unit: str) -> str:
    """Return a mean with its interval as text, a dash for no values."""
    mean, half = mean_and_half(values)
    if np.isnan(mean):
        return "-"
    spread = "" if np.isnan(half) else f" ± {short(half, 2)}"
    return f"{short(mean, 4)}{spread} {unit}"


def short(number: float, digits: int) -> str:
    """Return a number to so many digits, in plain notation where that is short."""
    text = f"{number:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text else text


def is_positive(values: FloatArray) -> bool | None:
    """Tell whether the mean over all seeds is positive; None if its 95 % interval does not tell.

    With a single seed it is the sign that tells; where a seed has no value, nothing does.
    """
    if np.isnan(values).any():
        return None
    mean, half = mean_and_half(values)
    half = 0.0 if np.isnan(half) else half
    if mean - half > 0:
        return True
    return False if mean + half <= 0 else None


def less(
    results: Results, policy: str, measure: str, unit: str, low: PanelPoint, high: PanelPoint
) -> Check:
    """Check that a measure of all requests is less at one point than at another, seed by seed."""
    first, second = (results.values(point, policy, measure) for point in (low, high))
    text = f"{low}: {figure(first, unit)}; {high}: {figure(second, unit)}"
    return Check(text, is_positive(second - first))


def totals(
    results: Results, keys: Sequence[Key], measure: str, without: str | None = None
) -> tuple[str, list[FloatArray]]:
    """Return totals that can be compared, for each seed, and in words what they are over.

    Where requests are never served, totals are over different ones: those over the networks that
    every point serves in full are returned instead, NaN if there is none. One network may be left
    out by name.
    """
    networks = results.served_in_full(keys)
    if without is not None:
        every = results.networks(*keys[0]) if networks is None else networks
        networks = tuple(name for name in every if name != without)
    if networks == ():
        unknown = [np.full(results.plan.seeds, np.nan) for _ in keys]
        return "no network is served in full at all of them; ", unknown
    note = "" if networks is None else f"{', '.join(networks)}, served in full at each; "
    return note, [results.values(*key, measure, networks) for key in keys]


def less_in_total(
    results: Results, measure: str, unit: str, low: Key, high: Key, without: str | None = None
) -> Check:
    """Check that a total is less at one point than at another, seed by seed; see `totals`."""
    note, (first, second) = totals(results, (low, high), measure, without)
    names = [str(point) for point, _ in (low, high)]
    if low[1] != high[1]:
        names = [f"{point}, {policy}" for point, policy in (low, high)]
    text = f"{note}{names[0]}: {figure(first, unit)}; {names[1]}: {figure(second, unit)}"
    return Check(text, is_positive(second - first))


def faster(results: Results, policy: str, fast: PanelPoint, slow: PanelPoint) -> list[Check]:
    """Check that all requests are served in less time at one point than at another.

    If more of them are never served at either, that is a comparison of its own. So is the time
    without a network that is placed beyond the paper's model at either.
    """
    lost = [results.values(point, policy, UNSERVED) for point in (fast, slow)]
    keys = ((fast, policy), (slow, policy))
    checks = less_in_totals(results, LATENCY, "s", *keys)
    if (lost[0] == lost[1]).all():
        return checks
    return [less(results, policy, UNSERVED, "% never served", fast, slow), *checks]


def less_in_totals(results: Results, measure: str, unit: str, low: Key, high: Key) -> list[Check]:
    """Check `less_in_total`, and again without what only an extension of the model places."""
    return [
        less_in_total(results, measure, unit, low, high, without)
        for without in left_out(results, low, high)
    ]


def left_out(results: Results, *keys: Key) -> list[str | None]:
    """Return what to leave out of each comparison: nothing, then a network if there is one.

    It is one of several of which, at a point, layers are kept on the camera as no share is safe.
    """
    settings = [results.setting(*key) for key in keys]
    served = results.served_in_full(keys)
    networks = results.networks(*keys[0]) if served is None else served
    beyond = [name for name in networks if any(kept_beyond_paper(one, name) for one in settings)]
    return [None, *beyond] if len(beyond) < len(networks) else [None]


def all_faster_at_best(
    results: Results, policy: str, fast: PanelPoint, slow: PanelPoint
) -> list[Check]:
    """Check `faster_at_best` for each of the comparisons that `faster` makes."""
    return [
        faster_at_best(results, policy, fast, slow, without)
        for without in left_out(results, (fast, policy), (slow, policy))
    ]


def faster_at_best(
    results: Results, policy: str, fast: PanelPoint, slow: PanelPoint, without: str | None = None
) -> Check:
    """Check whether an optimal placement takes less at one point than at another, if proven.

    Optima lie between the certified bound and what a policy reaches, if it serves all requests. And
    where a looser tolerance only adds placements, its optimum is no worse.
    """
    text = f"{fast} against {slow}: "
    keys = ((fast, policy), (slow, policy))
    at_fast, at_slow = (results.setting(*key) for key in keys)
    if only_adds(at_slow, at_fast):
        return Check(
            text + "never faster, all that the first allows is allowed at the second", False
        )
    if any(results.values(*key, UNSERVED).any() for key in keys):
        return Check(text + "not every request is served", None)
    note, reached = totals(results, keys, LATENCY, without)
    _, bounds = totals(results, keys, BOUND, without)
    text = (
        note
        + text
        + " and ".join(
            f"{figure(least, 's')} to {figure(most, 's')}"
            for least, most in zip(bounds, reached, strict=True)
        )
    )
    if (reached[0] < bounds[1]).all():
        return Check(text, True)
    if (reached[1] <= bounds[0]).all():
        return Check(text, False)
    if only_adds(at_fast, at_slow):
        text += "; never slower, all that the second allows is allowed at the first"
    return Check(text, None)


def above(
    results: Results, policy: str, measure: str, unit: str, point: PanelPoint, least: float
) -> Check:
    """Check that the mean of a measure is above a figure."""
    values = results.values(point, policy, measure)
    return Check(f"{point}: {figure(values, unit)}", is_positive(values - least))
