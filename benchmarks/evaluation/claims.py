"""The paper's sentences about Figure 3, each with the comparisons that it stands or falls with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.evaluation.checks import (
    Check,
    ClaimVerdict,
    above,
    all_faster_at_best,
    faster,
    figure,
    is_positive,
    less,
    less_in_total,
    less_in_totals,
    totals,
    verdict_of,
)
from benchmarks.evaluation.panels import DEVICES, MIXES, TOLERANCES
from benchmarks.evaluation.results import PanelPoint, Results
from benchmarks.evaluation.table import LATENCY, REJECTED, SHARED, UNSERVED

FEW, MANY = str(DEVICES[0]), str(DEVICES[-1])
ENOUGH = "40"
"""The fewest that serve all requests in the end, whoever places them."""
LOOSE, MIDDLE, TIGHT = TOLERANCES
PRIVATE = (MIDDLE, TIGHT)
SMALL = ("lenet", "cifar_cnn")
LARGE = ("vgg16", "vgg19")
TIMES_CHEAPER = 10.0
"""A network counts as cheap beside another if it takes less than a tenth."""

Checks = Callable[[Results, str], list[Check]]
Pairs = Sequence[tuple[PanelPoint, PanelPoint]]


@dataclass(frozen=True)
class Claim:
    """One sentence."""

    says: str
    """What the paper says, in short."""
    panel: str
    """Where it says so."""
    checks: Checks
    """What must hold under a policy."""
    faster: Pairs = ()
    """If it is about latencies: which point it takes to be faster than which; about these an
    optimal placement is asked too."""
    beside: tuple[str, ...] = ()
    """Policies that it compares others with, so that their runs are needed too."""

    def at_best(self, results: Results, policy: str) -> list[Check]:
        """Return what is proven of optimal placements, if it is about latencies."""
        pairs = _with_runs(results, self.faster)
        return [one for pair in pairs for one in all_faster_at_best(results, policy, *pair)]

    def under_optimum(self, results: Results, policy: str) -> ClaimVerdict | None:
        """Return what is proven of optimal placements; None if it is not about latencies.

        Depends if a part of the sentence is proven not to hold.
        """
        checks = self.at_best(results, policy)
        if not checks:
            return None
        told = {check.holds for check in checks}
        return ClaimVerdict.OPEN if told == {True, None} else verdict_of(checks)


def _by_latency(says: str, panel: str, pairs: Pairs) -> Claim:
    """Return the claim that of each pair the first is faster."""

    def checks(results: Results, policy: str) -> list[Check]:
        there = _with_runs(results, pairs)
        return [one for fast, slow in there for one in faster(results, policy, fast, slow)]

    return Claim(says, panel, checks, pairs)


def _with_runs(results: Results, pairs: Pairs) -> Pairs:
    """Return the pairs of points that were simulated; the sensitivity leaves some out."""
    return [pair for pair in pairs if all(point in results for point in pair)]


def _more_data(results: Results, policy: str, pairs: Pairs) -> list[Check]:
    keys = [((low, policy), (high, policy)) for low, high in pairs]
    return [one for pair in keys for one in less_in_totals(results, SHARED, "Gbit", *pair)]


def _shared_grows_with_devices(results: Results, policy: str) -> list[Check]:
    ends = [(few, t) for t in TOLERANCES for few in (FEW, ENOUGH)]
    pairs = [(PanelPoint("3b", few, t), PanelPoint("3b", MANY, t)) for few, t in ends]
    return _more_data(results, policy, _with_runs(results, pairs))


def _shared_grows_with_privacy(results: Results, policy: str) -> list[Check]:
    pairs = [
        (PanelPoint("3b", MANY, loose), PanelPoint("3b", MANY, t))
        for loose, t in pairwise(TOLERANCES)
    ]
    return _more_data(results, policy, pairs)


def _few_devices_reject(results: Results, policy: str) -> list[Check]:
    return [_rejects(results, policy, PanelPoint("3a", FEW, t)) for t in PRIVATE]


def _small_devices_reject(results: Results, policy: str) -> list[Check]:
    half, weak = (PanelPoint("3c", mix, TIGHT) for mix in MIXES[-2:])
    return [
        _rejects(results, policy, weak),
        less(results, policy, REJECTED, "% rejected", half, weak),
    ]


def _half_serves_all(results: Results, policy: str) -> list[Check]:
    points = [PanelPoint("3c", mix, t) for mix in MIXES[:3] for t in TOLERANCES]
    return [
        _none(results, policy, measure, unit, point)
        for measure, unit in ((UNSERVED, "% never served"), (REJECTED, "% rejected"))
        for point in points
    ]


def _none(results: Results, policy: str, measure: str, unit: str, point: PanelPoint) -> Check:
    values = results.values(point, policy, measure)
    return Check(f"{point}: {figure(values, unit)}", not values.any())


def _rejects(results: Results, policy: str, point: PanelPoint) -> Check:
    """Check that requests are rejected at a point, and tell how many are never served there."""
    rejected = results.values(point, policy, REJECTED)
    lost = figure(results.values(point, policy, UNSERVED), "% never served")
    return Check(f"{point}: {figure(rejected, '% rejected')}, {lost}", is_positive(rejected))


def _half_is_enough(results: Results, policy: str) -> list[Check]:
    """Check that the step from 30 to 50 % powerful saves more than that from 50 to 100 %."""
    checks = []
    for t in TOLERANCES:
        keys = [(PanelPoint("3c", mix, t), policy) for mix in (MIXES[0], MIXES[2], MIXES[3])]
        note, (full, half, weak) = totals(results, keys, LATENCY)
        text = f"{note}at {t}: " + ", ".join(
            f"{mix} {figure(values, 's')}"
            for mix, values in ((MIXES[3], weak), (MIXES[2], half), (MIXES[0], full))
        )
        checks.append(Check(text, is_positive((weak - half) - (half - full))))
    return checks


def _small_networks_are_cheap(results: Results, policy: str) -> list[Check]:
    checks = []
    for name in SMALL:
        for t in TOLERANCES:
            for measure, unit in (("latency_mean_s", "s"), ("shared_mean_mbit", "Mbit")):
                point, beside = PanelPoint("3e", name, t), PanelPoint("3e", LARGE[0], t)
                small, large = (results.values(p, policy, measure) for p in (point, beside))
                text = f"{point}: {figure(small, unit)} a request; {beside}: {figure(large, unit)}"
                checks.append(Check(text, is_positive(large - TIMES_CHEAPER * small)))
    return checks


def _large_networks_send(results: Results, policy: str) -> list[Check]:
    measure = "sending_percent_of_service"
    return [
        above(results, policy, measure, "% of Eq. 5 is sending", PanelPoint("3e", name, t), 50.0)
        for name in LARGE
        for t in TOLERANCES
    ]


def _beats_layerwise(results: Results, policy: str) -> list[Check]:
    places = (("3a", MANY), ("3c", MIXES[0]), ("3c", MIXES[-1]))
    points = [PanelPoint(panel, x, t) for panel, x in places for t in TOLERANCES]
    return [
        less_in_total(results, LATENCY, "s", (point, policy), (point, "layerwise"))
        for point in points
    ]


CLAIMS: tuple[Claim, ...] = (
    _by_latency(
        "When the number of devices is small, total latency is lowest at SSIM 0.8",
        "3a",
        [
            (PanelPoint("3a", few, LOOSE), PanelPoint("3a", few, t))
            for few in (FEW, ENOUGH)
            for t in PRIVATE
        ],
    ),
    Claim(
        "A low number of devices does not satisfy 0.6 and 0.4: requests are rejected",
        "3a",
        _few_devices_reject,
    ),
    _by_latency(
        "When more devices take part, 0.6 and 0.4 reduce latency compared with 0.8",
        "3a",
        [(PanelPoint("3a", MANY, t), PanelPoint("3a", MANY, LOOSE)) for t in PRIVATE],
    ),
    Claim("Shared data grows with the number of devices", "3b", _shared_grows_with_devices),
    Claim("Shared data grows with tighter privacy", "3b", _shared_grows_with_privacy),
    Claim(
        "With 70 % small devices many requests are rejected at 0.4 (in the paper 29 %)",
        "3c",
        _small_devices_reject,
    ),
    Claim("With 50 % powerful devices or more, all requests are served", "3c", _half_serves_all),
    Claim(
        "50 % powerful devices are enough (our reading: that step saves more than to 100 %)",
        "3c",
        _half_is_enough,
    ),
    _by_latency(
        "With 70 % small devices latency is much higher at 0.8 than at 0.6 and 0.4",
        "3c",
        [(PanelPoint("3c", MIXES[-1], t), PanelPoint("3c", MIXES[-1], LOOSE)) for t in PRIVATE],
    ),
    Claim(
        "LeNet and the CIFAR network are cheap beside VGG, in latency and in data (to a tenth)",
        "3e",
        _small_networks_are_cheap,
    ),
    _by_latency(
        "For VGG, latency is lower at 0.8 than at 0.6 and 0.4",
        "3e",
        [
            (PanelPoint("3e", name, LOOSE), PanelPoint("3e", name, t))
            for name in LARGE
            for t in TOLERANCES[1:]
        ],
    ),
    Claim(
        "The latency of VGG is mostly that of transfers (our reading of its cost)",
        "3e",
        _large_networks_send,
    ),
    Claim(
        "Distributing the maps of a layer is faster than giving layers to devices (our reading)",
        "3a",
        _beats_layerwise,
        beside=("layerwise",),
    ),
)
"""In the order of the paper's text."""


def verdict(claim: Claim, results: Results, policies: Sequence[str]) -> ClaimVerdict:
    """Return what runs say of a claim under several policies: depends if they disagree."""
    told = {verdict_of(claim.checks(results, policy)) for policy in policies}
    return told.pop() if len(told) == 1 else ClaimVerdict.DEPENDS
