"""The claims as a page: a table of verdicts, then the figures behind each."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.evaluation.checks import Check, ClaimVerdict, verdict_of
from benchmarks.evaluation.claims import CLAIMS, Claim, verdict
from benchmarks.evaluation.page import described
from benchmarks.evaluation.results import Results

NAMES = {"algorithm1": "Algorithm 1", "lookahead": "lookahead", "layerwise": "layer-wise"}

RULES = """How a sentence is judged:

- It holds if every comparison below it does: by the 95 % interval of the paired differences over
  seeds, with one seed by the sign. It `depends` where comparisons or placements differ.
- Rejected is who has no place at first; as in the paper it is tried again. Who is never served
  stands beside it.
- Totals of points that do not serve the same requests are compared over the networks that each
  serves in full. Where fewer requests are ever served, that is a comparison of its own.
- At 0.4 no share of block 3 of VGG19 is safe, and its layers stay on the camera, which extends the
  paper's model (8h). Totals over several networks are compared with and without it there.
- The column on optimal placements tells what is proven of sentences about latencies. An optimum
  lies between the certified bound and what lookahead reaches, and is never worse where a looser
  tolerance only adds placements; that alone does not make it better.
"""


def claims_page(results: Results, policies: Sequence[str], command: str) -> str:
    """Return the page as Markdown; of the policies the paper's comes first, then the better one."""
    lines = [
        "# What the paper says about Figure 3, checked",
        "",
        described(results.plan),
        "",
        "```text",
        command,
        "```",
        "",
        RULES,
        *table(results, policies),
        "",
    ]
    for number, claim in enumerate(CLAIMS, start=1):
        lines += _section(number, claim, results, policies)
    return "\n".join(lines)


def verdicts(results: Results, policies: Sequence[str]) -> Iterator[tuple[Claim, list[str]]]:
    """Yield each claim with what is said of it: under each policy, under an optimum, over all."""
    for claim in CLAIMS:
        told = [verdict_of(claim.checks(results, policy)) for policy in policies]
        optimal = claim.under_optimum(results, policies[-1]) or ""
        yield claim, [*map(str, told), str(optimal), str(verdict(claim, results, policies))]


def table(results: Results, policies: Sequence[str]) -> list[str]:
    """Return the lines of a table with a verdict per claim and policy."""
    titles = [NAMES.get(policy, policy) for policy in policies]
    return markdown_table(
        ["", "the paper says", "panel", *titles, "optimal placement", "verdict"],
        [
            [str(number), claim.says, claim.panel, *told, f"**{overall}**"]
            for number, (claim, (*told, overall)) in enumerate(verdicts(results, policies), 1)
        ],
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _section(number: int, claim: Claim, results: Results, policies: Sequence[str]) -> list[str]:
    lines = [f"## {number}. {claim.says}", ""]
    for policy in policies:
        checks = claim.checks(results, policy)
        lines += [f"{NAMES.get(policy, policy)}: {verdict_of(checks)}.", ""]
        lines += [f"- {_told(check)}" for check in checks]
        lines.append("")
    at_best = claim.at_best(results, policies[-1])
    if at_best:
        lines += [f"Optimal placements: {claim.under_optimum(results, policies[-1])}.", ""]
        lines += [f"- {_told(check, 'not known')}" for check in at_best]
        lines.append("")
    plain = plain_words(claim, results, policies)
    return [*lines, plain, ""] if plain else lines


def _told(check: Check, unknown: str = "the seeds do not tell") -> str:
    answer = {True: "yes", False: "no", None: unknown}[check.holds]
    return f"{check.text} ({answer})"


def plain_words(claim: Claim, results: Results, policies: Sequence[str]) -> str:
    """Return in a sentence or two what becomes of a claim under a better or an optimal placement.

    Empty if there is nothing to add to the verdicts.
    """
    first, better = (claim.checks(results, policies[k]) for k in (0, -1))
    optimal = claim.under_optimum(results, policies[-1])
    parts = [_of_better(first, better), _proven.get(optimal, "") if optimal else ""]
    return " ".join(part for part in parts if part)


def _of_better(first: Sequence[Check], better: Sequence[Check]) -> str:
    """Return what becomes of a sentence under the better placement, if one of them bears it out."""
    told = (verdict_of(first), verdict_of(better))
    if told[1] is ClaimVerdict.HOLDS and told[0] is not ClaimVerdict.HOLDS:
        return "It is true in full of the better placement only."
    if told[0] is not ClaimVerdict.HOLDS or told[1] is ClaimVerdict.HOLDS:
        return ""
    if not any(check.holds is False for check in better):
        return "Under the better placement the seeds do not tell."
    in_full = "" if told[1] is ClaimVerdict.FAILS else " in full"
    return f"Under the better placement it does not hold{in_full}."


_proven = {
    ClaimVerdict.FAILS: "Proven: it does not hold under an optimal placement.",
    ClaimVerdict.HOLDS: "Proven: it holds under an optimal placement.",
    ClaimVerdict.DEPENDS: "Proven: under an optimal placement it does not hold in full.",
}
