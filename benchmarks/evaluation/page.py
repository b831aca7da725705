"""One page that shows all panels: the overview, then each panel with its table."""

from collections.abc import Hashable, Mapping
from html import escape

import pandas as pd

from benchmarks.evaluation.panels import PANELS, EvaluationPlan

STYLE = (
    "body{font-family:sans-serif;margin:2em;max-width:75em}img{max-width:100%}"
    "table{border-collapse:collapse;font-size:.85em}td,th{padding:.2em .7em;text-align:right}"
    "tr:nth-child(even){background:#f3f3f3}"
)
SHOWN = {
    "x": "",
    "tolerated_ssim": "SSIM",
    "policy": "policy",
    "latency_total_s": "latency (s)",
    "bound_total_s": "bound (s)",
    "shared_total_gbit": "shared (Gbit)",
    "rejected_first_percent": "rejected at first (%)",
    "unserved_percent": "never served (%)",
    "sending_percent_of_service": "of service: sending (%)",
}


def page(frame: pd.DataFrame, plan: EvaluationPlan, command: str) -> str:
    """Return the page as HTML, of means over seeds; pictures and CSV files stand beside it."""
    parts = [
        f"<h1>Figure 3 of the paper, rebuilt</h1><p><code>{escape(command)}</code></p>",
        f"<p>{escape(described(plan))}</p><p><img src='all.png' alt='All panels'></p>",
    ]
    for name in plan.panels:
        parts.append(f"<h2>{name}: {escape(PANELS[name].title)}</h2>")
        links = " ".join(f"<a href='{name}.{kind}'>{kind.upper()}</a>" for kind in ("svg", "csv"))
        parts.append(f"<p><img src='{name}.png' alt='Panel {name}'></p><p>{links}</p>")
        parts.append(_table(frame[frame["panel"] == name]))
    body = "\n".join(parts)
    head = f"<meta charset='utf-8'><title>Figure 3, rebuilt</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>\n"


def described(plan: EvaluationPlan) -> str:
    """Return what was simulated, in a sentence or two."""
    base = plan.base
    seeds = "seed 0" if plan.seeds == 1 else f"seeds 0 to {plan.seeds - 1}"
    means = "" if plan.seeds == 1 else "; means with 95 % intervals over seeds"
    return (
        f"{base.requests} requests at {base.arrivals_per_s:g} per second from {base.cameras} "
        f"cameras, networks {', '.join(base.networks)}, {base.devices} devices unless a panel "
        f"varies them, budgets of {base.period_s:g} s, {seeds}{means}. "
        "Totals are over served requests, waiting included."
    )


def _table(rows: pd.DataFrame) -> str:
    lines = rows.to_dict("records")
    cells = {title: [_cell(row, name) for row in lines] for name, title in SHOWN.items()}
    table = pd.DataFrame(cells).to_html(index=False, border=0)  # It escapes what comes from files.
    return f"<details><summary>Table</summary>{table}</details>"


def _cell(row: Mapping[Hashable, object], column: str) -> str:
    value, half = row[column], row.get(f"{column}_ci95")
    if not isinstance(value, float):
        return str(value)
    spread = f" ± {half:.3g}" if isinstance(half, float) and half == half else ""
    return "-" if value != value else f"{value:.4g}{spread}"
