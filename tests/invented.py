"""Runs that were never simulated: outcomes with figures that a test chooses."""

from collections.abc import Callable
from typing import Any

from benchmarks.evaluation.panels import EvaluationPlan, PanelCase
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.runs import SimulatedRun
from benchmarks.simulate import Setting, SimulationOutcome
from benchmarks.simulate.outcome import NetworkShare, Timing


def share(**figures: float) -> NetworkShare:
    """Ten requests, served in 10 s, unless told otherwise."""
    told = {
        "submitted": 10,
        "served": 10,
        "latency_s": 10.0,
        "computing_s": 4.0,
        "bound_s": 9.0,
        "shared_bits": 10**9,
    }
    return NetworkShare(**(told | figures))


def outcome(
    setting: Setting,
    beside: NetworkShare | None = None,
    every: dict[str, NetworkShare] | None = None,
    **figures: float,
) -> SimulationOutcome:
    """Requests for the first network of the setting, perhaps for the second, or for those told."""
    shares = [share(**figures), *([beside] if beside else [])]
    return SimulationOutcome(
        networks=every or dict(zip(setting.networks, shares, strict=False)),
        interrupted=0,
        restarted=0,
        slowest_s=1.0,
        end_s=100.0,
        families={},
    )


def results(plan: EvaluationPlan, figures: Callable[[PanelCase], dict[str, Any]]) -> Results:
    timing = Timing(events=1, total_s=0.0, slowest_s=0.0)
    runs = {
        case: SimulatedRun.model_construct(
            setting=case.setting, outcome=outcome(case.setting, **figures(case)), timing=timing
        )
        for case in plan.cases()
    }
    return Results(plan, runs)
