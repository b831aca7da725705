"""Runs that were never simulated: outcomes with figures that a test chooses."""

from collections.abc import Callable

from benchmarks.evaluation.panels import Case, Plan
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.runs import Run
from benchmarks.simulate import Outcome, Setting
from benchmarks.simulate.outcome import Share, Timing


def outcome(setting: Setting, **figures: float) -> Outcome:
    """Ten requests for the first network of the setting, served in 10 s, unless told otherwise."""
    share = {
        "submitted": 10,
        "served": 10,
        "latency_s": 10.0,
        "computing_s": 4.0,
        "bound_s": 9.0,
        "shared_bits": 10**9,
    }
    network = setting.networks[0]
    return Outcome(
        networks={network: Share(**(share | figures))},
        interrupted=0,
        restarted=0,
        slowest_s=1.0,
        end_s=100.0,
        families={},
    )


def results(plan: Plan, figures: Callable[[Case], dict[str, float]]) -> Results:
    timing = Timing(events=1, total_s=0.0, slowest_s=0.0)
    runs = {
        case: Run(
            setting=case.setting, outcome=outcome(case.setting, **figures(case)), timing=timing
        )
        for case in plan.cases()
    }
    return Results(plan, runs)
