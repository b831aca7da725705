"""What the paper leaves open, chosen otherwise, and what the claims then say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.evaluation.checks import ClaimVerdict, figure, verdict_of
from benchmarks.evaluation.claims import CLAIMS, Claim
from benchmarks.evaluation.claims_page import NAMES, markdown_table
from benchmarks.evaluation.page import described
from benchmarks.evaluation.panels import DEVICES, MIXES, PANELS, TOLERANCES, EvaluationPlan
from benchmarks.evaluation.results import PanelPoint, Results
from benchmarks.evaluation.table import LATENCY, REJECTED, UNSERVED
from benchmarks.simulate import Setting

BOTH, PAPERS = ("algorithm1", "lookahead"), ("algorithm1",)
NEVER_BINDS_S = 3600.0
"""A period in which no device runs out of computation or bandwidth."""
SHORT = {
    ClaimVerdict.HOLDS: "yes",
    ClaimVerdict.FAILS: "no",
    ClaimVerdict.DEPENDS: "partly",
    ClaimVerdict.OPEN: "?",
}
JUDGED = tuple(claim for claim in CLAIMS if not claim.beside)


@dataclass(frozen=True)
class Variant:
    """One choice made otherwise."""

    name: str
    changes: Mapping[str, Any]
    """Fields of `Setting`."""
    policies: tuple[str, ...] = BOTH
    """Those that it concerns; the others are as without it."""

    def plan(self, base: Setting, seeds: int) -> EvaluationPlan:
        """Return the runs that the claims need."""
        changed = base.model_copy(update=dict(self.changes))
        return EvaluationPlan(
            base=changed, panels=tuple(PANELS), policies=self.policies, seeds=seeds, ends=True
        )


def variants(base: Setting) -> tuple[Variant, ...]:
    """Return the base itself, then what is chosen otherwise."""
    return (
        Variant("as chosen", {}),
        Variant("period halved", {"period_s": base.period_s / 2}),
        Variant("period doubled", {"period_s": base.period_s * 2}),
        Variant("memory halved", {"memory_scale": base.memory_scale / 2}),
        Variant(
            "memory halved, other budgets never bind",
            {"memory_scale": base.memory_scale / 2, "period_s": NEVER_BINDS_S},
        ),
        Variant("VGG19 refused at 0.4", {"unattainable": "reject"}),
        Variant("alpha 0.3, beta 0.7", {"alpha": 0.3, "beta": 0.7}, PAPERS),
        Variant("alpha 1, beta 0", {"alpha": 1.0, "beta": 0.0}, PAPERS),
        Variant("bandwidth in kbit", {"bandwidth_unit_bits": 1e3}, PAPERS),
        Variant("bandwidth in Gbit", {"bandwidth_unit_bits": 1e9}, PAPERS),
    )


def verdicts(
    claim: Claim, told: Mapping[str, Results], variant: Variant
) -> dict[str, ClaimVerdict]:
    """Return what a variant's runs say of a claim, under each policy that it concerns."""
    results = told[variant.name]
    return {policy: verdict_of(claim.checks(results, policy)) for policy in variant.policies}


def sensitivity_page(base: Setting, told: Mapping[str, Results], command: str) -> str:
    """Return the page as Markdown, from results by variant: what moves, and the figures behind."""
    chosen, *others = variants(base)
    return "\n".join(
        [
            "# Choices that the paper leaves open",
            "",
            "The paper gives no period, no unit of the bandwidth in nrm, and no word on maps of",
            "which no share is safe. [Figure 3, rebuilt](figures.md) chooses. Here each choice is",
            "made otherwise, the claims are judged again, with the least and the most devices of",
            "their panels, and what moves is bold.",
            "",
            "```text",
            command,
            "```",
            "",
            described(told[chosen.name].plan),
            "",
            "## Which claims move",
            "",
            *_moved(chosen, others, told),
            "",
            "## Figures",
            "",
            *_figures(chosen, others, told),
            "",
        ]
    )


def _moved(chosen: Variant, others: list[Variant], told: Mapping[str, Results]) -> list[str]:
    """Return a table of claims by variants; what differs from the choice is bold."""
    titles = " and ".join(NAMES[policy] for policy in BOTH)
    rows = []
    for claim in JUDGED:
        base = verdicts(claim, told, chosen)
        cells = [" / ".join(SHORT[base[policy]] for policy in BOTH)]
        for other in others:
            found = verdicts(claim, told, other)
            texts = [_marked(found[policy], base[policy]) for policy in other.policies]
            cells.append(" / ".join(texts))
        rows.append([claim.says, *cells])
    return [
        f"Does the sentence hold under {titles}? Partly: of its comparisons some say yes, others "
        "no or nothing. Bold where it answers otherwise than as chosen; the last variants concern "
        "Algorithm 1 only.",
        "",
        *markdown_table(["the paper says", *(one.name for one in (chosen, *others))], rows),
    ]


def _marked(found: ClaimVerdict, chosen: ClaimVerdict) -> str:
    return SHORT[found] if found is chosen else f"**{SHORT[found]}**"


def _figures(chosen: Variant, others: list[Variant], told: Mapping[str, Results]) -> list[str]:
    """Return a table of figures by variants: latencies, and what is rejected."""
    points = [PanelPoint("3a", str(n), t) for n in (DEVICES[0], DEVICES[-1]) for t in TOLERANCES]
    rejected = PanelPoint("3c", MIXES[-1], TOLERANCES[-1])
    titles = [f"{point} (s)" for point in points] + [f"rejected at first, {rejected} (%)"]
    rows = []
    for variant in (chosen, *others):
        results = told[variant.name]
        for policy in variant.policies:
            cells = [_latency(results, point, policy) for point in points]
            lost = figure(results.values(rejected, policy, REJECTED), "").strip()
            rows.append([variant.name, NAMES[policy], *cells, lost])
    return [
        "Total latency of served requests; in brackets, how many percent are never served.",
        "",
        *markdown_table(["", "policy", *titles], rows),
    ]


def _latency(results: Results, point: PanelPoint, policy: str) -> str:
    text = figure(results.values(point, policy, LATENCY), "").strip()
    lost = results.values(point, policy, UNSERVED).mean()
    return f"{text} ({lost:.0f} %)" if lost else text
